import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { applyEvent, createJob, type Folded } from '../../src/domain/lifecycle.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { signalJob } from '../../src/engine/jobs/processes.ts';
import { systemClock } from '../../src/engine/ports.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { MIGRATIONS } from '../../src/engine/store/migrations/index.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;
beforeEach(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
});
afterEach(async () => {
  await stint.engine.stop();
  expect(stint.complaints).toEqual([]);
  removeHome(home);
});

const sh = (script: string): string[] => ['sh', '-c', script];
const python = (script: string): string[] => ['/usr/bin/python3', '-c', script];
const withPython = existsSync('/usr/bin/python3');
const withTorch = spawnSync('/usr/bin/python3', ['-c', 'import torch']).status === 0;

async function endOf(command: string[], more: Parameters<TestEngine['submit']>[1] = {}): Promise<JobView> {
  const { id } = await stint.submit(command, more);
  return stint.untilOver(id);
}

/** Processes that really die so; nothing is imitated. */
const DEATHS: readonly (readonly [string, string[], string, string])[] = [
  ['a command that is not there', ['no-such-command'], 'no-command', 'command not found: no-such-command'],
  [
    'a command that a script misses',
    sh('echo one; no-such-command'),
    'no-command',
    'command not found: no-such-command',
  ],
  ['a file that a command misses', ['cat', '/no/such/file'], 'missing-file', 'file not found: /no/such/file'],
  ['a full disk', sh('echo data; dd if=/dev/zero of=/dev/full bs=4k count=1'), 'disk-full', 'disk full'],
  [
    'a signal to itself',
    sh('kill -ABRT $$'),
    'crash',
    'aborted (a failed assertion, or an error that nothing caught)',
  ],
  ['a stranger', sh('kill -9 $$'), 'killed', 'ended by SIGKILL, not by Stint'],
  ['a plain exit', sh('echo the last word; exit 3'), 'exit-code', 'exited with code 3'],
];

const PYTHON_DEATHS: readonly (readonly [string, string, string, string])[] = [
  ['a missing module', 'import no_such_module', 'missing-module', 'module not found: no_such_module'],
  [
    'a missing name',
    'from json import nothing',
    'missing-module',
    "import failed: cannot import name 'nothing' from 'json'",
  ],
  ['a segmentation fault', 'import ctypes; ctypes.string_at(0)', 'segfault', 'segmentation fault'],
  ['a traceback', "{}['lr']", 'python-error', "KeyError: 'lr'"],
  ['a missing file', "open('/no/such/file')", 'missing-file', 'file not found: /no/such/file'],
  ['a full disk', "open('/dev/full', 'w').write('x' * 100000)", 'disk-full', 'disk full'],
  ['the host memory', 'bytearray(1 << 60)', 'host-memory', 'out of host memory'],
  [
    'a port',
    "import socket; a = socket.socket(); a.bind(('', 0)); b = socket.socket(); b.bind(a.getsockname())",
    'port-in-use',
    'its network port is in use',
  ],
];

describe('a job that dies of', () => {
  it.each(DEATHS)('%s', async (_what, command, code, summary) => {
    const { diagnosis } = await endOf(command);
    expect(diagnosis).toMatchObject({ code, summary });
  });

  it.skipIf(!withPython).each(PYTHON_DEATHS)('%s in Python', async (_what, script, code, summary) => {
    const { id, diagnosis } = await endOf(python(script));
    expect(diagnosis).toMatchObject({ code });
    expect(diagnosis!.summary).toContain(summary);
    if (diagnosis!.line === null) return;
    const log = Buffer.from((await stint.client.logs.read({ id })).text);
    const there = log.subarray(diagnosis!.line.offset).toString().split('\n')[0];
    expect(there).toBe(diagnosis!.line.text);
  });

  it.skipIf(!withTorch).each([
    ['its CPU allocator', 'torch.empty(1 << 50)', 'host-memory'],
    ['a device that is not there', "torch.empty(1, device='cuda')", 'cuda-driver'],
  ])('PyTorch and %s', async (_what, script, code) => {
    const { diagnosis } = await endOf(python(`import torch\n${script}`), { gpus: 0 });
    expect(diagnosis).toMatchObject({ code });
  });

  const group = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup']
    .map((root) => join(root, `stint-test-${process.pid}`))
    .find((path) => {
      try {
        mkdirSync(path);
        const limit = ['memory.limit_in_bytes', 'memory.max'].find((name) => existsSync(join(path, name)));
        if (limit) writeFileSync(join(path, limit), String(32 << 20));
        else rmdirSync(path);
        return limit !== undefined;
      } catch {
        // Not ours to make, as for most people.
        return false;
      }
    });
  it.skipIf(group === undefined || !withPython)(
    "the kernel's OOM killer (needs a control group to make)",
    async () => {
      const { diagnosis } = await endOf(
        sh(
          `echo $$ > ${group}/cgroup.procs; exec /usr/bin/python3 -c 'x = bytearray(200 << 20); print(len(x))'`,
        ),
      );
      rmdirSync(group!);
      expect(diagnosis).toMatchObject({
        code: 'host-memory',
        summary: "out of host memory: ended by the kernel's OOM killer",
      });
    },
  );

  it('a person', async () => {
    const { id } = await stint.submit(['sleep', '600']);
    await stint.until(id, 'running');
    await stint.client.jobs.cancel({ id });
    expect((await stint.untilOver(id)).diagnosis).toMatchObject({
      code: 'cancelled',
      summary: 'cancelled by a person',
    });
  });

  it('nothing has no diagnosis', async () => {
    expect((await endOf(sh('echo CUDA out of memory'))).diagnosis).toBeNull();
  });

  it('memory beside another says whose company it was', async () => {
    const first = await stint.submit(['sleep', '600'], { vramMib: 1024 });
    await stint.until(first.id, 'running');
    await stint.submit(['sleep', '600'], { gpus: 1, vramMib: 7000 });
    const text = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.';
    const { diagnosis, devices } = await endOf(sh(`echo '${text}' >&2; exit 1`), { gpus: 2, vramMib: 512 });
    expect(devices).toHaveLength(2);
    expect(diagnosis).toMatchObject({ code: 'gpu-memory', line: { text, offset: 0, number: 1 } });
    expect(diagnosis!.remedy).toContain('#1, #2');
    for (const id of [1, 2]) await stint.client.jobs.cancel({ id });
    for (const id of [1, 2]) await stint.untilOver(id);
  });
});

describe('the log', () => {
  it('is only read at its end, whatever is in it', async () => {
    const bar = "for i in $(seq 3000); do printf '\\r%3d%%|####| %d/3000 [00:01<00:02]' 5 $i; done";
    const script = [
      "printf 'ModuleNotFoundError: No module named early\\n'",
      'head -c 10000000 /dev/zero | tr "\\0" x; echo',
      "printf '\\377\\376\\300\\n'",
      bar,
      "printf '\\n\\033[31mRuntimeError: CUDA out of memory. Tried to allocate 1.00 GiB\\033[0m\\n'",
      'exit 1',
    ].join('; ');
    const { id, diagnosis } = await endOf(sh(script));
    expect(diagnosis).toMatchObject({
      code: 'gpu-memory',
      line: { text: 'RuntimeError: CUDA out of memory. Tried to allocate 1.00 GiB', number: null },
    });
    const log = await stint.client.logs.read({ id, offset: diagnosis!.line!.offset });
    expect(log.text.startsWith('\u001b[31mRuntimeError')).toBe(true);
  });

  it('that cannot be read does not keep the end from being recorded', async () => {
    const { id } = await stint.submit(sh('rm "$LOG"; mkdir "$LOG"; exit 4'), {
      env: { LOG: join(home, 'jobs', '1', '1', 'output.log') },
    });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'failed', exitCode: 4, diagnosis: null });
    expect(stint.complaints.splice(0)).toContainEqual(
      expect.stringContaining('why job 1 ended could not be read'),
    );
  });
});

describe('after a restart', () => {
  it('what ended meanwhile is diagnosed, and what was is kept', async () => {
    await endOf(sh('exit 9'));
    const { id } = await stint.submit(
      sh(`while [ ! -e "${home}/go" ]; do sleep 0.05; done; no-such-command`),
    );
    const lost = await stint.submit(['sleep', '600']);
    await stint.until(id, 'running');
    const { process: supervisor } = await stint.until(lost.id, 'running');
    await stint.engine.stop();
    writeFileSync(join(home, 'go'), '');
    process.kill(supervisor!.pid, 'SIGKILL');
    signalJob(supervisor!, 'SIGKILL');
    stint = await startEngine({ home });
    expect((await stint.untilOver(id)).diagnosis).toMatchObject({ code: 'no-command' });
    expect((await stint.untilOver(lost.id)).diagnosis).toMatchObject({ code: 'lost' });
    expect((await stint.client.jobs.get({ id: 1 })).diagnosis).toMatchObject({
      summary: 'exited with code 9',
    });
    stint.complaints.length = 0;
  });

  it('events and projection agree', async () => {
    await endOf(sh('exit 9'));
    await endOf(['no-such-command']);
    await stint.engine.stop();
    const db = openDatabase(join(home, 'stint.db'));
    const ledger = new Ledger(db, systemClock);
    for (const id of [1, 2]) {
      const [first, ...rest] = ledger.read.events(id);
      if (first?.event.kind !== 'submitted') throw new Error('no submission');
      let folded: Folded = { job: createJob(id, first.event, first.atMs), stoppingAs: null };
      for (const { event, atMs } of rest) folded = applyEvent(folded, event, atMs);
      expect(folded.job.diagnosis).not.toBeNull();
      expect(folded.job.diagnosis).toEqual(ledger.get(id).diagnosis);
    }
    db.close();
    stint = await startEngine({ home });
  });
});

it('jobs of a version-1 database come through with no diagnosis', async () => {
  await stint.engine.stop();
  removeHome(home);
  mkdirSync(home);
  const db = new SqliteDatabase(join(home, 'stint.db'));
  db.exec(MIGRATIONS[0]!);
  db.pragma(`application_id = ${0x53544e54}`);
  db.pragma('user_version = 1');
  // As version 1 wrote it: what came later is not in it.
  const spec = jobSpecSchema.parse({ command: ['false'], cwd: '/', user: 'a' });
  const now = createJob(1, { kind: 'submitted', spec }, 1000);
  const later = [
    'diagnosis',
    'beginAtMs',
    'timeLimitS',
    'retries',
    'retryDelayS',
    'retryOn',
    'after',
    'retried',
  ];
  const body = Object.fromEntries(
    Object.entries({ ...now, status: 'failed', exitCode: 1, finishedAtMs: 2000 }).filter(
      ([key]) => ![...later, 'retryWait', 'readyAtMs', 'runClock'].includes(key),
    ),
  );
  db.prepare(
    "INSERT INTO jobs (id, status, rank, submitted_at_ms, finished_at_ms, body) VALUES (1, 'failed', 1, 1000, 2000, ?)",
  ).run(JSON.stringify(body));
  db.prepare(
    "INSERT INTO job_events (job_id, at_ms, actor, kind, body) VALUES (1, 2000, 'process', 'exited', ?)",
  ).run(JSON.stringify({ kind: 'exited', exitCode: 1, cause: 'exited with code 1' }));
  db.close();
  stint = await startEngine({ home });
  expect(await stint.client.jobs.get({ id: 1 })).toMatchObject({ status: 'failed', diagnosis: null });
  expect(await stint.client.jobs.events({ id: 1 })).toHaveLength(1);
});
