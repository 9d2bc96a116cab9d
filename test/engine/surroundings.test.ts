import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import { parseUlimit, shellUlimits, ulimitsText } from '../../src/domain/ulimits.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let work: string;
let stint: TestEngine;

beforeAll(async () => {
  home = temporaryHome();
  work = mkdtempSync(join(tmpdir(), 'stint-work-'));
  stint = await startEngine({ home });
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(home);
  rmSync(work, { recursive: true, force: true });
});

const submit = (script: string, more: object) =>
  stint.submit(['sh', '-c', script], { gpus: 0, cwd: work, ...more });
const log = async (id: number): Promise<string> => (await stint.client.logs.read({ id })).text;

/** The job when it is over, with its log. */
async function outcome(script: string, more: object): Promise<JobView & { log: string }> {
  const { id } = await submit(script, more);
  return { ...(await stint.untilOver(id)), log: await log(id) };
}

describe('hooks', () => {
  it('run before and after, where the job runs, with what it has', async () => {
    const ended = await outcome('echo command $X; exit 3', {
      preCommand: 'echo before $X in $PWD; pwd > pre',
      postCommand: 'echo after $X $STINT_EXIT_CODE $STINT_JOB_ID; set | grep -c STINT_SUPERVISOR; cat pre',
      env: { X: 'x', STINT_SUPERVISOR_POST: 'echo not mine' },
    });
    expect(ended).toMatchObject({ status: 'failed', exitCode: 3, cause: 'exited with code 3' });
    expect(ended.log).toBe(`before x in ${work}\ncommand x\nafter x 3 ${ended.id}\n0\n${work}\n`);
  });

  it('that fail before keep the command from running, and what comes after still does', async () => {
    const ended = await outcome('echo never', {
      preCommand: 'echo no data; exit 9',
      postCommand: 'echo after $STINT_EXIT_CODE; exit 4',
    });
    expect(ended).toMatchObject({
      status: 'failed',
      exitCode: 9,
      cause: 'its pre hook failed with exit code 9',
      diagnosis: { code: 'pre-hook', summary: 'its pre hook failed with exit code 9' },
    });
    expect(ended.log).toBe(
      'no data\nstint: its pre hook failed with exit code 9\nafter 9\nstint: its post hook failed with exit code 4\n',
    );
  });

  it('that fail after change nothing, and are not run where there is no directory', async () => {
    expect(await outcome('exit 0', { postCommand: 'exit 4' })).toMatchObject({
      status: 'succeeded',
      exitCode: 0,
    });
    const nowhere = await outcome('true', { cwd: '/nowhere/at/all', postCommand: 'echo after' });
    expect(nowhere).toMatchObject({ exitCode: 126, diagnosis: { code: 'no-directory' } });
    expect(nowhere.log).not.toContain('after\n');
  });

  it('run after a command that had to be killed', async () => {
    const { id } = await submit('trap "" TERM; echo up; while :; do sleep 1; done', {
      postCommand: 'sleep 0.3; echo after $STINT_EXIT_CODE',
      graceS: 5,
    });
    await eventually(
      () => log(id),
      (text) => text.includes('up'),
      'it to ignore SIGTERM',
    );
    await stint.client.jobs.cancel({ id });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'cancelled', exitCode: 137 });
    expect(await log(id)).toContain('after 137\n');
  });

  it('run at each attempt, with the values of their array', async () => {
    const { id } = await stint.client.arrays.submit({
      spec: {
        ...{ command: ['sh', '-c', 'exit 1'], cwd: work, user: 'ada', gpus: 0, retries: 1, retryDelayS: 0 },
        preCommand: 'echo {lr} $STINT_ATTEMPT',
      },
      members: [{ index: 0, values: { lr: '0.1' } }],
    });
    await stint.untilOver(id);
    expect((await stint.client.logs.read({ id, attempt: 1 })).text).toBe('0.1 1\n');
    expect(await log(id)).toBe('0.1 2\n');
  });
});

describe('limits', () => {
  it('are those of the command and of the hooks', async () => {
    const limits = {
      nofile: { soft: 64, hard: 128 },
      core: { soft: 0, hard: 0 },
      fsize: { soft: 1_048_576, hard: 2_097_152 },
    };
    const show = 'grep -E "open files|core file|file size" /proc/self/limits';
    const ended = await outcome(show, { ulimits: limits, preCommand: `${show} > before`, postCommand: show });
    const seen = ended.log.replace(/ +/g, ' ');
    expect(seen).toContain('Max open files 64 128 files');
    expect(seen).toContain('Max core file size 0 0 bytes');
    expect(seen).toMatch(/Max file size 1048576 2097152 bytes/);
    expect(readFileSync(join(work, 'before'), 'utf8').repeat(2)).toBe(ended.log);
  });

  it('count the same where the job wants its shells to keep to POSIX', async () => {
    const limits = { fsize: { soft: 1_048_576, hard: 1_048_576 } };
    const ended = await outcome('grep "file size" /proc/self/limits', {
      ulimits: limits,
      env: { POSIXLY_CORRECT: '1' },
    });
    expect(ended.log).toMatch(/file size +1048576 +1048576/);
  });

  it('that may not be set keep the job from running', async () => {
    // More files than any kernel lets anybody open.
    const limits = { nofile: { soft: 2 ** 52, hard: 2 ** 52 } };
    const ended = await outcome('echo never', { ulimits: limits, preCommand: 'echo neither' });
    expect(ended).toMatchObject({
      status: 'failed',
      exitCode: 125,
      cause: expect.stringMatching(/^the limit nofile cannot be set: it may not be raised above \d+$/),
      diagnosis: { code: 'not-started' },
    });
    expect(ended.log).not.toMatch(/^(never|neither)$/m);
  });

  it('are read in words', () => {
    const all = ['nofile=1024', 'mem=2GiB', 'cpu=1h:2h', 'core=0:unlimited', 'stack=unlimited'].map((text) =>
      parseUlimit(text, '--ulimit'),
    );
    const limits = Object.assign({}, ...all);
    expect(ulimitsText(limits)).toBe(
      'nofile=1024, as=2147483648, cpu=3600:7200, core=0:unlimited, stack=unlimited',
    );
    expect(shellUlimits(limits)).toBe(
      'n:1024:1024:nofile v:2097152:2097152:as t:3600:7200:cpu c:0:unlimited:core s:unlimited:unlimited:stack',
    );
    for (const text of ['', 'nofile', 'nofile=', 'files=-1', 'what=1', 'nofile=2GiB', 'cpu=x', 'as=1:2:3']) {
      expect(() => parseUlimit(text, '--ulimit'), text).toThrow(/^--ulimit: /);
    }
  });

  it('that contradict themselves are refused by name', async () => {
    for (const soft of [2, null]) {
      await expect(submit('true', { ulimits: { nofile: { soft, hard: 1 } } })).rejects.toMatchObject({
        data: { field: 'ulimits.nofile.soft' },
      });
    }
    await expect(submit('true', { ulimits: { what: { soft: 1, hard: 1 } } })).rejects.toMatchObject({
      data: { field: expect.stringContaining('ulimits') },
    });
    await expect(submit('true', { preCommand: ' ' })).rejects.toMatchObject({
      data: { field: 'preCommand' },
    });
  });
});
