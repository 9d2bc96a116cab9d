import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../../src/domain/device.ts';
import { bySeverity, type Finding } from '../../src/domain/finding.ts';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { gpuFindings } from '../../src/engine/doctor/gpuFindings.ts';
import { homeFindings } from '../../src/engine/doctor/homeFindings.ts';
import { rungFindings } from '../../src/engine/doctor/machineFindings.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { doctor } from '../../src/headless/main.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'stint-doctor-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const about = (findings: readonly Finding[], what: string) =>
  findings.filter((one) => one.about === what).map(({ severity, found }) => `${severity}: ${found}`);

describe('a data directory', () => {
  const NOW_MS = 1_800_000_000_000;
  /** With a job that was submitted then. */
  const withJob = (atMs: number): string => {
    const path = join(home, 'stint.db');
    const db = openDatabase(path);
    const ledger = new Ledger(db, { nowMs: () => atMs, monotonicMs: () => 0 });
    ledger.submit(jobSpecSchema.parse({ command: ['true'], cwd: '/', user: 'ada', hold: true }));
    db.close();
    return path;
  };

  it('is told to be readable by others, and healthy otherwise', () => {
    withJob(NOW_MS);
    chmodSync(home, 0o755);
    const findings = homeFindings(home, NOW_MS);
    expect(about(findings, 'data directory')).toEqual([
      expect.stringMatching(/^warning: others may read .*755/),
    ]);
    expect(about(findings, 'database')).toEqual([expect.stringMatching(/^ok: .*schema \d+, whole/)]);
    expect(about(findings, 'clock')).toEqual([]);
    chmodSync(home, 0o700);
    expect(about(homeFindings(home, NOW_MS), 'data directory')).toEqual([expect.stringMatching(/^ok/)]);
  });

  it('is told to have a damaged database, which is left as it is', () => {
    const path = withJob(NOW_MS);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096, 12_288);
    writeFileSync(path, bytes);
    expect(about(homeFindings(home, NOW_MS), 'database')).toEqual([
      expect.stringMatching(/^error: .*stint\.db/),
    ]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('tells that the clock was set back', () => {
    withJob(NOW_MS + 86_400_000);
    expect(about(homeFindings(home, NOW_MS), 'clock')).toEqual([
      expect.stringMatching(/^warning: .* 1 d .*future/),
    ]);
  });

  it('that is not there yet, or is a file, is told apart', () => {
    expect(homeFindings(join(home, 'new'), NOW_MS)[0]).toMatchObject({ severity: 'note' });
    const file = join(home, 'file');
    writeFileSync(file, '');
    expect(homeFindings(file, NOW_MS)[0]).toMatchObject({ severity: 'error', found: `${file} is a file` });
  });

  it('can be examined where no engine runs, and nothing is made in it', async () => {
    const findings = await doctor(join(home, 'new'));
    expect(new Set(findings.map((one) => one.about))).toEqual(
      new Set([
        ...findings.map((one) => one.about),
        'system',
        'limits',
        'NVIDIA',
        'pause by signals',
        'PyTorch',
      ]),
    );
    expect(findings).toEqual(bySeverity(findings));
    expect(() => readFileSync(join(home, 'new'))).toThrow(/ENOENT/);
  });
});

describe('GPUs', () => {
  /** A tree like / with these graphics cards. */
  function rootWith(vendors: readonly string[]): string {
    vendors.forEach((vendor, i) => {
      const card = join(home, 'sys/bus/pci/devices', `0000:0${i}:00.0`);
      mkdirSync(card, { recursive: true });
      writeFileSync(join(card, 'class'), '0x030000\n');
      writeFileSync(join(card, 'vendor'), `${vendor}\n`);
    });
    return home;
  }
  const none = { STINT_NVIDIA_SMI: '/nonexistent/nvidia-smi' };

  it('that no driver looks after are told', async () => {
    const findings = await gpuFindings(none, null, rootWith(['0x10de', '0x1002', '0x8086']));
    expect(about(findings, 'NVIDIA')).toEqual([expect.stringMatching(/^error: 1 GPU.*no driver/)]);
    expect(about(findings, 'AMD')).toEqual([expect.stringMatching(/^warning: 1 GPU/)]);
  });

  it('that the driver lost, or that sleep, are told', async () => {
    const smi = join(home, 'nvidia-smi');
    writeFileSync(smi, '#!/bin/sh\necho "NVIDIA RTX 4090, 570.86, Disabled"\n', { mode: 0o755 });
    const findings = await gpuFindings({ STINT_NVIDIA_SMI: smi }, null, rootWith(['0x10de', '0x10de']));
    expect(about(findings, 'NVIDIA')).toEqual([
      'ok: driver 570.86, nvidia-smi lists 1 GPUs',
      'warning: 2 GPUs are plugged in, and the driver lists 1',
      expect.stringMatching(/^note: persistence mode is off/),
    ]);
  });

  it('that Stint cannot read are told with its reason', async () => {
    const device = { index: 1, name: 'A', memoryTotalMib: 1024, health: 'gone', trouble: 'no longer listed' };
    const probed = { probe: 'nvml', note: null, devices: [device as Device] };
    expect(about(await gpuFindings(none, probed, home), 'device 1')).toEqual([
      'warning: gone: no longer listed',
    ]);
  });
});

it('tells of each rung why it does not work, and what would help', () => {
  const rung = {
    ladder: 'pause',
    rung: 'freezer',
    does: 'x',
    works: false,
    note: 'no group; mount one',
  } as const;
  expect(rungFindings([rung])).toEqual([
    { about: 'pause by freezer', severity: 'note', found: 'does not work: no group', remedy: 'mount one' },
  ]);
});
