import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BackupEntry, type BackupHead, backupBytes } from '../../src/engine/backup/backupFormat.ts';
import { restoreBackup } from '../../src/engine/backup/restoreBackup.ts';
import { writeBackup } from '../../src/engine/backup/writeBackup.ts';
import { SCHEMA_VERSION } from '../../src/engine/store/database.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let root: string;
let home: string;
let file: string;
let stint: TestEngine;

beforeAll(async () => {
  root = temporaryHome();
  home = join(root, 'home');
  file = join(root, 'all.backup');
  stint = await startEngine({ home });
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(root);
});

const everything = async (of: TestEngine) => ({
  // What is left to run is a guess, and changes with the time.
  jobs: (await of.client.jobs.list({})).jobs.map((job) => ({ ...job, remaining: null })),
  events: await of.client.jobs.events({ id: 1 }),
  tokens: await of.client.tokens.list(),
  rules: await of.client.notify.list(),
  settings: await of.client.settings.get(),
});

describe('a backup', () => {
  it('taken while an engine works becomes the same engine elsewhere', async () => {
    const job = await stint.submit(
      ['sh', '-c', 'echo output; echo saved > "$STINT_CHECKPOINT_DIR/a b"; exit 3'],
      {
        gpus: 0,
      },
    );
    await stint.untilOver(job.id);
    await stint.client.jobs.retry({ id: job.id });
    await stint.untilOver(job.id);
    const waits = await stint.submit(['true'], { hold: true });
    await stint.client.tokens.create({ name: 'script', scope: 'read' });
    await stint.client.settings.set({ rules: { diskFloorMib: 7 } });
    const target = { kind: 'webhook' as const, url: 'http://127.0.0.1:1/x', secret: 'hush' };
    await stint.client.notify.add({ name: 'ci', on: ['gpu-lost'], target });
    symlinkSync('a b', join(home, 'jobs/1/checkpoint/latest'));
    // What a launch leaves that the database does not know of yet would keep that launch from happening.
    mkdirSync(join(home, 'jobs', String(waits.id), '1', 'claim'), { recursive: true });

    expect(await writeBackup(home, file, { checkpoints: true })).toMatchObject({ jobs: 2 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect([`${file}.partial`, `${file}.database`].filter((path) => existsSync(path))).toEqual([]);

    const copy = join(root, 'deep/er/copy');
    expect(await restoreBackup(file, copy)).toMatchObject({ jobs: 2, schema: SCHEMA_VERSION, home });
    expect(statSync(copy).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(copy, 'jobs/1/checkpoint/a b'), 'utf8')).toBe('saved\n');
    expect(readlinkSync(join(copy, 'jobs/1/checkpoint/latest'))).toBe('a b');
    expect(statSync(join(copy, 'jobs/1/2/exit')).mtimeMs).toBeCloseTo(
      statSync(join(home, 'jobs/1/2/exit')).mtimeMs,
      -1,
    );
    expect(statSync(join(copy, 'notify/ci.json')).mode & 0o777).toBe(0o600);
    const again = await startEngine({ home: copy });
    try {
      expect(await everything(again)).toEqual(await everything(stint));
      expect((await again.client.logs.read({ id: 1, attempt: 1 })).text).toBe('output\n');
      await again.client.jobs.release({ id: waits.id });
      expect(await again.untilOver(waits.id)).toMatchObject({ status: 'succeeded' });
    } finally {
      await again.engine.stop();
    }
  });

  it('may leave out checkpoints', async () => {
    const small = join(root, 'small.backup');
    await writeBackup(home, small, { checkpoints: false });
    await restoreBackup(small, join(root, 'small'));
    expect(existsSync(join(root, 'small/jobs/1/1/output.log'))).toBe(true);
    expect(existsSync(join(root, 'small/jobs/1/checkpoint'))).toBe(false);
  });

  it('replaces no file, and goes into no data directory', async () => {
    const before = readFileSync(file);
    await expect(writeBackup(home, file, { checkpoints: true })).rejects.toThrow(/not there yet/);
    expect(readFileSync(file).equals(before)).toBe(true);
    await expect(writeBackup(home, join(home, 'x'), { checkpoints: true })).rejects.toThrow(/somewhere else/);
    await expect(writeBackup(join(root, 'none'), join(root, 'y'), { checkpoints: true })).rejects.toThrow(
      /nothing to back up/,
    );
    expect(existsSync(join(root, 'y'))).toBe(false);
  });
});

describe('what is refused, with nothing changed', () => {
  const target = () => join(root, 'refused');
  const refused = async (bytes: Buffer, message: RegExp): Promise<void> => {
    const bad = join(root, 'bad.backup');
    writeFileSync(bad, bytes);
    await expect(restoreBackup(bad, target())).rejects.toThrow(message);
    expect([target(), `${target()}.restoring`].filter((path) => existsSync(path))).toEqual([]);
    rmSync(bad);
  };
  const head = (): BackupHead =>
    JSON.parse(gunzipSync(readFileSync(file)).toString('utf8').split('\n')[0]!) as BackupHead;
  const made = async (over: Partial<BackupHead>, entries: BackupEntry[] = []): Promise<Buffer> => {
    async function* all() {
      for (const entry of entries) {
        const bytes = entry.type === 'file' ? Readable.from([Buffer.alloc(entry.size, 'x')]) : null;
        yield { entry, bytes: bytes as AsyncIterable<Buffer> | null };
      }
    }
    const pieces: Buffer[] = [];
    for await (const piece of backupBytes({ ...head(), ...over }, all())) pieces.push(piece);
    return gzipSync(Buffer.concat(pieces));
  };

  it('a file that is cut off, changed, or something else', async () => {
    const whole = readFileSync(file);
    await refused(whole.subarray(0, whole.length >> 1), /damaged or cut off/);
    const plain = gunzipSync(whole);
    plain[plain.indexOf('output\n')]! ^= 1;
    await refused(gzipSync(plain), /damaged/);
    await refused(Buffer.from('hello'), /damaged or cut off/);
    await refused(gzipSync(Buffer.from('{"a":1}\n')), /no backup of Stint/);
    await expect(restoreBackup(join(root, 'nowhere'), target())).rejects.toThrow(/ENOENT/);
  });

  it('one of a newer Stint', async () => {
    await refused(
      await made({ schema: SCHEMA_VERSION + 1, version: '9.9.9' }),
      /newer Stint \(9\.9\.9, schema/,
    );
    await refused(await made({ format: 2, version: '9.9.9' }), /newer Stint/);
  });

  it.each(['../out', '/etc/x', 'a/../../b', 'a//b', './a'])(
    'one that leads out of its directory: %s',
    async (path) => {
      const entry: BackupEntry = { type: 'file', path, mode: 0o644, size: 1, mtimeMs: 0 };
      await refused(await made({}, [entry]), /damaged/);
    },
  );

  it('one that writes through its own link', async () => {
    const outside = join(root, 'outside');
    mkdirSync(outside);
    const entries: BackupEntry[] = [
      { type: 'link', path: 'jobs', mode: 0o777, to: outside },
      { type: 'file', path: 'jobs/x', mode: 0o644, size: 1, mtimeMs: 0 },
    ];
    await refused(await made({}, entries), /ENOENT/);
    expect(existsSync(join(outside, 'x'))).toBe(false);
  });

  it('one whose jobs still run here', async () => {
    await refused(await made({ live: [4, 5] }), /jobs 4, 5 ran when it was made, on this machine/);
  });

  it('a directory that is not empty', async () => {
    mkdirSync(target());
    appendFileSync(join(target(), 'mine'), 'mine');
    await expect(restoreBackup(file, target())).rejects.toThrow(/not empty/);
    expect(readFileSync(join(target(), 'mine'), 'utf8')).toBe('mine');
    rmSync(target(), { recursive: true });
  });
});
