import type { Standing } from '../../domain/policyVersion.ts';
import { meanIntervals } from '../evaluate/bootstrap.ts';

/** How one policy fared in one world. */
export interface Fared {
  readonly meanJctS: number;
  readonly maxWaitS: number;
}

/** One world under the candidate, the version in charge and the heuristics. */
export interface JudgedWorld {
  readonly candidate: Fared;
  readonly inCharge: Fared;
  /** In the same order in every world. */
  readonly heuristics: readonly (Fared & { readonly policy: string })[];
}

/** A wait may be longer than under the version in charge by this factor, or by `WAIT_SLACK_S`, whichever is more. */
const WAIT_FACTOR = 1.5;
/** Waits that differ by less are alike. Seconds. */
const WAIT_SLACK_S = 3600;
/** The candidate may not be worse than this heuristic, which decides where it fails, by more than 2 %. */
const FLOOR = { policy: 'aged', ratio: 1.02 } as const;
/** Completion times below a millisecond count as one. */
const LEAST_S = 1e-3;

/**
 * Whether a candidate may take charge: the upper end of the 95 % interval of its mean completion time relative to the
 * version in charge, geometric mean over paired worlds, lies below 1; nobody waits much longer in any world; and it is no worse
 * than `aged`.
 * @param worlds at least two.
 */
export function verdictOn(
  worlds: readonly JudgedWorld[],
  inCharge: string,
): { readonly passed: boolean; readonly reason: string; readonly standings: readonly Standing[] } {
  const names = [inCharge, ...worlds[0]!.heuristics.map(({ policy }) => policy)];
  const others = (world: JudgedWorld): readonly Fared[] => [world.inCharge, ...world.heuristics];
  const logs = names.map((_, i) =>
    Float64Array.from(worlds, (world) => logRatio(world.candidate.meanJctS, others(world)[i]!.meanJctS)),
  );
  const intervals = meanIntervals({ counts: worlds.map(() => 1), sums: logs });
  const standings = names.map((policy, i): Standing => {
    const interval = intervals[i] ?? null;
    return {
      policy,
      ratio: Math.exp(logs[i]!.reduce((sum, value) => sum + value, 0) / worlds.length),
      low: interval === null ? null : Math.exp(interval[0]),
      high: interval === null ? null : Math.exp(interval[1]),
      worstWaitRatio: Math.max(
        ...worlds.map((world) => Math.exp(logRatio(world.candidate.maxWaitS, others(world)[i]!.maxWaitS))),
      ),
    };
  });
  const [first] = standings;
  const starved = worlds.findIndex(
    ({ candidate, inCharge: now }) =>
      candidate.maxWaitS > Math.max(WAIT_FACTOR * now.maxWaitS, now.maxWaitS + WAIT_SLACK_S),
  );
  const floor = standings.find(({ policy }) => policy === FLOOR.policy);
  const percent = (ratio: number): string => `${(100 * (ratio - 1)).toFixed(1)} %`;
  const refuse = (reason: string) => ({ passed: false, reason, standings });
  if (first!.high === null || first!.high >= 1) {
    return refuse(
      `no certain gain over ${inCharge}: mean completion time ${percent(first!.ratio)} (95 % between ` +
        `${percent(first!.low ?? first!.ratio)} and ${percent(first!.high ?? first!.ratio)})`,
    );
  }
  if (starved >= 0) {
    return refuse(
      `somebody waits too long: ${Math.round(worlds[starved]!.candidate.maxWaitS)} s where it was ` +
        `${Math.round(worlds[starved]!.inCharge.maxWaitS)} s under ${inCharge}`,
    );
  }
  if (floor !== undefined && floor.ratio > FLOOR.ratio) {
    return refuse(`worse than ${FLOOR.policy}: mean completion time ${percent(floor.ratio)}`);
  }
  return {
    passed: true,
    reason: `mean completion time ${percent(first!.ratio)} against ${inCharge}, at least ${percent(first!.high)} for certain`,
    standings,
  };
}

const logRatio = (a: number, b: number): number => Math.log(Math.max(LEAST_S, a) / Math.max(LEAST_S, b));
