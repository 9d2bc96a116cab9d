import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { eventually } from './testEngine.ts';

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol', 'scancel'];
const pathOf = (program: string): string =>
  spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin; command -v ${program}`], {
    encoding: 'utf8',
  }).stdout.trim();

/** Why no Slurm can be started here; null: it can. */
export const withoutSlurm: string | null = PROGRAMS.some((program) => pathOf(program) === '')
  ? 'needs slurm-wlm and munge (apt install slurm-wlm munge)'
  : null;

/** A Slurm of one node on this machine, with as many processors as it is told and two GPUs that are none. */
export interface TestSlurm {
  readonly conf: string;
  readonly directory: string;
  /** Of its daemons. */
  readonly pids: readonly number[];
  /** A command of it, answered. @throws where it fails. */
  run(command: string, ...args: string[]): string;
  /** As `systemctl stop` would. */
  stopController(): Promise<void>;
  /** As when its machine loses power: what it had not saved is gone. */
  killController(): Promise<void>;
  startController(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts munged, slurmctld and slurmd in a directory of their own, on ports that are free. */
export async function startSlurm(cpus = 16): Promise<TestSlurm> {
  const directory = mkdtempSync(join(tmpdir(), 'stint-slurm-'));
  const at = (name: string): string => join(directory, name);
  const conf = at('slurm.conf');
  const host = hostname().split('.')[0]!;
  const [controllerPort, nodePort] = await freePorts();
  for (const name of ['state', 'spool']) mkdirSync(at(name), { mode: 0o700 });
  writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o400 });
  writeFileSync(
    conf,
    `ClusterName=stint
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=${userInfo().username}
SlurmdUser=${userInfo().username}
AuthType=auth/munge
AuthInfo=socket=${at('munge.sock')}
CryptoType=crypto/munge
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${at('spool')}
SlurmctldPidFile=${at('slurmctld.pid')}
SlurmdPidFile=${at('slurmd.pid')}
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
PriorityType=priority/basic
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
GresTypes=gpu
KillWait=2
SlurmdParameters=config_overrides
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus} Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
  );
  writeFileSync(
    at('gres.conf'),
    ['/dev/zero', '/dev/null'].map((file) => `NodeName=${host} Name=gpu File=${file}\n`).join(''),
  );
  const env = { ...process.env, SLURM_CONF: conf, LC_ALL: 'C' };
  const daemons = new Map<string, ChildProcess>();
  const start = (name: string, ...args: string[]): void => {
    // In the foreground, so that it is ours to end.
    daemons.set(name, spawn(pathOf(name), args, { env, stdio: 'ignore' }));
  };
  const end = async (name: string, signal: NodeJS.Signals): Promise<void> => {
    const child = daemons.get(name);
    daemons.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(timer);
  };
  const run = (command: string, ...args: string[]): string =>
    execFileSync(pathOf(command), args, {
      env,
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const answers = (...args: [string, ...string[]]): string => {
    try {
      return run(...args);
    } catch (error) {
      return String(error);
    }
  };
  const log = (): string => ['slurmctld.log', 'slurmd.log'].map((name) => tail(at(name))).join('\n');
  const slurm: TestSlurm = {
    conf,
    directory,
    get pids() {
      return [...daemons.values()].map(({ pid }) => pid!);
    },
    run,
    async startController() {
      start('slurmctld', '-D', '-L', at('slurmctld.log'));
      await eventually(
        () => answers('scontrol', 'ping'),
        (text) => /UP/.test(text),
        'slurmctld to answer',
        30_000,
      );
    },
    stopController: () => end('slurmctld', 'SIGTERM'),
    killController: () => end('slurmctld', 'SIGKILL'),
    async stop() {
      answers('scancel', `--user=${userInfo().username}`);
      await eventually(
        () => answers('squeue', '-h'),
        (text) => text.trim() === '' || /error/i.test(text),
        'its jobs to end',
      ).catch(() => undefined);
      await end('slurmd', 'SIGTERM');
      await end('slurmctld', 'SIGTERM');
      await end('munged', 'SIGTERM');
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    start(
      'munged',
      '--foreground',
      '--force',
      `--socket=${at('munge.sock')}`,
      `--key-file=${at('munge.key')}`,
      `--pid-file=${at('munge.pid')}`,
      `--log-file=${at('munge.log')}`,
      `--seed-file=${at('munge.seed')}`,
    );
    await eventually(
      () => spawnSync(pathOf('munge'), [`--socket=${at('munge.sock')}`, '-n']).status,
      (status) => status === 0,
      'munged to answer',
    );
    await slurm.startController();
    start('slurmd', '-D', '-N', host, '-L', at('slurmd.log'));
    await eventually(
      () => answers('sinfo', '-h', '-o', '%T'),
      (text) => text.trim() === 'idle',
      'its node to be idle',
      30_000,
    );
  } catch (error) {
    const said = log();
    await slurm.stop();
    throw new Error(`no Slurm could be started: ${error instanceof Error ? error.message : error}\n${said}`);
  }
  return slurm;
}

const tail = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').slice(-2000);
  } catch {
    return '';
  }
};

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) server.close();
  return [ports[0]!, ports[1]!];
}
