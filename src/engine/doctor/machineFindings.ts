import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type Finding, ok } from '../../domain/finding.ts';
import type { Rung } from '../../domain/rungSchemas.ts';
import { formatMib } from '../../domain/units.ts';
import { programOutput } from '../programOutput.ts';

type Env = Readonly<Record<string, string | undefined>>;

const ASK_DEADLINE_MS = 3000;
const MIB = 1024 * 1024;
/** Data loaders and many connections take files; each job takes a few of the engine's. */
const ENOUGH_FILES = 4096;
const ENOUGH_PROCESSES = 4096;
/** PyTorch's data loaders pass batches through it. */
const ENOUGH_SHARED_MIB = 1024;
const LEAST_MEMORY_SHARE = 0.05;
/** What `resources/supervisor.sh` needs, by these paths. */
const SUPERVISOR_NEEDS = ['/bin/sh', '/bin/mv', '/bin/sleep'];

/** The machine under Stint: what it needs of the system, and what of it would end jobs or slow them down. */
export async function machineFindings(env: Env): Promise<Finding[]> {
  const linux = process.platform === 'linux';
  return [
    platform(),
    programs(),
    ...(linux ? [...limits(), ...memory(), ...(await clock(env)), ...(await lingering(env))] : []),
  ];
}

/** Each rung of both ladders. That one does not work is worth a note: there is always another. */
export function rungFindings(rungs: readonly Rung[]): Finding[] {
  return rungs.map(({ ladder, rung, works, note }): Finding => {
    const about = `${ladder} by ${rung}`;
    if (works) return ok(about, note === null ? 'works' : `works; ${note}`);
    const [why = '', ...remedy] = (note ?? '').split('; ');
    return { about, severity: 'note', found: `does not work: ${why}`, remedy: remedy.join('; ') || null };
  });
}

function platform(): Finding {
  const found = `${process.platform} ${process.arch}, Node ${process.versions.node}, SQLite through better-sqlite3`;
  if (process.platform === 'linux') return ok('system', found);
  const remedy =
    process.platform === 'win32' ? 'use Linux: jobs do not run on Windows' : 'Linux is where Stint is tested';
  return { about: 'system', severity: process.platform === 'win32' ? 'error' : 'warning', found, remedy };
}

function programs(): Finding {
  const missing = SUPERVISOR_NEEDS.filter((path) => !existsSync(path));
  if (missing.length === 0) return ok('supervisor', `${SUPERVISOR_NEEDS.join(', ')} are there`);
  const found = `${missing.join(', ')} is missing, so that no job can be started`;
  return { about: 'supervisor', severity: 'error', found, remedy: 'install coreutils and a POSIX shell' };
}

/** Of this process: jobs have the same. */
function limits(): Finding[] {
  const text = readFileSync('/proc/self/limits', 'latin1');
  const of = (name: string): number => {
    const word = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1] ?? 'unlimited';
    return word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word);
  };
  const judged = (what: string, has: number, enough: number, word: string): Finding =>
    has >= enough
      ? ok('limits', `${Number.isFinite(has) ? has : 'any number of'} ${what}`)
      : {
          about: 'limits',
          severity: 'warning',
          found: `jobs may have ${has} ${what} only`,
          remedy: `raise \`${word}\` in /etc/security/limits.conf (or LimitNOFILE= and LimitNPROC= of the service), and start Stint anew`,
        };
  return [
    judged('open files', of('Max open files'), ENOUGH_FILES, 'nofile'),
    judged('processes', of('Max processes'), ENOUGH_PROCESSES, 'nproc'),
  ];
}

function memory(): Finding[] {
  const text = readFileSync('/proc/meminfo', 'latin1');
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  const [total, available] = [of('MemTotal'), of('MemAvailable')];
  const findings: Finding[] = [];
  if (available < total * LEAST_MEMORY_SHARE) {
    const found = `only ${formatMib(available)} of ${formatMib(total)} of memory is available`;
    const remedy = 'the kernel may soon kill a job: pause some, or ask for fewer data loaders';
    findings.push({ about: 'memory', severity: 'warning', found, remedy });
  } else if (Number.isFinite(available)) {
    findings.push(ok('memory', `${formatMib(available)} of ${formatMib(total)} is available`));
  }
  if (existsSync('/dev/shm')) {
    const { blocks, bsize } = statfsSync('/dev/shm');
    const sharedMib = (blocks * bsize) / MIB;
    const found = `/dev/shm holds ${formatMib(sharedMib)}`;
    const remedy = "PyTorch's data loaders pass batches through it: mount -o remount,size=8G /dev/shm";
    findings.push(
      sharedMib >= ENOUGH_SHARED_MIB
        ? ok('shared memory', found)
        : { about: 'shared memory', severity: 'warning', found: `${found} only`, remedy },
    );
  }
  return findings;
}

async function clock(env: Env): Promise<Finding[]> {
  const text = await programOutput('timedatectl', ['show', '-p', 'NTPSynchronized'], env, ASK_DEADLINE_MS);
  const word = /NTPSynchronized=(\w+)/.exec(text ?? '')?.[1];
  if (word === 'yes') return [ok('clock', 'kept by NTP')];
  const remedy = 'timedatectl set-ntp true; begin times, deadlines and quiet hours go by the clock';
  return word === undefined
    ? [
        {
          about: 'clock',
          severity: 'note',
          found: 'nobody here says whether it is kept by NTP',
          remedy: null,
        },
      ]
    : [{ about: 'clock', severity: 'warning', found: 'it is not kept by NTP', remedy }];
}

/** Whether what was started in a session outlives it. */
async function lingering(env: Env): Promise<Finding[]> {
  const { username } = userInfo();
  const text = await programOutput('loginctl', ['show-user', username, '-p', 'Linger'], env, ASK_DEADLINE_MS);
  const linger = /Linger=(\w+)/.exec(text ?? '')?.[1];
  if (linger === undefined)
    return [
      {
        about: 'logging out',
        severity: 'note',
        found: 'there is no systemd-logind that ends jobs with a session',
        remedy: null,
      },
    ];
  if (linger === 'yes') return [ok('logging out', `jobs outlive the sessions of ${username}`)];
  return [
    {
      about: 'logging out',
      severity: 'warning',
      found: `jobs in control groups of ${username}'s user manager end when the last session does (and, with KillUserProcesses=yes, all do)`,
      remedy: `loginctl enable-linger ${username}`,
    },
  ];
}
