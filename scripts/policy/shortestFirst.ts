import { priorityWeight } from '../../src/domain/reward.ts';
import type { Policy } from '../../src/scheduler/policy.ts';

/**
 * The demonstrator: least predicted GPU time per weight first (Smith 1956); placements in the order they come. A job
 * of which nothing is predicted counts as twice the geometric mean of the others: about what a log-normal duration
 * is on average.
 */
export const shortestFirst: Policy = {
  name: 'shortest-first',
  version: '1',
  choose({ snapshot, candidates }) {
    const known = [...snapshot.waiting, ...snapshot.running].flatMap(({ remaining }) => remaining ?? []);
    const unknownS =
      2 * Math.exp(known.reduce((sum, { p50S }) => sum + Math.log(p50S), 0) / Math.max(1, known.length));
    const work = new Map(
      snapshot.waiting.map((job) => [
        job.id,
        ((job.remaining?.p50S ?? unknownS) * Math.max(1, job.gpus)) / priorityWeight(job.priority),
      ]),
    );
    let index = candidates.length - 1;
    let least = Number.POSITIVE_INFINITY;
    candidates.forEach((action, i) => {
      const w = action.kind === 'launch' ? work.get(action.jobId)! : Number.POSITIVE_INFINITY;
      if (w < least) [index, least] = [i, w];
    });
    return { index, scores: null, epsilon: null, explored: false, features: null };
  },
};
