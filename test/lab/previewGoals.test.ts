import { describe, expect, it } from 'vitest';
import type { PastJob } from '../../src/domain/pastJob.ts';
import type { PreviewTask } from '../../src/domain/previewMessage.ts';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import { previewGoals } from '../../src/lab/preview/previewGoals.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { past } from './pastJobs.ts';

const FROM_MS = 1_795_000_000_000;

/** Short jobs first where completion counts at all, else in order: a policy that goes by goals, and is easy to foresee. */
const byGoals = (): Policy => ({
  name: 'dqn',
  version: '1',
  choose: ({ snapshot, candidates }) => {
    const launches = candidates.filter(({ kind }) => kind === 'launch') as { jobId: number }[];
    const lengthOf = (id: number): number => snapshot.waiting.find((job) => job.id === id)!.remaining!.p50S;
    const order = launches.toSorted((a, b) =>
      snapshot.goals.completion > 0 ? lengthOf(a.jobId) - lengthOf(b.jobId) : a.jobId - b.jobId,
    );
    const index = order.length === 0 ? candidates.length - 1 : candidates.indexOf(order[0] as never);
    return { index, scores: null, epsilon: null, explored: false, features: null };
  },
});

/** On one GPU: a job that runs, and behind it a long and a short one. */
const QUEUE: readonly PastJob[] = [
  past(1, 0, 0, 100, { estimateS: 100 }),
  past(2, 1, 100, 1000, { estimateS: 1000 }),
  past(3, 2, 1100, 10, { estimateS: 10 }),
];
const task = (change: Partial<PreviewTask> = {}): PreviewTask => ({
  history: QUEUE,
  fromMs: FROM_MS,
  toMs: FROM_MS + 1e9,
  devicesMib: [8192],
  policy: { name: 'dqn', version: '1', weights: null, bandit: null },
  now: { ...DEFAULT_GOALS, completion: 0 },
  instead: DEFAULT_GOALS,
  seed: 1,
  ...change,
});

describe('a preview of other goals', () => {
  it('says who would have started earlier and later, and what that is worth', () => {
    const told: number[] = [];
    const found = previewGoals(task(), byGoals, (fraction) => told.push(fraction))!;
    expect(found).toMatchObject({
      policy: 'dqn',
      heeds: true,
      jobs: 3,
      gpus: 1,
      earlier: 1,
      later: 1,
      same: 1,
    });
    expect(found.now.meanWaitS).toBeCloseTo((0 + 99 + 1098) / 3, 3);
    expect(found.instead.meanWaitS).toBeCloseTo((0 + 109 + 98) / 3, 3);
    expect(found.instead.gpuHours).toBeCloseTo(1110 / 3600, 6);
    expect(found.moved.map(({ jobId, startMs, insteadMs }) => [jobId, (insteadMs - startMs) / 1000])).toEqual(
      [
        [3, -1000],
        [2, 10],
      ],
    );
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
  });

  it('leaves everything as it is where the goals are the same, and says what it leaves out', () => {
    const history = [...QUEUE, past(4, 3, null, 0), past(5, 4, 5, 10, { gpus: 0, devices: [] })];
    const same = previewGoals(task({ history, now: DEFAULT_GOALS }), byGoals, () => undefined)!;
    expect(same).toMatchObject({ jobs: 3, earlier: 0, later: 0, moved: [] });
    expect(same.limits).toContain('Jobs without a GPU: 1, left out.');
    expect(same.limits).toContain('Jobs that never ran: 1, left out.');
  });

  it('is of jobs that arrived in that time, and of nothing where there are none that fit', () => {
    expect(previewGoals(task({ fromMs: FROM_MS + 1000 }), byGoals, () => undefined)).toMatchObject({
      jobs: 2,
    });
    expect(previewGoals(task({ devicesMib: [] }), byGoals, () => undefined)).toBe(null);
  });
});
