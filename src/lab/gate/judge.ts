import { messageOf } from '../../domain/errors.ts';
import type { GateTask } from '../../domain/gateMessage.ts';
import type { GateReport } from '../../domain/policyVersion.ts';
import { sanityCheck } from '../../learning/policyCheck.ts';
import { FEATURE_NAMES } from '../../scheduler/features.ts';
import { decodeWeights, type Weights } from '../../scheduler/network.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../../scheduler/policies/dqn.ts';
import { LAB_POLICY_NAMES, labPolicy } from '../../scheduler/policies/heuristics.ts';
import type { Policy } from '../../scheduler/policy.ts';
import { worldOf } from '../../simulator/regimes.ts';
import type { SimulatedWorld } from '../../simulator/world.ts';
import { loadSuites } from '../evaluate/suites.ts';
import { cutWindows, fitWindow } from '../evaluate/windows.ts';
import { isYardstick } from '../policies.ts';
import { recordingOf } from '../replay/record.ts';
import { fitsMachine, replayWorld } from '../replay/replayWorld.ts';
import { runWorld, seedFor } from '../runWorld.ts';
import { simulationRow } from '../simulationRow.ts';
import { type Fared, type JudgedWorld, verdictOn } from './verdict.ts';

const DAY_MS = 86_400_000;
/** A day of the record with fewer jobs says nothing of an order. */
const LEAST_JOBS_OF_DAY = 10;
const STANDING_GPUS = [1, 2, 4, 8];
const STANDING_LOAD = 0.8;
const JOBS_PER_WORLD = 100;
const VRAM_MIB = 24 * 1024;

interface World {
  readonly world: SimulatedWorld;
  readonly gpus: number;
}

/**
 * Judges a candidate on the owner's own recent days and on a standing suite, paired: every world under the candidate, the
 * weights in charge and all heuristics that live jobs can be left to. The candidate never takes a decision outside of it.
 * @param atMs of the report. @param clock seconds, for how long it took. @param rest after each run of a world.
 * @throws {WeightsError} when the weights in charge cannot be used.
 */
export async function judge(
  task: GateTask,
  atMs: number,
  clock: () => number,
  rest: () => Promise<void>,
): Promise<GateReport> {
  const beganS = clock();
  const own = ownDays(task);
  const standing = await standingWorlds(task);
  const base = {
    atMs,
    against: task.inCharge.version,
    ownDays: own.length,
    standingWorlds: standing.length,
  };
  const refused = (reason: string): GateReport => ({
    ...base,
    passed: false,
    reason,
    standings: [],
    tookS: clock() - beganS,
  });
  let candidate: Weights;
  try {
    candidate = decodeWeights(task.candidate, FEATURE_NAMES);
    sanityCheck(candidate);
  } catch (error) {
    return refused(messageOf(error));
  }
  const now = decodeWeights(task.inCharge.weights, FEATURE_NAMES);
  const worlds: JudgedWorld[] = [];
  for (const [i, { world, gpus }] of [...own, ...standing].entries()) {
    const seed = seedFor(task.seed, i);
    const under = async (policy: Policy): Promise<Fared> => {
      await rest();
      const outcomes = runWorld(world, policy, seed);
      const row = simulationRow(policy, outcomes, { gpus, rejected: 0 });
      return { meanJctS: row.mean_jct_s, maxWaitS: row.max_wait_s };
    };
    let fared: Fared;
    try {
      fared = await under(learned(candidate));
    } catch (error) {
      // It left jobs waiting for ever, or gave scores that are not finite.
      return refused(`on one of the worlds: ${messageOf(error)}`);
    }
    const inCharge = await under(learned(now));
    const heuristics: (Fared & { readonly policy: string })[] = [];
    for (const policy of HEURISTICS) heuristics.push({ policy, ...(await under(labPolicy(policy))) });
    worlds.push({ candidate: fared, inCharge, heuristics });
  }
  return { ...base, ...asReport(verdictOn(worlds, task.inCharge.version)), tookS: clock() - beganS };
}

/** `random` is nobody's choice. */
const HEURISTICS = LAB_POLICY_NAMES.filter((name) => name !== 'random' && isYardstick(labPolicy(name)));

const learned = (weights: Weights): Policy =>
  createDqnPolicy({ weights, version: 'judged', exploration: NO_EXPLORATION });

const asReport = ({ passed, reason, standings }: ReturnType<typeof verdictOn>) => ({
  passed,
  reason,
  standings: [...standings],
});

/** Days of the record, in the engine's time: each begins with an empty machine. */
function ownDays({ history, devicesMib }: GateTask): World[] {
  if (devicesMib.length === 0) return [];
  const days = Map.groupBy(history, ({ readyAtMs }) => Math.floor(readyAtMs / DAY_MS));
  return [...days.values()].flatMap((jobs) => {
    const recording = recordingOf(jobs, () => true);
    const fitting = recording.jobs.filter((job) => fitsMachine(job, devicesMib));
    if (fitting.length < LEAST_JOBS_OF_DAY) return [];
    const machine = { devicesMib, startS: recording.startS };
    return [{ world: replayWorld(fitting, recording.originMs, machine, true), gpus: devicesMib.length }];
  });
}

async function standingWorlds({ seed, jobsPerWorld = JOBS_PER_WORLD }: GateTask): Promise<World[]> {
  const traces = await loadSuites([{ name: 'standing', path: '' }]);
  const worlds: World[] = [];
  for (const [i, { jobs }] of traces.entries()) {
    const windows = cutWindows(jobs, jobsPerWorld);
    for (const [j, gpus] of STANDING_GPUS.entries()) {
      const fitted = fitWindow(windows[j % windows.length]!.jobs, { gpus, vramMib: VRAM_MIB }, STANDING_LOAD);
      if ('reason' in fitted) continue;
      const options = { gpus, vramMib: VRAM_MIB, seed: seedFor(seed, 1000 + 10 * i + j) };
      worlds.push({ world: worldOf('workstation', fitted.jobs, options), gpus });
    }
  }
  return worlds;
}
