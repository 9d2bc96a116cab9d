import { messageOf } from '../../domain/errors.ts';
import { sanityCheck } from '../../learning/policyCheck.ts';
import type { Weights } from '../../scheduler/network.ts';
import { meanIntervals } from '../evaluate/bootstrap.ts';
import type { Threads } from '../threads.ts';
import type { Acted, ActingJob, Actor } from './acting.ts';

/** Mean completion times in the validation worlds against the yardstick's, with the 95 % interval over worlds. */
export async function ratioOf(
  threads: Threads<ActingJob, Acted>,
  baseline: readonly number[],
  actor: Actor,
): Promise<{ ratio: number; low: number; high: number }> {
  const acted = await Promise.all(
    baseline.map((_, world) => threads.run({ kind: 'validate', world, actor })),
  );
  const logs = acted.map(({ meanJctS }, world) => Math.log(meanJctS / baseline[world]!));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const [interval] = meanIntervals({ counts: logs.map(() => 1), sums: [Float64Array.from(logs)] });
  const [low, high] = interval ?? [mean, mean];
  return { ratio: Math.exp(mean), low: Math.exp(low), high: Math.exp(high) };
}

/** Why weights cannot be chosen; null: they can. */
export function troubleWith(weights: Weights): string | null {
  try {
    sanityCheck(weights);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
