import type { GpuType } from '../../simulator/interference.ts';
import { DEFAULT_VRAM_MIB, type RegimeName } from '../../simulator/regimes.ts';
import { seedFor } from '../runWorld.ts';
import type { Task } from '../task.ts';
import { PastJobs } from './pastJobs.ts';
import type { SuiteTrace } from './suites.ts';
import { cutWindows, fitWindow, type MachineSize, type Window } from './windows.ts';

/** What is evaluated: every window of every trace, on every machine under every load, with every seed. */
export interface PlanOptions {
  readonly traces: readonly SuiteTrace[];
  readonly jobsPerWindow: number;
  readonly gpus: readonly number[];
  readonly loads: readonly number[];
  readonly seeds: number;
  readonly regime: RegimeName;
  readonly policies: readonly string[];
  readonly gpuType: GpuType;
  readonly share?: boolean;
}

/** One window on one machine under one load with one seed. */
export interface Block {
  readonly trace: number;
  readonly window: Window;
  readonly gpus: number;
  readonly load: number;
  readonly seed: number;
}

/** A window that cannot be had on a machine, whatever the load. */
export interface Skipped {
  readonly trace: string;
  readonly window: number;
  readonly gpus: number;
  readonly reason: string;
}

/** All that is to be run, in the order of windows: each in all of its cells, one window after the other. */
export class Plan {
  readonly #options: PlanOptions;
  readonly #past: readonly PastJobs[];
  readonly windows: readonly (readonly Window[])[];
  readonly blocks: readonly Block[];
  readonly skipped: readonly Skipped[];

  constructor(options: PlanOptions) {
    const { traces, jobsPerWindow, gpus: machines, loads, seeds } = options;
    this.#options = options;
    this.#past = traces.map(({ jobs }) => new PastJobs(jobs));
    this.windows = traces.map(({ jobs }) => cutWindows(jobs, jobsPerWindow));
    const blocks: Block[] = [];
    const skipped: Skipped[] = [];
    this.windows.forEach((windows, trace) => {
      for (const window of windows) {
        for (const gpus of machines) {
          const fitted = fitWindow(window.jobs, machineOf(gpus), 1);
          if ('reason' in fitted) {
            skipped.push({ trace: traces[trace]!.name, window: window.index, gpus, reason: fitted.reason });
            continue;
          }
          for (const load of loads)
            for (let seed = 1; seed <= seeds; seed++) blocks.push({ trace, window, gpus, load, seed });
        }
      }
    });
    this.blocks = blocks;
    this.skipped = skipped;
  }

  /** One at a time, so that they are not all in memory at once. */
  *tasks(): Generator<Task, void, undefined> {
    for (const block of this.blocks) yield this.task(block);
  }

  task({ trace, window, gpus, load, seed }: Block): Task {
    const { traces, regime, policies, gpuType, share } = this.#options;
    const fitted = fitWindow(window.jobs, machineOf(gpus), load);
    if ('reason' in fitted) throw new TypeError(`a window that does not fit was planned: ${fitted.reason}`);
    return {
      label: `window ${window.index} of ${traces[trace]!.name} on ${gpus} GPUs at load ${load}, seed ${seed}`,
      jobs: fitted.jobs,
      rejected: fitted.dropped,
      regime,
      options: {
        ...machineOf(gpus),
        seed: seedFor(seed, window.index),
        gpuType,
        history: this.#past[trace]!.before(window.firstRow, machineOf(gpus)),
        past: this.#past[trace]!.runsBefore(window.firstRow, machineOf(gpus)),
        ...(share === undefined ? {} : { share }),
      },
      policies,
      wantsJobs: false,
    };
  }
}

const machineOf = (gpus: number): MachineSize => ({ gpus, vramMib: DEFAULT_VRAM_MIB });
