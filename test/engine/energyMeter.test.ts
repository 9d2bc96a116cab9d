import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../../src/domain/device.ts';
import type { Job } from '../../src/domain/job.ts';
import { EnergyMeter } from '../../src/engine/devices/energyMeter.ts';
import { type Database, openDatabase } from '../../src/engine/store/database.ts';
import { type EnergyStore, energyStore } from '../../src/engine/store/energyStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

let home: string;
let db: Database;
let store: EnergyStore;
let nowS: number;
let live: Job[];
let complaints: string[];
beforeEach(() => {
  home = temporaryHome();
  db = openDatabase(`${home}/stint.db`);
  store = energyStore(db);
  nowS = 100;
  live = [];
  complaints = [];
});
afterEach(() => {
  db.close();
  removeHome(home);
});

const meter = (into: Pick<EnergyStore, 'add'> = store): EnergyMeter =>
  new EnergyMeter({
    live: () => live,
    store: { ...store, ...into },
    clock: { nowMs: () => 1000 * nowS, monotonicMs: () => 1000 * nowS },
    log: {
      info: () => undefined,
      warn: (text) => void complaints.push(text),
      error: (text) => void complaints.push(text),
    },
  });
const job = (id: number, devices: string[], status: Job['status'] = 'running', attempt = 1) =>
  ({ id, devices, status, attempt }) as Job;
/** A reading of each device, made anew. */
const reads = (...powers: (number | null)[]) =>
  powers.map((powerW, i) => ({ id: `g${i}`, reading: { powerW } }) as unknown as Device);

/** One reading a second. */
function spend(meterOf: EnergyMeter, seconds: number, ...powers: (number | null)[]): void {
  for (let i = 0; i < seconds; i++) {
    nowS++;
    meterOf.observe(reads(...powers));
  }
}

describe('the energy of jobs', () => {
  it('is what their GPUs draw, in like parts where several compute on one, and of nobody where none does', () => {
    live = [job(1, ['g0', 'g1']), job(2, ['g1']), job(3, ['g1'], 'paused')];
    const one = meter();
    one.observe(reads(100, 300, 50));
    spend(one, 10, 100, 300, 50);
    one.write();
    expect(store.ofJob(1)).toEqual({ joules: 10 * (100 + 150), measuredGpuS: 15 });
    expect(store.ofJob(2)).toEqual({ joules: 1500, measuredGpuS: 5 });
    expect(store.ofJob(3).joules).toBe(0);
    live = [job(3, ['g1'], 'paused')];
    spend(one, 2, 100, 80, 50);
    one.write();
    expect(store.ofJob(3)).toEqual({ joules: 160, measuredGpuS: 2 });
  });

  it('bridges no gap, counts no reading twice and none that is unknown, and adds up attempts', () => {
    live = [job(1, ['g0'])];
    const one = meter();
    const first = reads(100);
    one.observe(first);
    nowS += 5;
    one.observe(first);
    nowS += 60;
    one.observe(reads(100));
    spend(one, 1, null);
    spend(one, 1, 200);
    live = [job(1, ['g0'], 'running', 2)];
    spend(one, 3, 200);
    one.write();
    expect(store.ofJob(1)).toEqual({ joules: 800, measuredGpuS: 4 });
  });

  it('is written now and then, and kept while it cannot be', () => {
    live = [job(1, ['g0'])];
    let broken = true;
    const one = meter({
      add(drawn) {
        if (broken) throw new Error('disk full');
        store.add(drawn);
      },
    });
    one.observe(reads(100));
    spend(one, 12, 100);
    expect(complaints).toEqual(['energy could not be written']);
    broken = false;
    spend(one, 8, 100);
    expect(store.ofJob(1).joules).toBeGreaterThanOrEqual(1500);
  });
});
