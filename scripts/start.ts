/**
 * `npm start [-- FLAGS]`: builds what is old, then opens the desktop; without a display or without Electron's
 * binary it says so in one line, starts the headless host and prints the console's address.
 *
 * FLAGS: `--data DIR`, `--devices SPEC`, `--policy NAME` as for `stint serve`; `--no-sandbox` for Electron as root
 * on Linux; any other is refused.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/domain/errors.ts';
import { parseDesktopFlags } from '../src/main/commandLine.ts';
import { findElectron, missingDisplay } from './lib/electronBinary.ts';

const root = resolve(import.meta.dirname, '..');
const INSTALL_LIMIT_MS = 120_000;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** The child that is running now; signals go to it. */
let current: ChildProcess | null = null;
let signalled = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    signalled = true;
    current?.kill(signal);
  });
}

/** Runs a program to its end. @returns its exit status; 1 if it was killed or could not be started. */
async function run(file: string, args: readonly string[], limitMs?: number): Promise<number> {
  const child = spawn(file, [...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    ...(limitMs !== undefined && { timeout: limitMs, killSignal: 'SIGTERM' as const }),
  });
  current = child;
  const code = await new Promise<number | null>((settle) => {
    child.once('error', (error) => {
      say(`${file} could not be started: ${error.message}`);
      settle(1);
    });
    child.once('exit', settle);
  });
  current = null;
  return code ?? 1;
}

/** The executable to open a window with, or why there will be none. */
async function chooseElectron(noSandbox: boolean): Promise<{ path: string } | { reason: string }> {
  const display = missingDisplay();
  if (display !== null) return { reason: display };
  if (process.platform === 'linux' && process.getuid?.() === 0 && !noSandbox) {
    return { reason: "Electron's sandbox does not work as root (give --no-sandbox to do without it)" };
  }
  let { path, lookedIn } = findElectron(root);
  if (path === null && process.env.ELECTRON_OVERRIDE_DIST_PATH === undefined) {
    say(`Fetching Electron's binary, once, for at most ${INSTALL_LIMIT_MS / 60_000} minutes.`);
    const installer = join(root, 'node_modules', 'electron', 'install.js');
    await run(process.execPath, [installer], INSTALL_LIMIT_MS);
    path = findElectron(root).path;
  }
  if (path === null) return { reason: `Electron's binary is not in ${lookedIn}` };
  return { path };
}

/** @throws {FieldError} or a parser's error that names the flag. */
function readFlags(argv: readonly string[]): { shared: string[]; noSandbox: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      data: { type: 'string' },
      devices: { type: 'string' },
      policy: { type: 'string' },
      'no-sandbox': { type: 'boolean', default: false },
    },
  });
  const { data, ...rest } = parseDesktopFlags(argv);
  // Relative to where the person is, not to the package that npm has gone into.
  const flags = { ...rest, ...(data !== undefined && { data: resolve(process.env.INIT_CWD ?? '.', data) }) };
  return {
    shared: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    noSandbox: values['no-sandbox'],
  };
}

async function main(): Promise<number> {
  const { shared, noSandbox } = readFlags(process.argv.slice(2));
  const built = await run(process.execPath, [join(root, 'scripts', 'build.ts'), '--if-stale']);
  if (built !== 0 || signalled) return built || 1;
  const electron = await chooseElectron(noSandbox);
  if (signalled) return 1;
  if ('path' in electron)
    return run(electron.path, [root, ...(noSandbox ? ['--no-sandbox'] : []), ...shared]);
  say(`No window: ${electron.reason}. Starting the headless host instead.`);
  return run(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    join(root, 'src', 'cli', 'main.js'),
    'serve',
    ...shared,
  ]);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`npm start: ${messageOf(error)}`);
  say('Known flags: --data DIR, --devices SPEC, --policy NAME, --no-sandbox');
  process.exitCode = 2;
}
