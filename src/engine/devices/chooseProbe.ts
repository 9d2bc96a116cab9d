import type { DeviceSpec } from '../../domain/deviceSpec.ts';
import { DEFAULT_VIRTUAL_MIB } from '../../domain/deviceSpec.ts';
import type { Clock, DeviceProbe, ProbeListener, ProbeReport } from '../ports.ts';
import { AmdProbe } from './amdProbe.ts';
import { NvidiaSmiProbe } from './nvidiaSmiProbe.ts';
import { NvmlProbe } from './nvmlProbe.ts';
import { ProbeError } from './probeError.ts';
import { VirtualProbe, type VirtualUsage } from './virtualProbe.ts';

export interface ProbeChoiceOptions {
  /** What jobs use of a virtual device. */
  readonly usageOf: (deviceId: string) => VirtualUsage;
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
  /** Time between two readings. Milliseconds. */
  readonly intervalMs?: number;
  /** Longest wait for a driver's first reading. Milliseconds. */
  readonly startDeadlineMs?: number;
}

export interface ChosenProbe {
  readonly probe: DeviceProbe;
  /** What a person should know about the choice; null when nothing. */
  readonly note: string | null;
}

/**
 * Finds the probe that a spec asks for and starts it, so that what it answers is known; `start` of the answer
 * joins it. Whoever calls must `stop` the answer in the end, started or not.
 *
 * `auto` takes NVML, else nvidia-smi, else AMD's driver, else two virtual devices. It does not turn to virtual devices when there
 * is an NVIDIA driver that fails: jobs meant for GPUs would then run beside them.
 * @throws {UnavailableError} when what was asked for is not there, saying what to do.
 */
export async function chooseProbe(spec: DeviceSpec, options: ProbeChoiceOptions): Promise<ChosenProbe> {
  const { usageOf, ...driver } = options;
  const { intervalMs = 1000, env = process.env } = driver;
  const amd = { intervalMs, sys: env.STINT_SYSFS || '/sys' };
  switch (spec.kind) {
    case 'virtual':
      return { probe: new VirtualProbe({ ...spec, usageOf, ...driver }), note: null };
    case 'nvml':
      return { probe: await started(new NvmlProbe(driver)), note: null };
    case 'nvidia-smi':
      return { probe: await started(new NvidiaSmiProbe(driver)), note: null };
    case 'amd':
      return { probe: await started(new AmdProbe(amd)), note: null };
    case 'auto': {
      const nvml = await attempt(new NvmlProbe(driver));
      if (!(nvml instanceof ProbeError)) return { probe: nvml, note: null };
      const smi = await attempt(new NvidiaSmiProbe(driver));
      if (!(smi instanceof ProbeError)) {
        return { probe: smi, note: `Readings come from nvidia-smi, because ${nvml.problem}.` };
      }
      if (!nvml.absent || !smi.absent) {
        throw new ProbeError(
          `there is an NVIDIA driver, but it does not answer: ${nvml.problem}; ${smi.problem}`,
          'mend the driver (restart the machine after a driver upgrade), or start with --devices virtual:2 to ' +
            'run jobs without GPUs',
          false,
        );
      }
      const cards = await attempt(new AmdProbe(amd));
      if (!(cards instanceof ProbeError)) return { probe: cards, note: null };
      const fallback = { count: 2, memoryMib: DEFAULT_VIRTUAL_MIB, usageOf, ...driver };
      return {
        probe: new VirtualProbe(fallback),
        note: 'No driver of NVIDIA or AMD was found, so jobs run on two virtual devices, on the CPU; --devices nvml says why.',
      };
    }
  }
}

async function attempt(probe: DeviceProbe): Promise<DeviceProbe | ProbeError> {
  try {
    return await started(probe);
  } catch (error) {
    if (error instanceof ProbeError) return error;
    throw error;
  }
}

/** A probe that runs already; what it says before somebody listens is kept for them. */
async function started(probe: DeviceProbe): Promise<DeviceProbe> {
  let listener: ProbeListener | null = null;
  let latest: ProbeReport | null = null;
  let trouble: string | null = null;
  const first = await probe.start({
    onReport: (report) => {
      latest = report;
      listener?.onReport(report);
    },
    onTrouble: (sentence) => {
      trouble = sentence;
      listener?.onTrouble(sentence);
    },
    onFaults: (faults) => listener?.onFaults?.(faults),
    onMeasured: (measured) => listener?.onMeasured?.(measured),
  });
  return {
    kind: probe.kind,
    ...(probe.focus === undefined ? {} : { focus: (ids) => probe.focus?.(ids) }),
    start: async (joined) => {
      listener = joined;
      const report = latest ?? first;
      joined.onReport(report);
      if (trouble !== null) joined.onTrouble(trouble);
      return report;
    },
    stop: () => probe.stop(),
  };
}
