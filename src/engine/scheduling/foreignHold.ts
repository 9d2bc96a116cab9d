import { basename } from 'node:path';
import type { Device, ForeignProcess } from '../../domain/device.ts';
import type { ForeignHold } from '../../scheduler/snapshot.ts';

/** Shorter pauses are nobody's idleness. */
const LEAST_IDLE_MIN = 10;

/** Who else computes on a device, as far as a placement is concerned with it; null: nobody whom the owner minds. */
export function foreignHold({ foreign, rules }: Device, nowMs: number): ForeignHold | null {
  const computing = foreign.filter(({ graphics }) => !graphics);
  const minded = computing.filter(({ ignored }) => !ignored);
  const ignoredMib = foreign.reduce((sum, one) => sum + (one.ignored ? (one.memoryMib ?? 0) : 0), 0);
  const top = minded.reduce<ForeignProcess | null>(
    (most, one) => (most === null || (one.memoryMib ?? 0) > (most.memoryMib ?? 0) ? one : most),
    null,
  );
  if (top === null) {
    const other = computing[0];
    if (other === undefined) return null;
    return { who: nameOf(other), pid: other.pid, memoryMib: null, idle: null, avoid: false, ignoredMib };
  }
  return {
    who: nameOf(top),
    pid: top.pid,
    memoryMib: top.memoryMib,
    idle: top.idleSinceMs === null ? null : roughly((nowMs - top.idleSinceMs) / 60_000),
    avoid: rules.foreign === 'avoid',
    ignoredMib,
  };
}

/** `alice's python`, `#12's python, which was not given it`. */
function nameOf({ pid, user, command, jobId }: ForeignProcess): string {
  const program = basename(command?.trim().split(/\s+/)[0] ?? '').slice(0, 40) || `process ${pid}`;
  if (jobId !== null) return `#${jobId}'s ${program}, which was not given it`;
  return user === null ? program : `${user}'s ${program}`;
}

/** A time in few steps, so that what is said of it changes rarely; null: too short to speak of. */
function roughly(minutes: number): string | null {
  if (minutes < LEAST_IDLE_MIN) return null;
  if (minutes < 60) return `${Math.floor(minutes / 10) * 10} minutes`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return hours === 1 ? 'an hour' : `${hours} hours`;
  const days = Math.floor(hours / 24);
  return days === 1 ? 'a day' : `${days} days`;
}
