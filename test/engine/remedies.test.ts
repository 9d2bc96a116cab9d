import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DiagnosisCode } from '../../src/domain/diagnosis.ts';
import type { JobSpecInput } from '../../src/domain/job.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

// Jobs that really die, each of another cause. Then what the remedy says is mended, and what its button does is done.

let home: string;
let dir: string;
let stint: TestEngine;
beforeEach(async () => {
  home = temporaryHome();
  dir = temporaryHome();
  stint = await startEngine({ home, devices: 'virtual:1x8192' });
});
afterEach(async () => {
  await stint.engine.stop();
  removeHome(home);
  removeHome(dir);
});

const sh = (script: string): string[] => ['sh', '-c', script];
const PYTHON = '/usr/bin/python3';
const python = (script: string): string[] => [PYTHON, '-c', script];
const withPython = existsSync(PYTHON);
const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);

interface Death {
  readonly code: DiagnosisCode;
  readonly command: string[];
  readonly more?: Partial<JobSpecInput>;
  readonly before?: () => unknown;
  readonly mend: () => unknown;
}

/** With nothing else needed than to be tried again. */
function deaths(): readonly Death[] {
  const port = createServer();
  const listen = `require('node:net').createServer().listen(Number(process.argv[1]), '127.0.0.1', function () { this.close() })`;
  const descent = `
x = 1.0
for step in range(2000):
    x -= float(open('lr').read()) * 2 * x
    loss = x * x if abs(x) < 1e150 else float('nan')
    if loss != loss:
        raise SystemExit(f'step {step}: loss is {loss}, stopping training')`;
  return [
    { code: 'missing-file', command: ['cat', 'data'], mend: () => write('data', 'here') },
    {
      code: 'no-command',
      command: ['tool'],
      more: { env: { PATH: `${dir}:/usr/bin:/bin` } },
      mend: () => {
        write('tool', '#!/bin/sh\n');
        chmodSync(join(dir, 'tool'), 0o755);
      },
    },
    {
      code: 'no-directory',
      command: ['true'],
      more: { cwd: join(dir, 'later') },
      mend: () => mkdirSync(join(dir, 'later')),
    },
    {
      code: 'permission',
      command: sh('./script.sh'),
      before: () => write('script.sh', '#!/bin/sh\n'),
      mend: () => chmodSync(join(dir, 'script.sh'), 0o755),
    },
    {
      code: 'pre-hook',
      command: ['true'],
      more: { preCommand: 'test -e prepared' },
      mend: () => write('prepared', ''),
    },
    {
      code: 'port-in-use',
      // The port is known once the test listens on it.
      command: sh(`exec '${process.execPath}' -e "${listen}" "$(cat port)"`),
      before: async () => {
        await once(port.listen(0, '127.0.0.1'), 'listening');
        write('port', String((port.address() as { port: number }).port));
      },
      mend: () => once(port.close(), 'close'),
    },
    { code: 'exit-code', command: sh('test -e weights'), mend: () => write('weights', '') },
    {
      code: 'killed',
      command: sh('[ "$STINT_ATTEMPT" -gt 1 ] || kill -9 $$'),
      mend: () => undefined,
    },
    ...(withPython
      ? ([
          {
            code: 'missing-module',
            command: python('import remedied'),
            more: { env: { PYTHONPATH: dir, PYTHONDONTWRITEBYTECODE: '1' } },
            mend: () => write('remedied.py', ''),
          },
          {
            code: 'host-memory',
            command: python("bytearray(int(open('bytes').read()))"),
            before: () => write('bytes', String(2 ** 60)),
            mend: () => write('bytes', '1024'),
          },
          {
            code: 'nan-loss',
            command: python(descent),
            before: () => write('lr', '3'),
            mend: () => write('lr', '0.1'),
          },
        ] as const)
      : []),
  ];
}

it('what was mended is tried again, and succeeds', async () => {
  const all = await Promise.all(
    deaths().map(async (death) => {
      await death.before?.();
      const { id } = await stint.submit(death.command, { cwd: dir, gpus: 0, ...death.more });
      return { ...death, id };
    }),
  );
  for (const { id, code, mend } of all) {
    const died = await stint.untilOver(id);
    expect([code, died.status, died.diagnosis?.code]).toEqual([code, 'failed', code]);
    await mend();
    await stint.client.jobs.retry({ id });
  }
  for (const { id, code } of all) {
    const { status, attempt, diagnosis } = await stint.untilOver(id);
    expect([code, status, attempt, diagnosis]).toEqual([code, 'succeeded', 2, null]);
  }
});

const mayMount = process.getuid?.() === 0 && process.platform === 'linux';
it.skipIf(!mayMount)('after a full disk there was made room', async () => {
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  } catch {
    console.log('not done: nothing may be mounted here');
    return;
  }
  try {
    writeFileSync(join(disk, 'old'), Buffer.alloc(1000 * 1024));
    const { id } = await stint.submit(sh('exec dd if=/dev/zero of=checkpoint bs=4k count=100'), {
      cwd: disk,
    });
    expect((await stint.untilOver(id)).diagnosis).toMatchObject({ code: 'disk-full' });
    rmSync(join(disk, 'old'));
    await stint.client.jobs.retry({ id });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', attempt: 2 });
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

it('a time limit is doubled until it is enough', async () => {
  const { id } = await stint.submit(['sleep', '2.5'], { timeLimitS: 1 });
  for (let limitS = 1; ; limitS *= 2) {
    const { status, timeLimitS, diagnosis } = await stint.untilOver(id);
    expect(timeLimitS).toBe(limitS);
    if (status === 'succeeded') break;
    expect([status, diagnosis?.code]).toEqual(['timed-out', 'timed-out']);
    expect(limitS).toBeLessThan(64);
    await stint.client.jobs.retry({ id, timeLimitS: 2 * limitS });
  }
  await stint.client.jobs.retry({ id, timeLimitS: null });
  expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', timeLimitS: null });
});

it('one that was lost with its supervisor runs again', async () => {
  const { id } = await stint.submit(sh('[ "$STINT_ATTEMPT" -gt 1 ] || sleep 600'));
  const { process: supervisor } = await stint.until(id, 'running');
  process.kill(supervisor!.pid, 'SIGKILL');
  // Its command runs on; without it, nobody knows how it would have ended.
  process.kill(-supervisor!.pid, 'SIGKILL');
  expect((await stint.untilOver(id)).diagnosis).toMatchObject({ code: 'lost' });
  await stint.client.jobs.retry({ id });
  expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', attempt: 2 });
});

/**
 * Takes so much of the GPU's memory, as files stand for it, or dies as PyTorch does; it lets go of it when `until` is there.
 * What a GPU does with two who ask at once is not imitated.
 */
const taking = (mib: number, until = ''): string[] =>
  sh(`
used=$(cat "$GPU"/* 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }')
if [ $((used + ${mib})) -gt 8192 ]; then
  echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate ${mib}.00 MiB.' >&2
  exit 1
fi
echo ${mib} > "$GPU/$STINT_JOB_ID"
${until === '' ? '' : `until [ -e '${until}' ]; do sleep 0.05; done`}
rm "$GPU/$STINT_JOB_ID"`);

it.each(['alone', 'with more'] as const)('out of GPU memory beside another: %s', async (how) => {
  mkdirSync(join(dir, 'gpu'));
  const env = { GPU: join(dir, 'gpu') };
  const leave = join(dir, 'leave');
  // It takes three times what it says.
  const beside = await stint.submit(taking(6144, leave), { env, vramMib: 2048 });
  await stint.until(beside.id, 'running');
  while (!existsSync(join(dir, 'gpu', String(beside.id)))) await new Promise((r) => setTimeout(r, 20));
  const { id } = await stint.submit(taking(3072), { env, vramMib: 1024 });
  const died = await stint.untilOver(id);
  expect(died).toMatchObject({ status: 'failed', diagnosis: { code: 'gpu-memory' } });
  expect(died.diagnosis!.remedy).toContain(`#${beside.id}`);

  if (how === 'alone') await stint.client.jobs.retry({ id, alone: true });
  else {
    // A suggestion that is not enough raises the next one, until it does not fit beside the other any more.
    for (let times = 0; ; times++) {
      const { suggestedMib } = await stint.client.jobs.memory({ id });
      await stint.client.jobs.retry({ id, vramMib: suggestedMib! });
      if (suggestedMib! + 2048 > 8192) break;
      expect((await stint.untilOver(id)).diagnosis).toMatchObject({ code: 'gpu-memory' });
      expect(times).toBeLessThan(5);
    }
  }
  // It waits until the other has left, and dies no more.
  expect(await stint.client.jobs.get({ id })).toMatchObject({ status: 'queued' });
  writeFileSync(leave, '');
  expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded' });
  await stint.untilOver(beside.id);
});
