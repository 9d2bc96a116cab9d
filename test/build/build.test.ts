import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { Script } from 'node:vm';
import { parseAst } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  main: string;
  dependencies: Record<string, string>;
};
/** A package of its own, with the real resources, inside the real one, where packages are found. */
let place: string;
let out: string;
let report: string;

beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  place = mkdtempSync(join(root, '.cache', 'build-test-'));
  for (const name of ['package.json', 'resources']) symlinkSync(join(root, name), join(place, name));
  out = join(place, 'out');
  report = node(join(root, 'scripts', 'build.ts'));
}, 180_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('the build', () => {
  it('says one line a stage and nothing else', () => {
    expect(report.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^built main in [\d.]+ s$/),
      expect.stringMatching(/^built preload in [\d.]+ s$/),
      expect.stringMatching(/^built renderer in [\d.]+ s$/),
    ]);
  });

  it('is not repeated while nothing has changed', () => {
    expect(node(join(root, 'scripts', 'build.ts'), '--if-stale')).toBe('');
  });

  it('makes every file that is started by its name', () => {
    for (const file of [
      relative(join(root, 'out'), join(root, manifest.main)),
      'preload/index.cjs',
      'renderer/index.html',
      'headless/main.js',
      'cli/bin.js',
      'cli/main.js',
      'learning/worker.js',
      'lab/worker.js',
      'lab/train/trainingWorker.js',
      'lab/gate/gateProcess.js',
      'engine/devices/nvmlChild.js',
      'engine/control/dutyChild.js',
      'engine/forecast/forecastProcess.js',
      'lab/preview/previewProcess.js',
      'lab/replay/replayProcess.js',
    ]) {
      expect([file, statSync(join(out, file)).size > 0]).toEqual([file, true]);
    }
  });

  it('has what starts such a file look where its module would lie', () => {
    const places = modules().flatMap(({ file, code }) =>
      [...code.matchAll(/new URL\("([^"]+)", import\.meta\.url\)\.href/g)].map(([, path = '']) =>
        join(dirname(file), path),
      ),
    );
    const sources = places.map((place) => place.replace(/\.js$/, '.ts'));
    expect(sources.filter((source) => !existsSync(join(root, 'src', source)))).toEqual([]);
    const looking = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') &&
        /[^`]import\.meta\.url[^`]/.test(readFileSync(join(root, 'src', file), 'utf8')),
    );
    expect([...new Set(sources)].sort()).toEqual(expect.arrayContaining(looking.sort()));
    expect(looking).toContain(join('engine', 'control', 'throttles.ts'));
    expect(modules().filter(({ code }) => code.includes('placeOfModule'))).toEqual([]);
  });

  it('makes the preload one CommonJS file that requires electron alone', () => {
    expect(readdirSync(join(out, 'preload'))).toEqual(['index.cjs']);
    const code = readFileSync(join(out, 'preload/index.cjs'), 'utf8');
    // Throws on a module's import and export.
    new Script(`(function (require, module, exports) {${code}\n})`);
    const required = [...code.matchAll(/\brequire\(\s*["'`]([^"'`]*)["'`]\s*\)/g)].map(([, name]) => name);
    expect(required).toEqual(['electron']);
    expect(code).not.toMatch(/\bimport\s*\(/);
  });

  it('leaves outside what needs its own files, and bundles all other packages with their licences', () => {
    const outside = new Set(modules().flatMap(({ imports }) => imports.map(packageName)));
    for (const none of [null, 'electron']) outside.delete(none);
    expect([...outside].sort()).toEqual([
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-layers',
      'better-sqlite3',
      'koffi',
      'systeminformation',
    ]);
    expect([...outside].filter((name) => !(name! in manifest.dependencies))).toEqual([]);
    for (const [file, name] of [
      ['licenses.md', 'zod'],
      ['renderer/licenses.md', 'react'],
    ] as const) {
      const [, ...licences] = readFileSync(join(out, file), 'utf8').split(/^## /m);
      expect(licences.map((licence) => licence.split(' - ')[0])).toContain(name);
      // A heading alone is no licence.
      expect(licences.filter((licence) => licence.split('\n').slice(1).join('').trim() === '')).toEqual([]);
    }
  });

  it('lets only the main process know Electron', () => {
    const knowing = modules().filter(({ imports }) => imports.includes('electron'));
    expect(knowing.map(({ file }) => dirname(file)).filter((folder) => folder !== 'main')).toEqual([]);
    expect(knowing.map(({ file }) => file)).toContain('main/index.js');
  });

  it('has every module that another one imports', () => {
    const missing = modules().flatMap(({ file, imports }) =>
      imports.filter((name) => name.startsWith('.') && !existsSync(join(out, dirname(file), name))),
    );
    expect(missing).toEqual([]);
  });

  it('makes a page that its own content security policy allows', () => {
    const html = readFileSync(join(out, 'renderer/index.html'), 'utf8');
    const scripts = [...html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, attributes = '', body = ''] of scripts) {
      expect(body.trim()).toBe('');
      const source = /\bsrc="([^"]+)"/.exec(attributes)?.[1] ?? '';
      expect(statSync(join(out, 'renderer', source)).size).toBeGreaterThan(0);
    }
    expect(html).not.toMatch(/\son[a-z]+\s*=/i);
    expect(html).not.toMatch(/javascript:/i);
    // Nothing may come from anywhere else.
    expect(html).not.toMatch(/\b(?:src|href)="(?:[a-z]+:)?\/\//i);
  });

  it('makes a command line that runs', () => {
    expect(node(join(out, 'cli/main.js'), '--help')).toContain('stint submit');
  });
});

interface Module {
  /** From the build's folder. */
  readonly file: string;
  readonly code: string;
  readonly imports: readonly string[];
}

/** The modules that run in Node, with what they import. */
function modules(): Module[] {
  read ??= readdirSync(out, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && !file.startsWith('renderer'))
    .map((file) => ({ file, code: readFileSync(join(out, file), 'utf8') }))
    .map((module) => ({ ...module, imports: importsOf(module.code) }));
  return read;
}

let read: Module[] | undefined;

function importsOf(code: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const each of node) visit(each);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    const { type, source } = node as { type?: string; source?: { value?: unknown } | null };
    if (type && /^(?:Import|Export)/.test(type) && typeof source?.value === 'string')
      found.push(source.value);
    for (const value of Object.values(node)) visit(value);
  };
  visit(parseAst(code).body);
  return found;
}

/** null: part of Node, or of this project. */
function packageName(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return builtinModules.includes(name) ? null : name;
}

function node(...args: readonly string[]): string {
  return execFileSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, STINT_BUILD_DIR: out, NODE_OPTIONS: '' },
  });
}
