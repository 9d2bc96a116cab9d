import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.js');
/** Says which packages are loaded. */
const LISTENING = `import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) {
  const found = next(name, context);
  const [, folder] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url) ?? [];
  if (folder) process._rawDebug('loaded ' + folder);
  return found;
} })`;

it.each([
  [['submit', '--dry-run', '--gpus', '2', '--', 'true']],
  [['ls', '--data', join(import.meta.dirname, 'nowhere')]],
  [['wait', '1', '--data', join(import.meta.dirname, 'nowhere')]],
])('is as short as can be: %s loads no schemas', (args) => {
  const preload = `data:text/javascript,${encodeURIComponent(LISTENING)}`;
  const { stderr, status } = spawnSync(process.execPath, ['--import', preload, MAIN, ...args], {
    encoding: 'utf8',
  });
  expect(status).toBe(args[0] === 'submit' ? 0 : 3);
  const loaded = new Set(stderr.split('\n').flatMap((line) => /^loaded (\S+)/.exec(line)?.[1] ?? []));
  expect(loaded).toContain('commander');
  expect([...loaded].filter((name) => /^(zod|@orpc\/(server|contract|zod|openapi))$/.test(name))).toEqual([]);
});
