import { statfs } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Veto } from '../../domain/decision.ts';
import type { Device, Fault } from '../../domain/device.ts';
import type { Reservation } from '../../domain/deviceRules.ts';
import { messageOf } from '../../domain/errors.ts';
import { type Demand, guard, NOTHING_REMEMBERED, strongest, type Verdict } from '../../domain/guard.ts';
import type { Job } from '../../domain/job.ts';
import {
  diskFloorMib,
  type QuietHours,
  quietNow,
  quietText,
  type WallClock,
} from '../../domain/machineRules.ts';
import { formatMib } from '../../domain/units.ts';
import type { DeviceReservation, Halt } from '../../scheduler/snapshot.ts';
import type { Clock, Log } from '../ports.ts';
import { localTime } from '../scheduling/localTime.ts';
import type { RuleStore } from '../store/ruleStore.ts';
import type { DeskIdle } from './deskIdle.ts';

/** How often the clock, the disk and the desk are looked at; devices are at every report. */
const LOOK_MS = 5000;
/** Who has not touched anything for so long has left, where no device's owner said otherwise. */
const DESK_IDLE_MS = 600_000;
const MIB = 1024 * 1024;
/** Free space this much above the floor ends the shortage: else jobs would start and be refused in turn. */
const DISK_SLACK = 1.05;

/** What a guard may do to a job. */
export interface Yielding {
  /** @throws {ConflictError} if it does not run. */
  pause(jobId: number, reason: string): void;
  resume(jobId: number): void;
  /** @param percent of its speed; null: all of it again. False: that cannot be done here. */
  throttle(jobId: number, percent: number | null, reason: string): boolean;
}

export interface WardenOptions {
  readonly rules: RuleStore;
  readonly devices: () => readonly Device[];
  readonly live: () => readonly Job[];
  readonly yielding: Yielding;
  readonly desk: DeskIdle;
  /** What keeps a device from being relied on; null: nothing does. */
  readonly faultOf: (deviceId: string) => Fault | null;
  /** Where jobs write. */
  readonly home: string;
  /** Whether it matters besides if anybody sits there. */
  readonly mindsDesk: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** What may start has changed. */
  readonly onChange: () => void;
  /** Free and total space where jobs write, MiB; null: unknown. Left out: as the file system says. */
  readonly diskMib?: () => Promise<{ readonly free: number; readonly total: number } | null>;
}

/**
 * Keeps the owner's rules: finds out what they mean now, for new jobs (`closedBy`, `halts`) and for those that run,
 * which it slows down or stops and lets go on after. What a person does to a job meanwhile stands until the reason
 * is over.
 */
export class Warden {
  readonly #options: WardenOptions;
  readonly #verdicts = new Map<string, Verdict>();
  /** Jobs that a person let go on in spite of a rule. */
  readonly #overruled = new Set<number>();
  readonly #throttled = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #owner = userInfo().username;
  #deskIdleMs: number | null = null;
  #deskAtMs = 0;
  #disk: { free: number; total: number } | null = null;
  #short = false;
  #quiet: readonly QuietHours[] = [];
  #told = '';
  #looking = false;
  #stopped = false;

  constructor(options: WardenOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    void this.look();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Why nothing new is started on a device; null: things may. */
  closedBy(deviceId: string): Veto | null {
    return this.#verdicts.get(deviceId)?.closed ?? null;
  }

  ownerPresent(deviceId: string): boolean {
    return this.#verdicts.get(deviceId)?.ownerPresent ?? false;
  }

  /** Whether the owner sits at the desk or uses a GPU by hand, as far as that is looked at. */
  get somebodyThere(): boolean {
    const { devices } = this.#options;
    const idleMs = this.#deskIdleMs;
    return (idleMs !== null && idleMs < DESK_IDLE_MS) || devices().some(({ id }) => this.ownerPresent(id));
  }

  /** What jobs on the device must do; null: nothing. */
  yieldsOf(deviceId: string): Device['yields'] {
    const demand = this.#strongestOf([deviceId], null);
    return demand && { kind: demand.kind, reason: demand.reason };
  }

  /** When a device is kept for somebody, from now on. */
  reservationsOf(deviceId: string): readonly DeviceReservation[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#reservations(deviceId)
      .filter(({ toMs }) => toMs > nowMs)
      .map(({ id, fromMs, toMs, user }) => ({
        id,
        fromMs,
        toMs,
        user,
        reason:
          fromMs <= nowMs
            ? `reserved for ${user} until ${localTime(toMs)}`
            : `reserved for ${user} from ${localTime(fromMs)}`,
      }));
  }

  /** What keeps jobs from starting anywhere. */
  halts(): readonly Halt[] {
    const halts: Halt[] = [];
    if (this.#short && this.#disk !== null) {
      const { total } = this.#disk;
      const floor = diskFloorMib(this.#options.rules.machine(), total);
      const reason = `the disk of ${this.#options.home} is nearly full: less than ${formatMib(floor)} is free`;
      halts.push({ rule: 'disk-space', reason, exceptPriority: null, gpusOnly: false });
    }
    for (const hours of this.#quiet) {
      const { exceptPriority } = hours;
      const except = exceptPriority === null ? '' : `, except for priority ${exceptPriority} and above`;
      halts.push({
        rule: 'quiet-hours',
        reason: `${quietText(hours)}${except}`,
        exceptPriority,
        gpusOnly: true,
      });
    }
    return halts;
  }

  /** A person let a job go on: until the reason is over nobody stops it again. */
  overrule(jobId: number): void {
    this.#overruled.add(jobId);
  }

  /** Looks at clock, disk and desk, then at everything. */
  async look(): Promise<void> {
    if (this.#looking || this.#stopped) return;
    this.#looking = true;
    try {
      const { rules, desk, clock } = this.#options;
      const present =
        this.#options.mindsDesk() ||
        this.#options.devices().some(({ id }) => rules.rulesOf(id).presence !== 'off');
      const [idleMs, disk] = await Promise.all([present ? desk.idleMs() : null, this.#freeSpace()]);
      this.#deskIdleMs = idleMs;
      this.#deskAtMs = clock.monotonicMs();
      this.#disk = disk;
    } catch (error) {
      this.#options.log.warn('the desk or the disk could not be looked at', { error: messageOf(error) });
    } finally {
      this.#looking = false;
    }
    if (!this.#stopped) this.judge();
  }

  /** Judges anew by what is known now, and has jobs do what follows. */
  judge(): void {
    const { rules, clock, devices, onChange } = this.#options;
    const [monotonicMs, nowMs] = [clock.monotonicMs(), clock.nowMs()];
    this.#quiet = quietNow(rules.machine().quietHours, wallClock(nowMs));
    this.#judgeDisk();
    const list = devices();
    for (const device of list) {
      const { id, index, reading } = device;
      const verdict = guard(
        index,
        rules.rulesOf(id),
        {
          monotonicMs,
          nowMs,
          temperatureC: reading?.temperatureC ?? null,
          powerW: reading?.powerW ?? null,
          deskIdleMs: this.#deskIdleMs === null ? null : this.#deskIdleMs + monotonicMs - this.#deskAtMs,
          byHand: this.#byHand(device, nowMs),
          reservations: this.#reservations(id),
          fault: this.#options.faultOf(id)?.code ?? null,
        },
        this.#verdicts.get(id)?.memory ?? NOTHING_REMEMBERED,
      );
      this.#verdicts.set(id, verdict);
    }
    this.#enforce();
    const told = JSON.stringify([
      list.map(({ id }) => [
        this.closedBy(id),
        this.ownerPresent(id),
        this.yieldsOf(id),
        this.reservationsOf(id),
      ]),
      this.halts(),
      this.somebodyThere,
    ]);
    if (told !== this.#told) onChange();
    this.#told = told;
  }

  /** Works on every job by itself: one that cannot be stopped keeps none of the others from it. */
  #enforce(): void {
    const { live, yielding, log } = this.#options;
    const jobs = live();
    const there = new Set(jobs.map(({ id }) => id));
    for (const id of this.#throttled.keys()) if (!there.has(id)) this.#throttled.delete(id);
    for (const id of this.#overruled) if (!there.has(id)) this.#overruled.delete(id);
    for (const job of jobs) {
      try {
        const demand = this.#strongestOf(job.devices, job);
        if (demand === null) this.#overruled.delete(job.id);
        const wanted = this.#overruled.has(job.id) ? null : demand;
        const paused = job.status === 'paused' && job.pausedBy === 'guard';
        if (wanted?.kind === 'pause') {
          if (job.status === 'running') yielding.pause(job.id, wanted.reason);
          continue;
        }
        if (paused) yielding.resume(job.id);
        this.#throttle(job, wanted);
      } catch (error) {
        log.warn(`job ${job.id} could not be made to give way`, { error: messageOf(error) });
      }
    }
  }

  #throttle(job: Job, wanted: Demand | null): void {
    const percent = wanted?.throttlePercent ?? null;
    if (percent === (this.#throttled.get(job.id) ?? null)) return;
    if (percent !== null && job.status !== 'running') return;
    const done = this.#options.yielding.throttle(job.id, percent, wanted?.reason ?? 'the reason is over');
    if (percent === null) this.#throttled.delete(job.id);
    // Not tried again at every look where it cannot be done.
    else this.#throttled.set(job.id, percent);
    if (!done && percent !== null) {
      this.#options.log.warn(`job ${job.id} should be throttled, which cannot be done here`, {
        reason: wanted?.reason,
      });
    }
  }

  #strongestOf(deviceIds: readonly string[], job: Job | null): Demand | null {
    const demands = deviceIds.flatMap((id) => this.#verdicts.get(id)?.demands ?? []);
    for (const hours of this.#quiet) {
      const { running, exceptPriority, throttlePercent } = hours;
      if (running === 'off' || deviceIds.length === 0) continue;
      if (job !== null && exceptPriority !== null && job.priority >= exceptPriority) continue;
      demands.push({ kind: running, reason: quietText(hours), exceptUser: null, throttlePercent });
    }
    return strongest(demands, job?.user ?? '');
  }

  /** What the owner runs on a device by hand and has not left standing there. */
  #byHand({ id, foreign }: Device, nowMs: number): string | null {
    const idleMs = this.#options.rules.rulesOf(id).idleMin * 60_000;
    const found = foreign.find(
      ({ user, jobId, ignored, graphics, idleSinceMs }) =>
        user === this.#owner &&
        jobId === null &&
        !ignored &&
        !graphics &&
        (idleSinceMs === null || nowMs - idleSinceMs < idleMs),
    );
    return found === undefined ? null : (found.command?.slice(0, 60) ?? `process ${found.pid}`);
  }

  #reservations(deviceId: string): readonly Reservation[] {
    return this.#options.rules.reservations().filter((one) => one.deviceId === deviceId);
  }

  #judgeDisk(): void {
    const { rules, log, home } = this.#options;
    if (this.#disk === null) return;
    const { free, total } = this.#disk;
    const floor = diskFloorMib(rules.machine(), total);
    const short = free < (this.#short ? floor * DISK_SLACK : floor);
    if (short && !this.#short) {
      log.warn(
        `${formatMib(free)} is left on the disk of ${home}: nothing is started below ${formatMib(floor)}`,
      );
    }
    this.#short = short;
  }

  async #freeSpace(): Promise<{ free: number; total: number } | null> {
    if (this.#options.diskMib) return this.#options.diskMib();
    const { bavail, blocks, bsize } = await statfs(this.#options.home);
    return { free: (bavail * bsize) / MIB, total: (blocks * bsize) / MIB };
  }
}

/** As this machine's local time shows it. */
function wallClock(nowMs: number): WallClock {
  const at = new Date(nowMs);
  return { day: (at.getDay() + 6) % 7, minute: at.getHours() * 60 + at.getMinutes() };
}
