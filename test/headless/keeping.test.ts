import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StintClient } from '../../src/contract/client.ts';
import { DEFAULT_MACHINE_RULES } from '../../src/domain/machineRules.ts';
import { homePaths } from '../../src/engine/home.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { LogCap } from '../../src/engine/jobs/logCap.ts';
import { NoHolesError } from '../../src/engine/jobs/punchHole.ts';
import { RunDirectory } from '../../src/engine/jobs/runDirectory.ts';
import { Keeper } from '../../src/engine/keeping/keeper.ts';
import { systemClock } from '../../src/engine/ports.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { logGapStore } from '../../src/engine/store/logGapStore.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../engine/support/testEngine.ts';
import { commandLineOf } from './commandHarness.ts';
import { recordingLog } from './fakeRouter.ts';

const MIB = 1024 * 1024;
let home: string;
let stint: TestEngine;
let socket: LocalSocket;
const cli = commandLineOf(() => home);
beforeAll(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
  socket = await serveLocalSocket({ home, router: stint.engine.router, log: recordingLog(), env: {} });
});
afterAll(async () => {
  await socket.close();
  await stint.engine.stop();
  removeHome(home);
});

const logOf = (id: number): string => join(home, 'jobs', String(id), '1', 'output.log');
/** Lines of 64 bytes, numbered from 1. */
const line = (n: number): string => `line ${String(n).padStart(58, '.')}`;
const WRITE = `import sys
def lines(a, b):
    for n in range(a, b): sys.stdout.write('line ' + str(n).rjust(58, '.') + '\\n')
    sys.stdout.flush()
`;

async function whole(client: StintClient, id: number): Promise<string> {
  let text = '';
  for await (const chunk of await client.logs.follow({ id, offset: 0 })) text += chunk.text;
  return text;
}

describe('a log over its cap', () => {
  it('keeps its beginning and its end, all places, and says what is gone; the job writes on', async () => {
    expect((await cli('settings', '--log-cap', '32MiB')).stdout).toMatch(
      /log cap +32 MiB each, no cap together/,
    );
    const total = (40 * MIB) / 64;
    const { id } = await stint.submit(
      [
        'python3',
        '-c',
        `${WRITE}lines(1, ${total + 1})\nsys.stdin.read()\nimport time\nwhile not __import__('os').path.exists('${home}/go'): time.sleep(0.05)\nlines(${total + 1}, ${total + 101})`,
      ],
      { gpus: 0 },
    );
    await eventually(
      () => (existsSync(logOf(id)) ? statSync(logOf(id)).blocks * 512 : 0),
      (bytes) => bytes > 0 && bytes <= 32 * MIB && statSync(logOf(id)).size === 40 * MIB,
      'its log to be cut',
      60_000,
    );
    writeFileSync(join(home, 'go'), '');
    expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded' });
    // What came after may have been a reason to cut once more; where it was not, 28 MiB are kept at most.
    await eventually(
      () => statSync(logOf(id)).blocks * 512,
      (bytes) => bytes < 29 * MIB,
      'it to be cut as far as it will be',
    );
    expect(statSync(logOf(id)).size).toBe((total + 100) * 64);

    const text = await whole(stint.client, id);
    const [before, after] = text.split(/\n… \d+ MiB dropped: the log is capped .*…\n/) as [string, string];
    expect(before).toBe(`${Array.from({ length: (4 * MIB) / 64 }, (_, i) => line(i + 1)).join('\n')}\n`);
    const first = Number(/\d+/.exec(after)![0]);
    expect(after.startsWith(line(first))).toBe(true);
    expect(after.trimEnd().endsWith(line(total + 100))).toBe(true);
    expect(after).not.toContain('\0');
    const { client } = stint;
    // By place, by line, from the end, and by what is in it.
    expect(await client.logs.read({ id, offset: (first - 1) * 64, limitBytes: 64 })).toMatchObject({
      text: `${line(first)}\n`,
      dropped: 0,
    });
    const within = await client.logs.read({ id, offset: 5 * MIB, limitBytes: MIB });
    expect(within).toMatchObject({ offset: 4 * MIB, nextOffset: (first - 1) * 64 });
    expect(within.dropped).toBe((first - 1) * 64 - 4 * MIB);
    expect((await client.logs.locate({ id, line: first + 5 })).offset).toBe((first + 4) * 64);
    expect((await client.logs.locate({ id, line: 100_000 })).offset).toBe((first - 1) * 64);
    expect((await client.logs.locate({ id, line: -(total + 50) })).offset).toBe((first - 1) * 64);
    expect((await cli('logs', String(id), '--tail', '1')).stdout).toBe(`${line(total + 100)}\n`);
    const found = await client.logs.search({
      id,
      pattern: `line \\.*(7|100000|${first + 1})$`,
      limit: 100,
    });
    expect(found.matches.map(({ offset }) => offset / 64 + 1)).toContain(first + 1);
    expect(found.matches[0]).toEqual({ offset: 6 * 64, text: line(7) });
    expect((await client.logs.search({ id, pattern: '^$' })).matches).toEqual([]);
  });

  it('is left alone where its owner put it, and where the file system has no holes, which is said once', async () => {
    const place = temporaryHome();
    const db = openDatabase(join(place, 'stint.db'));
    try {
      const ledger = new Ledger(db, systemClock);
      const store = logGapStore(db);
      const ran = (outputPath: string | null): number => {
        const { id } = ledger.submit({ ...SPEC, outputPath });
        ledger.append(id, { kind: 'launching', devices: [], attempt: 1 }, 'scheduler');
        const run = new RunDirectory(join(place, 'jobs', String(id), '1'));
        run.create();
        writeFileSync(run.logPath, Buffer.alloc(40 * MIB, 'x\n'));
        return id;
      };
      const [owners, ours] = [ran('/somewhere/else.log'), ran(null)];
      const said: string[] = [];
      const tried: string[] = [];
      const cap = new LogCap({
        ledger,
        store,
        runOf: ({ id, attempt }) => new RunDirectory(join(place, 'jobs', String(id), String(attempt))),
        rules: () => ({ logCapMib: 32, capOutput: false }),
        log: { ...recordingLog(), warn: (message) => void said.push(message) },
        punch: async (path) => {
          tried.push(path);
          throw new NoHolesError('none here');
        },
        intervalMs: 20,
      });
      await eventually(
        () => said.length,
        (n) => n > 0,
        'it to be said',
      );
      await cap.stop();
      expect([tried.length, said.length, cap.works]).toEqual([1, 1, false]);
      expect([store.of(owners, 1), store.of(ours, 1)]).toEqual([null, null]);
    } finally {
      db.close();
      removeHome(place);
    }
  });
});

describe('all logs together over their cap', () => {
  it('loses those of jobs that ended first, and never those of jobs that run or lie where their owner put them', async () => {
    const place = temporaryHome();
    const db = openDatabase(join(place, 'stint.db'));
    const ledger = new Ledger(db, { ...systemClock, nowMs: () => 1000 });
    const gaps = logGapStore(db);
    const paths = homePaths(place);
    const ran = (endsAtMs: number | null, outputPath: string | null = null): number => {
      const { id } = ledger.submit({ ...SPEC, outputPath });
      ledger.append(id, { kind: 'launching', devices: [], attempt: 1 }, 'scheduler');
      const run = new RunDirectory(join(paths.runs, String(id), '1'));
      run.create();
      writeFileSync(run.logPath, Buffer.alloc(12 * MIB, 'x\n'));
      if (endsAtMs !== null) ledger.append(id, ENDED, 'engine', endsAtMs);
      return id;
    };
    // Together 84 MiB. The first one to end was not the first to be submitted.
    const [second, first, runs, third] = [ran(3000), ran(2000), ran(null), ran(4000)];
    const [owners, fourth, last] = [ran(1500, '/somewhere/else.log'), ran(5000), ran(6000)];
    let logTotalMib: number | null = null;
    const said: string[] = [];
    const keeper = new Keeper({
      home: place,
      paths,
      ledger,
      gaps,
      snapshots: { clean: async () => [] },
      rules: () => ({ ...DEFAULT_MACHINE_RULES, logTotalMib }),
      capWorks: () => true,
      clock: systemClock,
      log: { ...recordingLog(), warn: (message) => void said.push(message) },
      intervalMs: 20,
    });
    try {
      const there = (): number[] =>
        readdirSync(paths.runs)
          .filter((name) => existsSync(join(paths.runs, name, '1', 'output.log')))
          .map(Number)
          .sort((a, b) => a - b);
      const all = [second, first, runs, third, owners, fourth, last];
      expect(there()).toEqual(all);
      logTotalMib = 64;
      await eventually(there, (left) => left.length <= 5, 'two of them to go');
      expect(there()).toEqual([runs, third, owners, fourth, last]);
      expect(gaps.of(first, 1)).toMatchObject({ from: 0, to: 12 * MIB });
      expect(gaps.of(third, 1)).toBeNull();
      // However little is allowed, what runs and what lies elsewhere stay.
      logTotalMib = 32;
      await eventually(there, (left) => left.length <= 2, 'all others to go');
      expect(there()).toEqual([runs, owners]);
      expect(said).toEqual([]);
    } finally {
      keeper.stop();
      db.close();
      removeHome(place);
    }
  });
});

const ENDED = { kind: 'lost', reason: 'nobody saw its end' } as const;
const SPEC = (await import('../../src/domain/job.ts')).jobSpecSchema.parse({
  command: ['true'],
  cwd: '/',
  user: 'a',
});

describe('cleanup', () => {
  it('says what would go, then removes it, and leaves the jobs, what runs, and what it is told to leave', async () => {
    const outputs = temporaryHome();
    const old = await stint.submit(['sh', '-c', 'echo old; echo state > "$STINT_CHECKPOINT_DIR/state"'], {
      gpus: 0,
    });
    const linked = await stint.submit(['echo', 'linked'], { gpus: 0, outputPath: join(outputs, 'own.log') });
    const runs = await stint.submit(['sh', '-c', 'echo runs; exec sleep 600'], { gpus: 0 });
    await stint.untilOver(old.id);
    await stint.untilOver(linked.id);
    await stint.until(runs.id, 'running');
    await eventually(
      async () => (await stint.client.logs.read({ id: runs.id })).size,
      (size) => size > 0,
      'it to write',
    );
    mkdirSync(join(home, 'jobs', '999999', '1'), { recursive: true });
    writeFileSync(join(home, 'jobs', '999999', '1', 'output.log'), 'of nobody');

    const usage = await stint.client.storage.usage();
    const kinds = usage.parts.filter(({ count }) => count > 0).map(({ what }) => what);
    expect(kinds).toEqual(['database', 'logs', 'checkpoints', 'orphans', 'rest']);
    expect((await cli('df')).stdout).toMatch(/^logs +\d.* of \d+ jobs?$/m);

    expect((await cli('cleanup')).stdout).toMatch(/of no job +\d+ KiB of 1 folder\n\d+ KiB would be freed/);
    expect(existsSync(join(home, 'jobs', '999999'))).toBe(true);
    // Whatever has ended until now.
    const all = { endedBeforeMs: Date.now() + 3_600_000, dryRun: false };
    const spared = await stint.client.storage.clean({ ...all, logs: false });
    expect(spared.parts.map(({ what }) => what)).toEqual(['orphans']);
    expect(existsSync(join(home, 'jobs', '999999'))).toBe(false);
    expect((await stint.client.logs.read({ id: old.id })).text).toBe('old\n');

    const cleaned = await stint.client.storage.clean(all);
    expect(cleaned.parts.map(({ what }) => what)).toEqual(['logs']);
    expect(await stint.client.logs.read({ id: old.id })).toMatchObject({
      text: '… 1 KiB removed by stint cleanup …\n',
      end: true,
      size: 4,
    });
    expect(await whole(stint.client, old.id)).toMatch(/removed by stint cleanup/);
    expect((await stint.client.logs.search({ id: old.id, pattern: 'old' })).matches).toEqual([]);
    expect((await cli('logs', String(old.id), '--tail', '3')).stdout).toMatch(/removed by stint/);
    expect(readFileSync(join(outputs, 'own.log'), 'utf8')).toBe('linked\n');
    expect((await stint.client.logs.read({ id: runs.id })).text).toBe('runs\n');
    const kept = join(home, 'jobs', String(old.id), 'checkpoint', 'state');
    expect(readFileSync(kept, 'utf8')).toBe('state\n');
    expect((await stint.client.jobs.get({ id: old.id })).status).toBe('succeeded');

    // What was cleaned can be tried again, and writes anew.
    await stint.client.jobs.retry({ id: old.id });
    await stint.untilOver(old.id);
    expect((await stint.client.logs.read({ id: old.id })).text).toBe('old\n');
    await stint.client.storage.clean({ ...all, checkpoints: true });
    expect(existsSync(join(home, 'jobs', String(old.id)))).toBe(false);
    await stint.client.jobs.cancel({ id: runs.id });
    await stint.untilOver(runs.id);
    expect(stint.complaints).toEqual([]);
    rmSync(outputs, { recursive: true });
  });
});
