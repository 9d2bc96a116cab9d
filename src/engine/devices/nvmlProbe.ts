import { getCompileCacheDir } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatDuration } from '../../domain/units.ts';
import type { DeviceProbe, ProbeListener, ProbeReport } from '../ports.ts';
import { LineProcess } from './lineProcess.ts';
import type { FocusLine, NvmlLine } from './nvmlLine.ts';
import { ProbeError } from './probeError.ts';

export interface NvmlProbeOptions {
  /** Time between two readings. Milliseconds. */
  readonly intervalMs?: number;
  /** Silence after which the child is given up. Milliseconds; default five intervals. */
  readonly deadlineMs?: number;
  /** As above, for the first reading: the driver may have to wake the GPUs. */
  readonly startDeadlineMs?: number;
  readonly firstBackoffMs?: number;
  /** `STINT_NVML_LIBRARY` names the library, else it is the driver's. */
  readonly env?: NodeJS.ProcessEnv;
}

const REMEDY =
  'install or mend the NVIDIA driver (nvidia-smi should list the GPUs), name the library in STINT_NVML_LIBRARY, ' +
  'or start with --devices nvidia-smi or --devices virtual:2';

/** This file's sibling, in the form that this file has: `.ts` from source, `.js` when built. */
const CHILD = fileURLToPath(new URL(`./nvmlChild${extname(import.meta.url)}`, import.meta.url));

/** Reads NVIDIA GPUs through NVML, in a child process that is given up when it hangs. */
export class NvmlProbe implements DeviceProbe {
  readonly kind = 'nvml';
  readonly #process: LineProcess;
  #listener: ProbeListener | null = null;
  #first: { resolve(report: ProbeReport): void; reject(error: ProbeError): void } | null = null;
  #failure: Extract<NvmlLine, { failed: string }> | null = null;
  #troubled = false;
  #focus: readonly string[] = [];

  constructor(options: NvmlProbeOptions = {}) {
    const { intervalMs = 1000, env = process.env } = options;
    this.#process = new LineProcess({
      file: process.execPath,
      args: [
        '--max-old-space-size=32',
        '--max-semi-space-size=1',
        '--disable-warning=ExperimentalWarning',
        CHILD,
        env.STINT_NVML_LIBRARY || 'libnvidia-ml.so.1',
        String(intervalMs),
      ],
      // Under Electron the executable is Electron's, which is a plain Node only when told so.
      // With the compile cache of this process, if it has one, it need not strip types itself: 20 MB less.
      env: { NODE_COMPILE_CACHE: getCompileCacheDir(), ...env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
      name: 'the NVML reader',
      startDeadlineMs: options.startDeadlineMs ?? 20_000,
      silenceDeadlineMs: options.deadlineMs ?? 5 * intervalMs,
      firstBackoffMs: options.firstBackoffMs,
      onStart: () => this.focus(this.#focus),
      onLine: (line) => this.#read(line),
      onDown: (down, nextMs) => this.#down(down.sentence, nextMs),
    });
  }

  /** Process id of the child that reads now; null between two. */
  get childPid(): number | null {
    return this.#process.pid;
  }

  start(listener: ProbeListener): Promise<ProbeReport> {
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#process.start();
    });
  }

  focus(ids: readonly string[]): void {
    const line: FocusLine = { focus: ids };
    if (ids.length + this.#focus.length > 0) this.#process.send(JSON.stringify(line));
    this.#focus = ids;
  }

  async stop(): Promise<void> {
    this.#listener = null;
    this.#first?.reject(
      new ProbeError('the NVML reader was stopped before its first reading', REMEDY, false),
    );
    this.#first = null;
    await this.#process.stop();
  }

  #read(text: string): boolean {
    const line = JSON.parse(text) as NvmlLine;
    if ('failed' in line) {
      this.#failure = line;
      return false;
    }
    if ('faults' in line) {
      this.#listener?.onFaults?.(line.faults);
      return true;
    }
    if ('measured' in line) {
      this.#listener?.onMeasured?.(line.measured);
      return true;
    }
    if (this.#troubled) {
      this.#troubled = false;
      this.#listener?.onTrouble(null);
    }
    this.#first?.resolve(line);
    this.#first = null;
    this.#listener?.onReport(line);
    return true;
  }

  #down(sentence: string, nextMs: number): void {
    const problem = this.#failure ? `NVML does not work: ${this.#failure.failed}` : sentence;
    const absent = this.#failure?.absent ?? false;
    this.#failure = null;
    if (this.#first) {
      // Nothing was ever read: whoever started this decides what else to try.
      const { reject } = this.#first;
      this.#first = null;
      void this.stop().then(() => reject(new ProbeError(problem, REMEDY, absent)));
      return;
    }
    this.#troubled = true;
    this.#listener?.onTrouble(
      `${problem}; trying again in ${formatDuration(nextMs)}. If this goes on, look into dmesg for NVIDIA messages`,
    );
  }
}
