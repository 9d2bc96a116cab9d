import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT } from '../lib/run.ts';
import type { Figure } from './measure.ts';

/** What a browser fetches of the console's JavaScript: for the first view, and in all; compressed, as of the present build. */
export function consoleSize(): Figure[] {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts'), '--if-stale'], { stdio: 'ignore' });
  const at = join(ROOT, 'out', 'renderer');
  const page = readFileSync(join(at, 'index.html'), 'utf8');
  const first = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path!);
  const all = readdirSync(join(at, 'assets'))
    .filter((name) => name.endsWith('.js'))
    .map((name) => `assets/${name}`);
  const kilobytes = (paths: readonly string[]): number =>
    paths.reduce((sum, path) => sum + gzipSync(readFileSync(join(at, path))).length, 0) / 1000;
  const how = 'gzip of the built files; the page names those of the first view';
  return [
    {
      what: 'JavaScript of the first view, compressed',
      unit: 'kB',
      values: [kilobytes(first)],
      target: { limit: 350, better: 'less' },
      how,
    },
    { what: 'JavaScript of all views', unit: 'kB', values: [kilobytes(all)], target: null, how },
  ];
}
