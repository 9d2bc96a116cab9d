import type { DeviceProcess } from '../../domain/device.ts';
import { formatDuration } from '../../domain/units.ts';
import type { Clock, DeviceProbe, ProbedDevice, ProbeListener, ProbeReport } from '../ports.ts';
import { systemClock } from '../ports.ts';
import { type Down, LineProcess } from './lineProcess.ts';
import { ProbeError } from './probeError.ts';

export interface NvidiaSmiProbeOptions {
  /** Time between two readings. Milliseconds. */
  readonly intervalMs?: number;
  /** Silence after which the process is given up. Milliseconds; default five intervals. */
  readonly deadlineMs?: number;
  /** As above, for the first reading: the driver may have to wake the GPUs. */
  readonly startDeadlineMs?: number;
  readonly firstBackoffMs?: number;
  /** `STINT_NVIDIA_SMI` names the program, else it is `nvidia-smi` on the PATH. */
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
}

/** `count` tells when all lines of one look are there. */
const GPU_FIELDS = [
  'count',
  'index',
  'uuid',
  'name',
  'memory.total',
  'memory.free',
  'utilization.gpu',
  'temperature.gpu',
  'power.draw',
  'enforced.power.limit',
  'clocks.sm',
] as const;
const APP_FIELDS = ['gpu_uuid', 'pid', 'used_memory'] as const;

const REMEDY =
  'install or mend the NVIDIA driver (nvidia-smi should list the GPUs), name the program in STINT_NVIDIA_SMI, ' +
  'or start with --devices virtual:2';
/** What nvidia-smi ends with when there is nothing to read: no device, no driver, no library. */
const ABSENT_STATUSES: ReadonlySet<number | null> = new Set([6, 9, 12]);

/**
 * Reads NVIDIA GPUs through two nvidia-smi processes that run for as long as the probe: one for the devices,
 * one for the processes on them. The second says nothing at all while there are no processes, and lists
 * computing ones only; the memory in use is therefore always taken from the first.
 */
export class NvidiaSmiProbe implements DeviceProbe {
  readonly kind = 'nvidia-smi';
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #gpus: LineProcess;
  readonly #apps: LineProcess;
  #listener: ProbeListener | null = null;
  #first: { resolve(report: ProbeReport): void; reject(error: ProbeError): void } | null = null;
  #look: ProbedDevice[] = [];
  /** Something unreadable stood in the present look. */
  #marred = false;
  #troubled = false;
  readonly #seen = new Map<string, { uuid: string; process: DeviceProcess; seenMs: number }>();
  /** From when on silence about processes means that there are none. */
  #appsKnownFromMs = Number.POSITIVE_INFINITY;

  constructor(options: NvidiaSmiProbeOptions = {}) {
    const { intervalMs = 1000, env = process.env, clock = systemClock } = options;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    const shared = {
      file: env.STINT_NVIDIA_SMI || 'nvidia-smi',
      env,
      name: 'nvidia-smi',
      firstBackoffMs: options.firstBackoffMs,
    };
    const format = ['--format=csv,noheader,nounits', `--loop-ms=${intervalMs}`];
    this.#gpus = new LineProcess({
      ...shared,
      args: [`--query-gpu=${GPU_FIELDS.join(',')}`, ...format],
      startDeadlineMs: options.startDeadlineMs ?? 20_000,
      silenceDeadlineMs: options.deadlineMs ?? 5 * intervalMs,
      onLine: (line) => this.#readGpu(line),
      onDown: (down, nextMs) => this.#down(down, nextMs),
    });
    this.#apps = new LineProcess({
      ...shared,
      args: [`--query-compute-apps=${APP_FIELDS.join(',')}`, ...format],
      startDeadlineMs: null,
      silenceDeadlineMs: null,
      onLine: (line) => this.#readApp(line),
      onDown: (_down, nextMs) => this.#appsUnknownFor(nextMs + 2 * intervalMs),
    });
  }

  /** Ids of the two processes that read now; null between two. */
  get childPids(): readonly (number | null)[] {
    return [this.#gpus.pid, this.#apps.pid];
  }

  start(listener: ProbeListener): Promise<ProbeReport> {
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#gpus.start();
      this.#apps.start();
      this.#appsUnknownFor(2 * this.#intervalMs);
    });
  }

  async stop(): Promise<void> {
    this.#listener = null;
    this.#first?.reject(new ProbeError('nvidia-smi was stopped before its first reading', REMEDY, false));
    this.#first = null;
    await Promise.all([this.#gpus.stop(), this.#apps.stop()]);
  }

  #appsUnknownFor(ms: number): void {
    this.#seen.clear();
    this.#appsKnownFromMs = this.#clock.monotonicMs() + ms;
  }

  #readApp(line: string): boolean {
    const fields = line.split(', ');
    const pid = Number(fields[1]);
    if (fields.length !== APP_FIELDS.length || !Number.isSafeInteger(pid) || pid <= 0) {
      // It cannot list them (`[Not Supported]`): then nobody knows.
      this.#appsUnknownFor(5 * this.#intervalMs);
      return false;
    }
    this.#seen.set(`${fields[0]} ${pid}`, {
      uuid: fields[0]!,
      process: { pid, memoryMib: quantity(fields[2]!) },
      seenMs: this.#clock.monotonicMs(),
    });
    return true;
  }

  /** What runs on a device: whatever was listed within the last two looks and a half; null: unknown. */
  #processesOf(uuid: string): DeviceProcess[] | null {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#appsKnownFromMs) return null;
    const found: DeviceProcess[] = [];
    for (const [key, app] of this.#seen) {
      if (nowMs - app.seenMs > 2.5 * this.#intervalMs) this.#seen.delete(key);
      else if (app.uuid === uuid) found.push(app.process);
    }
    return found;
  }

  #readGpu(line: string): boolean {
    const parsed = parseGpuLine(line, this.#clock.nowMs());
    if (parsed === null) {
      this.#marred = true;
      this.#trouble(`nvidia-smi said ${JSON.stringify(line.slice(0, 200))}, which is not a reading`);
      return false;
    }
    const { count, device } = parsed;
    // A look that is short of a device ends when the next one begins.
    const last = this.#look.at(-1);
    if (last !== undefined && device.info.index <= last.info.index) this.#finishLook();
    this.#look.push({
      ...device,
      reading: device.reading && { ...device.reading, processes: this.#processesOf(device.info.id) },
    });
    if (this.#look.length >= count) this.#finishLook();
    return true;
  }

  #finishLook(): void {
    const report = { atMs: this.#clock.nowMs(), devices: this.#look };
    this.#look = [];
    if (this.#troubled && !this.#marred) {
      this.#troubled = false;
      this.#listener?.onTrouble(null);
    }
    this.#marred = false;
    this.#first?.resolve(report);
    this.#first = null;
    this.#listener?.onReport(report);
  }

  #trouble(sentence: string): void {
    this.#troubled = true;
    this.#listener?.onTrouble(`${sentence}. If this goes on, look into dmesg for NVIDIA messages`);
  }

  #down(down: Down, nextMs: number): void {
    this.#look = [];
    if (this.#first) {
      const { reject } = this.#first;
      this.#first = null;
      const absent = down.errorCode === 'ENOENT' || ABSENT_STATUSES.has(down.exitCode);
      void this.stop().then(() => reject(new ProbeError(down.sentence, REMEDY, absent)));
      return;
    }
    this.#trouble(`${down.sentence}; trying again in ${formatDuration(nextMs)}`);
  }
}

/** null: the line is not what was asked for. */
function parseGpuLine(line: string, atMs: number): { count: number; device: ProbedDevice } | null {
  const fields = line.split(', ').map((field) => field.trim());
  if (fields.length !== GPU_FIELDS.length) return null;
  const [countText, indexText, id, name, total, free, busy, celsius, watts, limit, clock] = fields as [
    ...(readonly [string, string, string, string, string, string, string, string, string, string, string]),
  ];
  const count = Number(countText);
  const index = Number(indexText);
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(index) || index < 0) return null;
  if (!/^(GPU|MIG)-/.test(id)) return null;
  const totalMib = quantity(total);
  const freeMib = quantity(free);
  const info = { id, index, kind: 'nvidia', name, memoryTotalMib: totalMib ?? 0 } as const;
  if (freeMib === null && !/^\[(N\/A|Not Supported)\]$/i.test(free)) {
    return {
      count,
      device: {
        info,
        reading: null,
        trouble: `nvidia-smi says ${free} instead of its memory; reset the GPU or restart the machine, and look into dmesg for Xid messages`,
        ...(/is lost|requires reset/i.test(free) ? { lost: true } : {}),
      },
    };
  }
  const percent = quantity(busy);
  const reading = {
    atMs,
    // Total less free: what the driver keeps for itself is not free either, and `memory.used` leaves it out.
    memoryUsedMib: totalMib === null || freeMib === null ? null : totalMib - freeMib,
    utilisation: percent === null ? null : Math.min(1, percent / 100),
    temperatureC: quantity(celsius),
    powerW: quantity(watts),
    powerLimitW: quantity(limit),
    smClockMhz: quantity(clock),
    processes: null,
  };
  return { count, device: { info, reading, trouble: null } };
}

/** A number; null for `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `ERR!` and whatever else is none. */
function quantity(text: string): number | null {
  const value = text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}
