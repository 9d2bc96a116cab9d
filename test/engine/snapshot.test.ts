import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listTree, MOST_BYTES } from '../../src/engine/code/copyTree.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let root: string;
let stint: TestEngine;
beforeAll(async () => {
  home = temporaryHome();
  root = temporaryHome();
  mkdirSync(join(root, 'src'));
  mkdirSync(join(root, 'data'));
  execFileSync('git', ['-C', root, 'init', '-q']);
  writeFileSync(join(root, '.gitignore'), 'data/\n__pycache__/\n');
  writeFileSync(join(root, 'lib.txt'), 'lib 1\n');
  writeFileSync(join(root, 'data', 'set.txt'), 'data 1\n');
  writeFileSync(
    join(root, 'src', 'run.sh'),
    'echo run 1; cat ../lib.txt ../data/set.txt; echo made >> made.txt; echo $STINT_SUBMIT_DIR',
  );
  execFileSync('git', ['-C', root, 'add', '.']);
  // Neither of these is committed: what runs is what lies there.
  writeFileSync(join(root, 'src', 'new.txt'), 'not added\n');
  mkdirSync(join(root, '__pycache__'));
  // Nothing but what is ignored, so that git lists both.
  mkdirSync(join(root, 'env', 'data'), { recursive: true });
  writeFileSync(join(root, 'env', 'data', 'set.txt'), 'data\n');
  stint = await startEngine({ home });
});
afterAll(async () => {
  await stint.engine.stop();
  for (const path of [home, root]) removeHome(path);
});

const copies = (): string[] =>
  existsSync(join(home, 'snapshots')) ? readdirSync(join(home, 'snapshots')) : [];
const logOf = async (id: number, attempt: number): Promise<string> =>
  (await stint.client.logs.read({ id, attempt })).text;

it('runs from the code as it was, at every attempt, with what git ignores where it is', async () => {
  const cwd = join(root, 'src');
  const { id } = await stint.submit(['sh', 'run.sh'], { cwd, gpus: 0, hold: true, snapshot: true });
  const { snapshot } = await stint.client.jobs.code({ id });
  expect(readdirSync(snapshot!).sort()).toEqual(['.gitignore', 'data', 'env', 'lib.txt', 'src']);
  expect(readFileSync(join(snapshot!, 'src', 'new.txt'), 'utf8')).toBe('not added\n');
  writeFileSync(join(root, 'src', 'run.sh'), 'echo run 2; exit 1');
  rmSync(join(root, 'lib.txt'));
  writeFileSync(join(root, 'data', 'set.txt'), 'data 2\n');
  await stint.client.jobs.release({ id });
  expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', cwd });
  const said = `run 1\nlib 1\ndata 2\n${cwd}\n`;
  expect(await logOf(id, 1)).toBe(said);
  await stint.client.jobs.retry({ id });
  await stint.untilOver(id);
  expect(await logOf(id, 2)).toBe(said);
  expect(existsSync(join(cwd, 'made.txt'))).toBe(false);

  // What it wrote there outlives the copy, and the original is not touched through the links.
  const cleaned = await stint.client.storage.clean({
    endedBeforeMs: Date.now() + 3_600_000,
    dryRun: false,
    logs: false,
  });
  expect(cleaned.parts.map(({ what }) => what)).toEqual(['snapshots']);
  expect(readFileSync(join(snapshot!, 'src', 'made.txt'), 'utf8')).toBe('made\nmade\n');
  expect(readdirSync(snapshot!, { recursive: true }).sort()).toEqual(['src', 'src/made.txt']);
  expect(readFileSync(join(root, 'data', 'set.txt'), 'utf8')).toBe('data 2\n');
  await expect(stint.client.jobs.retry({ id })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('is not kept any more'),
  });
  expect((await stint.client.jobs.get({ id })).status).toBe('succeeded');
});

it('is one copy for an array, and leaves nothing where the submission comes to nothing', async () => {
  const before = copies();
  const plain = join(home, 'plain');
  mkdirSync(plain);
  writeFileSync(join(plain, 'what.txt'), 'of no repository\n');
  const spec = { command: ['cat', 'what.txt'], cwd: plain, user: 'tester', gpus: 0, snapshot: true };
  const members = [0, 1].map((index) => ({ index, values: {} }));
  const { id, ids } = await stint.client.arrays.submit({ spec, members });
  for (const one of ids) expect(await stint.untilOver(one)).toMatchObject({ status: 'succeeded' });
  expect(await logOf(ids[1]!, 1)).toBe('of no repository\n');
  const kept = [...before, String(id)].sort();
  expect(copies().sort()).toEqual(kept);

  const refused = (more: object) => stint.client.jobs.submit({ ...spec, ...more });
  await expect(refused({ command: ['cat', join(plain, 'what.txt')] })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    data: { field: 'command' },
  });
  await expect(refused({ cwd: join(home, 'nowhere') })).rejects.toMatchObject({
    data: { field: 'snapshot' },
  });
  await expect(refused({ after: [{ jobId: 999, on: 'ok' }] })).rejects.toMatchObject({
    data: { field: 'after' },
  });
  await stint.client.settings.set({ rules: { diskFloorMib: 2 ** 40 } });
  await expect(refused({})).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('would stay free'),
  });
  await stint.client.settings.set({ rules: { diskFloorMib: null } });
  expect(copies().sort()).toEqual(kept);

  // What a death left: a copy half made, and one whose submission was never recorded.
  await stint.engine.stop();
  for (const name of ['new-half', '777'])
    mkdirSync(join(home, 'snapshots', name, 'tree'), { recursive: true });
  stint = await startEngine({ home });
  await eventually(copies, (names) => names.length === kept.length, 'what no job has to be removed');
  expect(copies().sort()).toEqual(kept);
  expect(stint.complaints).toEqual([]);
});

it('is refused where it would be too much, in a repository and in none, with nothing left behind', async () => {
  const before = copies();
  const big = temporaryHome();
  // Of 2 GiB and a byte, of which the disk holds nothing.
  writeFileSync(join(big, 'big.bin'), '');
  truncateSync(join(big, 'big.bin'), MOST_BYTES + 1);
  const spec = { command: ['true'], cwd: big, user: 'tester', gpus: 0, snapshot: true };
  const refused = {
    code: 'BAD_REQUEST',
    message: expect.stringMatching(/more than 50000 files or 2 GiB: have git ignore what is no code/),
    data: { field: 'snapshot' },
  };
  const { total } = await stint.client.jobs.list({});
  await expect(stint.client.jobs.submit(spec)).rejects.toMatchObject(refused);
  execFileSync('git', ['-C', big, 'init', '-q']);
  await expect(stint.client.jobs.submit(spec)).rejects.toMatchObject(refused);
  expect((await stint.client.jobs.list({})).total).toBe(total);
  // As large as it may be, and ignored, it is neither copied nor in the way.
  writeFileSync(join(big, '.gitignore'), '*.bin\n');
  const { id } = await stint.client.jobs.submit(spec);
  expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded' });
  expect(copies().sort()).toEqual([...before, String(id)].sort());
  // The number of files, by less of them.
  const { signal } = new AbortController();
  const listed = (files: number) => listTree(root, true, process.env, signal, { files, bytes: MOST_BYTES });
  const { files } = (await listed(1000))!;
  expect(files.length).toBeGreaterThan(2);
  expect(await listed(files.length)).not.toBeNull();
  expect(await listed(files.length - 1)).toBeNull();
  removeHome(big);
});
