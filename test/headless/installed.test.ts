import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ran, run } from './commandHarness.ts';
import { until } from './until.ts';

const ROOT = resolve(import.meta.dirname, '../..');
interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
const COMMAND = 'stint';
const MANIFEST = manifestOf(ROOT);
const DEADLINE_MS = 240_000;

let dir: string;
let home: string;
/** Where npm put the package. */
let place: string;
/** A person's environment: the package's command first, then Node; nothing of the checkout, and nothing of npm's. */
let env: NodeJS.ProcessEnv;

const stint = (...args: string[]): Promise<Ran> => run(COMMAND, args, env, dir);
async function answer(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await stint(...args);
  expect([args.join(' '), status, stderr]).toEqual([args.join(' '), 0, '']);
  return stdout;
}
async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run('npm', args, env, cwd);
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'stint-installed-'));
  home = join(dir, 'home');
  const prefix = join(dir, 'prefix');
  place = join(prefix, 'lib/node_modules/stint');
  const rest = Object.entries(process.env).filter(([name]) => !/^(npm_|STINT_|NODE_)/i.test(name));
  env = {
    ...Object.fromEntries(rest),
    PATH: [join(prefix, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
    STINT_HOME: home,
  };
  // Its `prepare` builds what is old.
  await npm(ROOT, 'pack', '--pack-destination', dir);
  const tarball = join(dir, `stint-${MANIFEST.version}.tgz`);
  mkdirSync(prefix);
  // Much of it is in npm's cache, since `npm ci` was here.
  await npm(dir, 'install', '--global', '--prefix', prefix, '--prefer-offline', tarball);
}, DEADLINE_MS);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('an installation from the tarball', () => {
  it('has what it runs on, and nothing of the development', () => {
    for (const name of ['src', 'test', 'scripts', 'node_modules/electron', 'node_modules/vite']) {
      expect([name, existsSync(join(place, name))]).toEqual([name, false]);
    }
    // The versions that the other tests ran with.
    for (const [name, version] of Object.entries(MANIFEST.dependencies)) {
      const { version: found } = manifestOf(join(place, 'node_modules', name));
      expect([name, version, found]).toEqual([
        name,
        found,
        manifestOf(join(ROOT, 'node_modules', name)).version,
      ]);
    }
  });

  it(
    'runs the command line and the headless host, with every process that it starts',
    async () => {
      const engine = spawn(COMMAND, ['serve', '--json', '--devices', 'virtual:2'], { cwd: dir, env });
      let said = '';
      engine.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise<void>((done) => engine.once('close', () => done()));
      try {
        const first = new Promise<string>((line) =>
          createInterface({ input: engine.stdout }).once('line', line),
        );
        const { url } = JSON.parse(
          await Promise.race([first, ended.then(() => Promise.reject(new Error(said)))]),
        ) as { url: string };
        // The console, from the package.
        const page = await (await fetch(new URL('/', url))).text();
        const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? 'none';
        expect((await fetch(new URL(script, url))).status).toBe(200);

        expect(await answer('submit', '--', 'echo', 'from the package')).toBe('1\n');
        await answer('wait', '1');
        expect(await answer('logs', '1')).toBe('from the package\n');

        // Its process is started by the first decision in which there was a choice; an array gives one or two.
        await until(
          async () => {
            await answer('submit', '--array', '0-5', '--', 'true');
            const { scheduler } = JSON.parse(await answer('status', '--json')) as {
              scheduler: { learner: { state: string; trouble: string | null } };
            };
            expect(scheduler.learner.trouble).toBeNull();
            return scheduler.learner.state === 'learning';
          },
          'the learner is there',
          90_000,
        );
        expect(await answer('doctor', '--all')).toContain(place);
      } finally {
        engine.kill('SIGTERM');
        await ended;
      }
      expect(said).toBe('');
    },
    DEADLINE_MS,
  );

  it('has its pages, its weights, its threads, and what others install from it', async () => {
    expect(await answer('help', 'goals')).toContain('Usage: stint goals');
    expect(await answer('help', 'security')).toContain('Security');
    expect(await answer('completion', 'bash')).toContain('_stint');
    const trace = join(dir, 'trace.csv');
    const invented = await stint('generate', '--preset', 'workstation', '--jobs', '30', '-o', trace);
    expect([invented.status, invented.stderr]).toEqual([0, expect.stringContaining('30 jobs')]);
    expect(await answer('simulate', trace, '--gpus', '2', '--policy', 'dqn,aged')).toMatch(/^dqn .*\naged /m);
    expect(existsSync(join(place, 'resources/python/pyproject.toml'))).toBe(true);
    expect(existsSync(join(place, 'resources/grafana/stint.json'))).toBe(true);
  });

  it('is told by an older Node which one it needs, before anything else', async () => {
    // As the older Node would see itself; the rest of it is the real one.
    const preload = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })";
    const { status, stdout, stderr } = await run(
      process.execPath,
      [
        '--import',
        `data:text/javascript,${encodeURIComponent(preload)}`,
        join(place, 'out/cli/bin.js'),
        'ls',
      ],
      env,
    );
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^stint: this is Node 20\.20\.2 .* needs Node 22 or newer/);
  });
});
