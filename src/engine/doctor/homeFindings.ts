import { existsSync, lstatSync, statfsSync, statSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { messageOf } from '../../domain/errors.ts';
import { type Finding, ok } from '../../domain/finding.ts';
import { formatDuration, formatMib } from '../../domain/units.ts';
import { homePaths } from '../home.ts';
import { SCHEMA_VERSION } from '../store/database.ts';

const MIB = 1024 * 1024;
/** A check of the whole file takes about a second for so much, in which the engine does nothing else. */
const MOST_CHECKED_BYTES = 512 * MIB;
/** Below these, jobs soon have nowhere to write. */
const LEAST_FREE_BYTES = 1024 ** 3;
const LEAST_FREE_SHARE = 0.02;
/** File systems over a network (statfs(2)): their locks do not keep two engines apart, nor SQLite's writers. */
const NETWORKED: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
};

/** Looks at the data directory and what is in it, and changes nothing. @param nowMs by the clock on the wall. */
export function homeFindings(home: string, nowMs: number): Finding[] {
  if (!existsSync(home)) {
    return [
      {
        about: 'data directory',
        severity: 'note',
        found: `${home} does not exist yet`,
        remedy: 'stint serve makes it',
      },
    ];
  }
  return [...directory(home), ...space(home), ...database(homePaths(home).database, nowMs), ...socket(home)];
}

function directory(home: string): Finding[] {
  const about = 'data directory';
  const stat = statSync(home);
  const uid = process.getuid?.();
  if (!stat.isDirectory())
    return [
      { about, severity: 'error', found: `${home} is a file`, remedy: 'choose a directory with --data' },
    ];
  if (uid !== undefined && stat.uid !== uid) {
    const found = `${home} belongs to user ${stat.uid}, and this is ${uid}`;
    return [{ about, severity: 'error', found, remedy: 'choose another with --data, or become its owner' }];
  }
  const mode = (stat.mode & 0o777).toString(8);
  const remedy = `chmod 700 ${home}`;
  return (stat.mode & 0o077) === 0
    ? [ok(about, `${home}, readable by its owner alone`)]
    : [
        {
          about,
          severity: 'warning',
          found: `others may read ${home} (mode ${mode}): output, environments`,
          remedy,
        },
      ];
}

function space(home: string): Finding[] {
  const about = 'disk';
  const { bavail, blocks, bsize, type } = statfsSync(home);
  const [free, total] = [bavail * bsize, blocks * bsize];
  const findings: Finding[] = [];
  const network = NETWORKED[type];
  if (network !== undefined) {
    findings.push({
      about,
      severity: 'error',
      found: `${home} is on ${network}, where neither locks nor SQLite can be relied on`,
      remedy: 'put the data directory on a disk of this machine, with --data or STINT_HOME',
    });
  }
  const text = `${formatMib(free / MIB)} of ${formatMib(total / MIB)} is free where jobs write`;
  const short = free < LEAST_FREE_BYTES || free < total * LEAST_FREE_SHARE;
  const remedy =
    'make room: docs/retention.md says what may be removed; see also stint settings --disk-floor';
  findings.push(short ? { about, severity: 'warning', found: `only ${text}`, remedy } : ok(about, text));
  return findings;
}

function database(path: string, nowMs: number): Finding[] {
  const about = 'database';
  if (!existsSync(path) || statSync(path).size === 0)
    return [{ about, severity: 'note', found: 'there is none yet', remedy: 'the first start makes it' }];
  const bytes = statSync(path).size;
  let db: SqliteDatabase.Database | undefined;
  try {
    db = new SqliteDatabase(path, { readonly: true, timeout: 2000 });
    const whole = bytes <= MOST_CHECKED_BYTES;
    const check = whole ? String(db.pragma('quick_check(1)', { simple: true })) : 'ok';
    if (check !== 'ok') throw new Error(check);
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > SCHEMA_VERSION) {
      const found = `${path} is of a newer Stint (schema ${version}, this one knows ${SCHEMA_VERSION})`;
      return [{ about, severity: 'error', found, remedy: 'update Stint' }];
    }
    const lastMs = (db.prepare('SELECT max(at_ms) AS at FROM job_events').get() as { at: number | null }).at;
    const unchecked = whole
      ? 'whole'
      : 'too large to be checked as a whole here (sqlite3 FILE "PRAGMA quick_check")';
    return [
      ok(about, `${formatMib(Math.ceil(bytes / MIB))}, schema ${version}, ${unchecked}`),
      ...clockAgainst(lastMs, nowMs),
    ];
  } catch (error) {
    return [
      {
        about,
        severity: 'error',
        found: `${path} cannot be read whole: ${messageOf(error)}`,
        remedy: `stop Stint, keep a copy, and restore a backup; sqlite3 ${path} .recover may save its content`,
      },
    ];
  } finally {
    db?.close();
  }
}

/** An event that is yet to come was written while the clock was ahead, or it was set back since. */
function clockAgainst(lastMs: number | null, nowMs: number): Finding[] {
  if (lastMs === null || lastMs <= nowMs + 5000) return [];
  return [
    {
      about: 'clock',
      severity: 'warning',
      found: `the last event is ${formatDuration(lastMs - nowMs)} in the future: the clock was set back`,
      remedy: 'times of jobs look wrong until then; have the clock set by NTP',
    },
  ];
}

function socket(home: string): Finding[] {
  const { socket: path } = homePaths(home);
  // Elsewhere, or no engine runs.
  if (!existsSync(path)) return [];
  const stat = lstatSync(path);
  if (!stat.isSocket())
    return [{ about: 'socket', severity: 'error', found: `${path} is no socket`, remedy: 'move it away' }];
  return (stat.mode & 0o077) === 0
    ? [ok('socket', `${path}, for its owner alone`)]
    : [{ about: 'socket', severity: 'error', found: `others may use ${path}`, remedy: `chmod 600 ${path}` }];
}
