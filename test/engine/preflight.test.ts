import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonScript } from '../../src/engine/preflight/pythonScript.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { commandLineOf } from '../headless/commandHarness.ts';
import { recordingLog } from '../headless/fakeRouter.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let work: string;
let stint: TestEngine;
let socket: LocalSocket;

beforeAll(async () => {
  home = temporaryHome();
  work = realpathSync(mkdtempSync(join(tmpdir(), 'stint-work-')));
  const env = { ...process.env, HOME: work, CONDA_ENVS_PATH: join(work, 'envs') };
  stint = await startEngine({ home, env });
  socket = await serveLocalSocket({ home, router: stint.engine.router, log: recordingLog(), env: {} });
  writeFileSync(
    join(work, 'good.py'),
    'import json, beside\nfrom os import path\ntry:\n  import nowhere_a\nexcept ImportError:\n  pass\n',
  );
  writeFileSync(join(work, 'beside.py'), 'raise SystemExit("imported, and it must not be")\n');
  writeFileSync(join(work, 'bad.py'), 'import json\nimport nowhere_b.part as b\nfrom nowhere_c import d\n');
  writeFileSync(join(work, 'broken.py'), 'import json\nif True\n');
  for (const name of ['venv/bin', 'envs/lab/bin', 'envs/lab/etc/conda/activate.d']) {
    mkdirSync(join(work, name), { recursive: true });
  }
  // As far as activation goes an environment is a directory with a bin/python.
  for (const name of ['venv', 'envs/lab']) {
    writeFileSync(join(work, name, 'bin/python'), `#!/bin/sh\necho ${name} "$@"\n`);
    chmodSync(join(work, name, 'bin/python'), 0o755);
  }
  writeFileSync(join(work, 'envs/lab/etc/conda/activate.d/x.sh'), 'export FROM_SCRIPT=yes\n');
  symlinkSync(join(work, 'nowhere'), join(work, 'dangling'));
});
afterAll(async () => {
  await socket.close();
  await stint.engine.stop();
  removeHome(home);
  rmSync(work, { recursive: true, force: true });
});

const look = async (command: string[], more: object = {}) =>
  (await stint.client.jobs.preflight({ command, cwd: work, user: 'ada', ...more })).obstacles;

describe('the look before a job is queued', () => {
  it('finds nothing against a job that can run, and runs nothing of it', async () => {
    expect(await look(['python3', '-u', 'good.py', '--lr', '1'])).toEqual([]);
    expect(await look(['python3', '-m', 'json.tool'])).toEqual([]);
    expect(await look(['sh', '-c', 'exit 1'])).toEqual([]);
    expect(await look(['sh', '-eo', 'noclobber', 'unseen'])).toEqual([]);
    expect(await look(['python3', '-c', 'import nowhere'])).toEqual([]);
    expect((await stint.client.jobs.list({})).total).toBe(0);
  });

  it.each([
    [['/bin/sh', '-eu', 'gone.sh', '1'], {}, 'command', /^the script gone.sh is not there$/],
    [['python3', 'bad.py'], {}, 'command', /has not got the modules nowhere_b, nowhere_c$/],
    [['python3', '-m', 'nowhere_d.main'], {}, 'command', /has not got the module nowhere_d$/],
    [['python3', 'broken.py'], {}, 'command', /does not parse: line 2: /],
    [['python3', 'absent.py'], {}, 'command', /the script absent.py is not there/],
    [['no-such-program'], {}, 'command', /no program no-such-program/],
    [['./good.py'], {}, 'command', /no program .\/good.py/],
    [['true'], { cwd: '/nowhere/at/all' }, 'cwd', /is not there/],
    [['true'], { venv: '/nowhere/at/all' }, 'venv', /has no bin\/python/],
    [['true'], { conda: 'nobody' }, 'conda', /no conda environment nobody/],
  ])('says of %j %j what is wrong', async (command, more, field, problem) => {
    const found = await look(command, more);
    expect(found).toEqual([
      { field, problem: expect.stringMatching(problem), remedy: expect.stringMatching(/\S/), certain: true },
    ]);
    // What comes before it may make it.
    expect(await look(command, { ...more, preCommand: 'make' })).toEqual([{ ...found[0], certain: false }]);
  });

  it('is the command line’s, unless it is not wanted', async () => {
    const line = commandLineOf(() => home);
    const refused = await line('submit', '--cwd', work, '--', 'python3', 'bad.py');
    expect(refused).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^stint: it could not run: .*nowhere_b, nowhere_c; install .*--no-preflight\n$/,
      ),
    });
    expect((await stint.client.jobs.list({})).total).toBe(0);
    const queued = await line('submit', '--hold', '--no-preflight', '--cwd', work, '--', 'python3', 'bad.py');
    expect(queued.status).toBe(0);
    await stint.client.jobs.cancel({ id: Number(queued.stdout) });
  });
});

describe('an environment of Python', () => {
  const script = 'python x "$VIRTUAL_ENV" "$CONDA_PREFIX" "$CONDA_DEFAULT_ENV" "$FROM_SCRIPT" "$PYTHONHOME"';
  const printed = async (more: object): Promise<string> => {
    const env = { PYTHONHOME: '/elsewhere' };
    const spec = { command: ['sh', '-c', script], cwd: work, user: 'ada', gpus: 0, env, ...more };
    const { id } = await stint.client.jobs.submit(spec);
    await stint.untilOver(id);
    return (await stint.client.logs.read({ id })).text.trim();
  };

  it('is entered: its programs come first, and it is named', async () => {
    expect(await printed({ venv: join(work, 'venv') })).toBe(`venv x ${work}/venv`);
  });

  it('of conda’s is found by its name, with the scripts of its packages', async () => {
    expect(await printed({ conda: 'lab' })).toBe(`envs/lab x  ${work}/envs/lab lab yes /elsewhere`);
    const job = (await stint.client.jobs.list({ limit: 1 })).jobs[0]!;
    expect(job.conda).toBe(join(work, 'envs/lab'));
  });

  it('is one, and by an absolute path; a name that is none is refused', async () => {
    for (const [more, field] of [
      [{ venv: 'here' }, 'venv'],
      [{ conda: '../lab' }, 'conda'],
      [{ conda: 'nobody' }, 'conda'],
      [{ venv: '/a', conda: '/b' }, 'conda'],
      [{ venv: '/a:/b' }, 'venv'],
    ] as const) {
      await expect(stint.submit(['true'], more)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        data: { field },
      });
    }
  });
});

it('a script is told from the options of Python', () => {
  const scripts = [
    '-u a.py',
    '-W ignore a.py -c',
    '-m torch.distributed.run b.py',
    '-um a',
    '-c pass',
    '-',
    '',
    '-X dev',
  ];
  expect(scripts.map((line) => pythonScript(line.split(' ').filter(Boolean)))).toEqual([
    ...[{ file: 'a.py' }, { file: 'a.py' }, { module: 'torch.distributed.run' }, { module: 'a' }],
    ...[null, null, null, null],
  ]);
});
