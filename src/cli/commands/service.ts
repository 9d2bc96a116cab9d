import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { ConflictError } from '../../domain/errors.ts';
import { CliError, STATUS } from '../cliError.ts';
import { type Context, homeOf } from '../context.ts';
import { integer } from '../flags.ts';
import { type ListenFlags, listenOptions, readListenFlags } from '../listenFlags.ts';
import { renderPairs } from '../table.ts';
import { UNIT_MARK, unitText } from '../unitText.ts';

interface Flags extends ListenFlags {
  readonly data?: string;
  readonly port?: number;
  readonly devices?: string;
  readonly json?: true;
}

const UNIT = 'stint.service';

const HELP = `
A unit of your own systemd: no root. It is started with your session, and started again if it fails. Ending or updating it ends no job.

Without lingering, systemd ends everything of yours when you log out, jobs included. \`loginctl enable-linger\` keeps it going from
the machine's start on; \`stint service status\` says whether it is set.

Examples:
  stint service install --port 7717
  stint service status
  journalctl --user -u stint`;

export function registerService(program: Command, context: Context): void {
  const service = program
    .command('service')
    .description('Has systemd run the engine for you: installs, shows or removes a user unit.')
    .addHelpText('after', HELP);
  const installing = service
    .command('install')
    .description('Installs and starts it; given again, with what is given now.')
    .option('--data <DIR>', "data directory (default: $STINT_HOME, else the platform's)")
    .option(
      '--port <N>',
      'port of the console (default: another one at each start)',
      integer('--port', 1, 65_535),
    )
    .option('--devices <SPEC>', 'as `stint serve` takes it');
  listenOptions(installing).action((flags: Flags) => install(context, flags));
  service
    .command('status')
    .description('Says whether it is installed and runs, and whether it goes on when you log out.')
    .option('--json', 'print it as JSON')
    .action((flags: Flags) => status(context, flags));
  service
    .command('remove')
    .description('Ends and removes it. Jobs go on, and the data directory stays.')
    .action(() => remove(context));
}

function install(context: Context, flags: Flags): void {
  const path = unitPath(context);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : null;
  if (before !== null && !before.startsWith(UNIT_MARK)) throw notOurs(path);
  const { listen, certificate } = readListenFlags(context, flags);
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const text = unitText({
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      main,
      'serve',
      '--data',
      homeOf(context, flags.data),
      ...(flags.port === undefined ? [] : ['--port', String(flags.port)]),
      ...(flags.devices === undefined ? [] : ['--devices', flags.devices]),
      ...(listen === undefined ? [] : ['--listen', listen]),
      ...(certificate ? ['--tls-cert', certificate.certPath, '--tls-key', certificate.keyPath] : []),
    ],
    // Of the shell that installs it: jobs look up their programs there.
    path: context.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
  });
  write(path, text);
  try {
    systemctl(context, 'daemon-reload');
    systemctl(context, 'enable', UNIT);
    systemctl(context, 'restart', UNIT);
  } catch (error) {
    if (before === null) rmSync(path, { force: true });
    else write(path, before);
    throw error;
  }
  context.out(`${path} is installed and started; \`stint console\` gives the address of its page`);
  if (!lingers())
    context.err('it ends with your session, and jobs with it, until you say `loginctl enable-linger`');
}

function status(context: Context, flags: Flags): void {
  const path = unitPath(context);
  const installed = existsSync(path);
  const active = installed ? ask(context, 'is-active', UNIT) : 'not installed';
  const enabled = installed ? ask(context, 'is-enabled', UNIT) : 'not installed';
  const lingering = lingers();
  if (flags.json) return context.out(JSON.stringify({ installed, path, active, enabled, lingering }));
  const pairs: [string, string][] = [
    ['unit', installed ? path : 'not installed; `stint service install` does it'],
    ['now', active],
    ['at login', enabled],
    [
      'after logout',
      lingering ? 'goes on' : 'ends, and jobs with it, until you say `loginctl enable-linger`',
    ],
  ];
  for (const line of renderPairs(pairs)) context.out(line);
}

function remove(context: Context): void {
  const path = unitPath(context);
  if (!existsSync(path)) throw new ConflictError('it is not installed', '`stint service install` does it');
  if (!readFileSync(path, 'utf8').startsWith(UNIT_MARK)) throw notOurs(path);
  systemctl(context, 'disable', '--now', UNIT);
  rmSync(path, { force: true });
  systemctl(context, 'daemon-reload');
  context.out(`${path} is removed; jobs that run go on, and the next engine finds them`);
}

const notOurs = (path: string): ConflictError =>
  new ConflictError(`${path} was not written by stint`, 'move it away first');

function unitPath({ env }: Context): string {
  const config = env.XDG_CONFIG_HOME;
  const base = config !== undefined && isAbsolute(config) ? config : join(env.HOME ?? homedir(), '.config');
  return join(base, 'systemd', 'user', UNIT);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.tmp`;
  writeFileSync(beside, text, { mode: 0o644 });
  renameSync(beside, path);
}

/** Whether the owner's systemd goes on without a session. */
const lingers = (): boolean => existsSync(join('/var/lib/systemd/linger', userInfo().username));

function systemctl(context: Context, ...args: string[]): void {
  const run = spawnSync('systemctl', ['--user', ...args], {
    env: context.env as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  if (run.status === 0) return;
  const why = run.error?.message ?? run.stderr.trim().split('\n').at(-1);
  throw new CliError(
    STATUS.failed,
    `systemctl --user ${args.join(' ')} did not work: ${why}`,
    'where there is no systemd for users, run `stint serve` yourself, under tmux for example',
  );
}

/** One word that systemctl answers, whatever its status. */
function ask(context: Context, ...args: string[]): string {
  const run = spawnSync('systemctl', ['--user', ...args], {
    env: context.env as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  return run.error === undefined ? run.stdout.trim() || 'unknown' : 'unknown: systemctl is not there';
}
