import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_DIFF_BYTES } from '../../src/domain/codeRecord.ts';
import { readCode } from '../../src/engine/code/readCode.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const SECRET = 'hf_abcdefghijklmnopqrstuvwxyz012345';
let home: string;
let place: string;
let stint: TestEngine;
beforeAll(async () => {
  home = temporaryHome();
  place = temporaryHome();
  stint = await startEngine({ home });
});
afterAll(async () => {
  await stint.engine.stop();
  for (const path of [home, place]) removeHome(path);
});

const git = (root: string, ...args: string[]): string =>
  execFileSync('git', ['-C', root, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    encoding: 'utf8',
  });

/** A repository on branch `main` with train.py committed, unless `commit` is false. */
function repository(name: string, commit = true): string {
  const root = join(place, name);
  mkdirSync(join(root, 'src'), { recursive: true });
  git(root, 'init', '-q', '-b', 'main');
  writeFileSync(join(root, 'train.py'), 'lr = 1\n');
  writeFileSync(join(root, '.gitignore'), 'data/\n');
  if (commit) {
    git(root, 'add', '.');
    git(root, 'commit', '-q', '-m', 'first');
  }
  return root;
}
const code = async (cwd: string, more = {}) => {
  const { id } = await stint.submit(['true'], { cwd, hold: true, ...more });
  return { id, ...(await stint.client.jobs.code({ id, diff: true })) };
};

describe('the code of a submission', () => {
  it('is recorded as git tells it, from any directory within, without secrets, once for the same', async () => {
    const root = repository('plain');
    const commit = git(root, 'rev-parse', 'HEAD').trim();
    expect(await code(join(root, 'src'))).toMatchObject({
      pending: false,
      record: { root, commit, branch: 'main', changed: 0, untracked: [], diffBytes: 0, trouble: null },
      diff: '',
    });
    writeFileSync(join(root, 'train.py'), `lr = 2\ntoken = "${SECRET}"\npin = "own-secret-of-the-job"\n`);
    writeFileSync(join(root, 'new ünï\nfile.py'), '');
    mkdirSync(join(root, 'data'));
    writeFileSync(join(root, 'data', 'ignored.bin'), '');
    const { id, record, diff } = await code(root, { env: { MY_TOKEN: 'own-secret-of-the-job' } });
    expect(record).toMatchObject({ commit, changed: 1, untracked: ['new ünï\nfile.py'], untrackedCount: 1 });
    expect(diff).toContain('-lr = 1\n+lr = 2\n');
    expect(diff).not.toMatch(/hf_abc|own-secret/);
    expect((await stint.client.jobs.code({ id })).diff).toBeNull();
    // What is committed since does not change what was.
    git(root, 'commit', '-q', '-a', '-m', 'second');
    expect((await stint.client.jobs.code({ id })).record).toEqual(record);
    git(root, 'checkout', '-q', '--detach');
    expect((await code(root)).record).toMatchObject({ branch: null, changed: 0 });
  });

  it('is one record for an array, and none where there is no repository', async () => {
    const cwd = repository('swept', false);
    const { ids } = await stint.client.arrays.submit({
      spec: { command: ['true'], cwd, user: 'tester', hold: true },
      members: [0, 1, 2].map((index) => ({ index, values: {} })),
    });
    const [first, , last] = await Promise.all(ids.map((id) => stint.client.jobs.code({ id })));
    expect(first!.record).toMatchObject({ commit: null, branch: 'main', untrackedCount: 2 });
    expect(last).toEqual(first);
    expect(await code(home)).toMatchObject({ pending: false, record: null, diff: null });
  });

  it('is made up by the next engine where one ended between the submission and the record', async () => {
    const cwd = repository('killed');
    const bin = join(place, 'slow');
    mkdirSync(bin);
    writeFileSync(join(bin, 'git'), '#!/bin/sh\nexec /bin/sleep 600\n');
    chmodSync(join(bin, 'git'), 0o755);
    const other = temporaryHome();
    const slow = await startEngine({
      home: other,
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    });
    const { id } = await slow.submit(['true'], { cwd, hold: true });
    const elsewhere = await slow.submit(['true'], { cwd: other, hold: true });
    await slow.engine.stop();
    const next = await startEngine({ home: other });
    const made = (of: number) =>
      eventually(
        () => next.client.jobs.code({ id: of }),
        ({ pending }) => !pending,
        'the record to be made',
      );
    expect((await made(id)).record).toMatchObject({ branch: 'main', changed: 0 });
    expect((await made(elsewhere.id)).record).toBeNull();
    await next.engine.stop();
    // Nothing is left to be made up.
    const db = openDatabase(join(other, 'stint.db'));
    expect(db.prepare('SELECT count(*) FROM code_due').pluck().get()).toBe(0);
    db.close();
    removeHome(other);
  });

  it('is cut where it is long, and names its trouble where git is slow, missing or broken', async () => {
    const root = repository('odd');
    writeFileSync(join(root, 'train.py'), `${'x = 1\n'.repeat(MOST_DIFF_BYTES / 4)}`);
    const cut = await code(root);
    expect(cut.record).toMatchObject({ diffCut: true, changed: 1 });
    expect(cut.diff!.length).toBeLessThanOrEqual(MOST_DIFF_BYTES);
    expect(cut.diff!.endsWith('\n')).toBe(true);

    const { signal } = new AbortController();
    const bin = join(place, 'bin');
    mkdirSync(bin);
    const without = await readCode(root, { PATH: bin, HOME: home }, 5000, signal);
    expect(without).toMatchObject({ record: { trouble: 'git is not installed', commit: null }, diff: '' });
    writeFileSync(join(bin, 'git'), '#!/bin/sh\n/bin/sleep 600 &\nwait\n');
    chmodSync(join(bin, 'git'), 0o755);
    const slow = await readCode(root, { PATH: bin, HOME: home }, 300, signal);
    expect(slow).toMatchObject({ record: { trouble: 'git took too long' } });
    writeFileSync(join(root, '.git', 'HEAD'), 'nonsense');
    expect((await code(root)).record!.trouble).toMatch(/not a git repository/);
    expect(stint.complaints).toEqual([]);
  });
});
