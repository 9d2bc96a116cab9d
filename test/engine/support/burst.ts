import { randomInt, seededRng } from '../../../src/domain/rng.ts';
import type { Policy } from '../../../src/scheduler/policy.ts';
import { simulate } from '../../../src/simulator/machine.ts';

/** A short real job of a burst. */
export interface BurstJob {
  readonly atS: number;
  readonly sleepS: number;
  readonly gpus: number;
  readonly user: string;
  readonly priority: number;
}

/** The machine that a burst is for. */
export const DEVICES = 4;
export const VRAM_MIB = 8192;

const JOBS = 40;
const LONGEST_S = 2;
/** When the second part of a burst comes, and how long its submissions may take. */
const SECOND_S = 4;
const SUBMITTING_S = 0.25;
/** Between two things that a decision hangs on. */
const GAP_S = 0.25;

/** What a start may take. */
const START_S = 0.04;

/**
 * Forty jobs of 0.3 to 2 s for four GPUs. The first two fill the machine, so that a queue forms behind them in the order
 * of submission; a third of the jobs come later, into the midst of it. Durations are such that under `policy` no two
 * ends, and no end and an arrival, come close together: which of them is first would then be chance on a real machine,
 * and no simulator's to know.
 * @throws {Error} for a seed from which no such burst can be made.
 */
export function burst(policy: Policy, seed: number): BurstJob[] {
  const jobs = spaced(drawn(seed), policy);
  if (jobs === null) throw new Error(`seed ${seed} makes no burst for ${policy.name}: try another`);
  return jobs;
}

function drawn(seed: number): BurstJob[] {
  const rng = seededRng(seed);
  return Array.from({ length: JOBS }, (_, i) => {
    const sleepS = 0.3 + 0.6 * rng.next();
    const gpus = rng.next() < 0.65 ? 1 : 2;
    const user = rng.next() < 0.7 ? 'ada' : 'ben';
    const priority = 5 * randomInt(rng, 4);
    const second = i >= 27;
    return i < 2
      ? { atS: 0, sleepS: LONGEST_S - 0.4 * i, gpus: 2, user, priority }
      : { atS: second ? SECOND_S : 0, sleepS, gpus, user, priority };
  });
}

/** Lengthens jobs, the first to end first, until their ends are apart; null when one gets too long. */
function spaced(jobs: BurstJob[], policy: Policy): BurstJob[] | null {
  for (;;) {
    const ends = endsOf(jobs, policy);
    let clearS = 0;
    const close = ends.find(({ atS }) => {
      if (atS < clearS - 1e-6 || isBesideSecond(atS)) return true;
      clearS = atS + GAP_S;
      return false;
    });
    if (close === undefined) return jobs;
    const laterS = isBesideSecond(Math.max(close.atS, clearS)) ? SECOND_S + SUBMITTING_S + GAP_S : clearS;
    const job = jobs[close.index]!;
    const sleepS = job.sleepS + laterS - close.atS;
    if (sleepS > LONGEST_S) return null;
    jobs[close.index] = { ...job, sleepS };
  }
}

const isBesideSecond = (atS: number): boolean =>
  atS > SECOND_S - GAP_S && atS < SECOND_S + SUBMITTING_S + GAP_S - 1e-6;

/** In order. */
function endsOf(jobs: readonly BurstJob[], policy: Policy): { index: number; atS: number }[] {
  const world = {
    startS: START_S,
    devicesMib: Array.from({ length: DEVICES }, () => VRAM_MIB),
    jobs: jobs.map(({ atS, sleepS, gpus, user, priority }, i) => ({
      id: i + 1,
      submittedAtS: atS,
      durationS: sleepS,
      predicted: null,
      gpus,
      vramMib: null,
      exclusive: false,
      priority,
      user,
    })),
  };
  return simulate(world, { policy, heuristic: policy, rng: seededRng(1) }).map(({ job, finishedAtS }) => ({
    index: job.id - 1,
    atS: finishedAtS,
  }));
}
