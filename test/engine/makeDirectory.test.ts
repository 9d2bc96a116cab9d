import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { prepareHome } from '../../src/engine/home.ts';
import { makeDirectory } from '../../src/engine/makeDirectory.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'stint-directory-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

it('makes all that is missing, for its owner alone where that is asked, and nothing twice', () => {
  const path = join(place, 'a', 'b', 'c');
  makeDirectory(path, 0o700);
  makeDirectory(path, 0o755);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(place, 'a')).mode & 0o777).toBe(0o700);
  makeDirectory('/');
});

it('goes through a link to a directory, and not through one that leads nowhere', () => {
  symlinkSync(place, join(place, 'here'));
  makeDirectory(join(place, 'here', 'd'));
  expect(statSync(join(place, 'd')).isDirectory()).toBe(true);
  symlinkSync(join(place, 'gone'), join(place, 'nowhere'));
  expect(() => makeDirectory(join(place, 'nowhere', 'd'))).toThrow('EEXIST');
});

it('says so where a file is in the way', () => {
  writeFileSync(join(place, 'file'), '');
  expect(() => makeDirectory(join(place, 'file', 'd'))).toThrow('EEXIST: file already exists, mkdir');
});

// Node's own `recursive` tries for ever there.
it.skipIf(process.platform !== 'linux')('says so where none can be made', () => {
  expect(() => makeDirectory('/proc/stint/home')).toThrow('ENOENT');
  expect(() => prepareHome('/proc/stint/home')).toThrow(/data directory.*choose one that you may write to/);
});
