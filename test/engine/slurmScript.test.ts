import { lstatSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outputPathOf } from '../../src/domain/outputPath.ts';
import { serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { commandLineOf } from '../headless/commandHarness.ts';
import { recordingLog } from '../headless/fakeRouter.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let work: string;
let stint: TestEngine;
let socket: Awaited<ReturnType<typeof serveLocalSocket>>;

beforeAll(async () => {
  home = realpathSync(temporaryHome());
  work = join(home, 'work');
  mkdirSync(work);
  stint = await startEngine({ home });
  socket = await serveLocalSocket({ home, router: stint.engine.router, log: recordingLog(), env: {} });
});
afterAll(async () => {
  await socket.close();
  await stint.engine.stop();
  removeHome(home);
});

const text = (file: string) => readFileSync(join(work, file), 'utf8');

describe('the output of a job', () => {
  it('is found where the job wants it, each attempt in place of the one before', async () => {
    const job = await stint.submit(['sh', '-c', 'echo attempt $STINT_ATTEMPT; echo trouble >&2'], {
      outputPath: join(work, 'deep/er/%x-%3j.out'),
      name: 'a/b',
    });
    await stint.untilOver(job.id);
    const file = `deep/er/a_b-${String(job.id).padStart(3, '0')}.out`;
    expect(text(file)).toBe('attempt 1\ntrouble\n');
    await stint.client.jobs.retry({ id: job.id });
    await stint.untilOver(job.id);
    expect(text(file)).toBe('attempt 2\ntrouble\n');
    // The first attempt keeps its own log.
    expect((await stint.client.logs.read({ id: job.id, attempt: 1 })).text).toBe('attempt 1\ntrouble\n');
  });

  it('never replaces what is no file, follows no link, and says what cannot be done', async () => {
    const quiet = await stint.submit(['echo', 'hello'], { outputPath: '/dev/null' });
    await stint.untilOver(quiet.id);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    writeFileSync(join(work, 'precious'), 'precious');
    symlinkSync('precious', join(work, 'link'));
    const linked = await stint.submit(['echo', 'hello'], { outputPath: join(work, 'link') });
    await stint.untilOver(linked.id);
    expect([text('precious'), text('link')]).toEqual(['precious', 'hello\n']);
    const onDirectory = await stint.submit(['echo', 'hello'], { outputPath: work });
    expect(await stint.untilOver(onDirectory.id)).toMatchObject({ status: 'succeeded' });
    expect((await stint.client.logs.read({ id: onDirectory.id })).text).toBe(
      `stint: the output cannot be put at ${work}: a directory is there\nhello\n`,
    );
  });

  // Node's own way to make it would never come back, and stop the engine for good.
  it.skipIf(process.platform !== 'linux')('stops nothing where it can never be', async () => {
    const nowhere = await stint.submit(['echo', 'hello'], { outputPath: '/proc/stint/out.log' });
    expect(await stint.untilOver(nowhere.id)).toMatchObject({ status: 'succeeded' });
    expect((await stint.client.logs.read({ id: nowhere.id })).text).toMatch(
      /^stint: the output cannot be put at \/proc\/stint\/out\.log: ENOENT.*\nhello\n$/,
    );
  });

  it.each(['relative/path', '/ends/in/', ''])('is refused at %j', async (outputPath) => {
    await expect(stint.submit(['true'], { outputPath })).rejects.toMatchObject({
      data: { field: 'outputPath' },
    });
  });

  it('knows the words of Slurm', () => {
    const job = { id: 12, name: 'x', user: 'ada', array: null };
    expect(outputPathOf({ ...job, outputPath: '/%j-%A-%a-%u-%N-%%-%q' }, 'box')).toBe(
      '/12-12-0-ada-box-%-%q',
    );
  });
});

it('runs a Slurm script with what its lines ask for', async () => {
  writeFileSync(
    join(work, 'job.sh'),
    `#!/bin/sh
#SBATCH --gres=gpu:1 --array=3,5 --output=%A_%a.out --chdir=${work}
echo "$SLURM_JOB_NAME task $SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_TASK_COUNT, $1, $SLURM_GPUS_ON_NODE gpu"
test "$SLURM_ARRAY_JOB_ID" = "$STINT_ARRAY_ID" && test "$SLURM_JOB_ID" = "$STINT_JOB_ID" || exit 9
`,
  );
  const run = commandLineOf(() => home);
  const sent = await run('sbatch', '--parsable', '-p', 'gpu', join(work, 'job.sh'), 'fast');
  expect(sent).toMatchObject({
    status: 0,
    stderr: 'stint: without meaning here: --partition=gpu (there is one machine)\n',
  });
  const id = Number(sent.stdout);
  expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', gpus: 1 });
  expect(await stint.untilOver(id + 1)).toMatchObject({ status: 'succeeded' });
  expect([text(`${id}_3.out`), text(`${id}_5.out`)]).toEqual([
    'job.sh task 3 of 2, fast, 1 gpu\n',
    'job.sh task 5 of 2, fast, 1 gpu\n',
  ]);
  const wrapped = await run('sbatch', '-J', 'quick', '--wrap', 'echo $SLURM_SUBMIT_DIR $0');
  expect(wrapped.stdout).toMatch(/^Submitted batch job \d+\n$/);
  const job = await stint.untilOver(id + 2);
  expect(job).toMatchObject({
    name: 'quick',
    gpus: 0,
    command: ['/bin/sh', '-c', 'echo $SLURM_SUBMIT_DIR $0'],
  });
  expect(await run('sbatch', join(work, 'none.sh'))).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^stint: script: .*none\.sh.* give a script that exists/),
  });
});
