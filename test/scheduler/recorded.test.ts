import { describe, expect, it } from 'vitest';
import { decisionSchema } from '../../src/domain/decision.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { MAX_RECORDED, recordedCandidates } from '../../src/scheduler/recorded.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { brief, snapshot, waiting } from './build.ts';

const stored = decisionSchema.pick({ candidates: true, candidateCount: true, chosen: true });

/** Scores candidates ascending, and chooses this one. */
const choosing = (index: number): Policy => ({
  name: 'dqn',
  version: '1',
  choose: ({ candidates }) => ({
    index,
    scores: candidates.map((_, i) => i),
    epsilon: 0,
    explored: true,
    features: null,
  }),
});

function record(snap: Snapshot, policy: Policy) {
  const heuristic = heuristicByName('fifo');
  const step = decide({ snapshot: snap, policy, heuristic, rng: seededRng(1), limits: DEFAULT_LIMITS });
  return { step, kept: stored.parse(recordedCandidates(step)) };
}

describe('what is recorded of a decision', () => {
  it('is everything when that is little', () => {
    const { step, kept } = record(snapshot({ waiting: [waiting(1), waiting(2, { gpus: 9 })] }), choosing(0));
    expect(kept).toEqual({
      candidates: [
        { action: step.candidates[0]?.action, score: 0, vetoes: [] },
        { action: step.candidates[1]?.action, score: null, vetoes: step.candidates[1]?.vetoes },
        { action: { kind: 'wait' }, score: 1, vetoes: [] },
      ],
      candidateCount: 3,
      chosen: 0,
    });
  });

  it('keeps the chosen, wait, the best and the vetoed of many', () => {
    const jobs = Array.from({ length: 200 }, (_, i) => waiting(i + 1, i % 2 ? { gpus: 9 } : {}));
    const { step, kept } = record(snapshot({ waiting: jobs }), choosing(3));
    expect(kept.candidateCount).toBe(201);
    expect(kept.candidates).toHaveLength(MAX_RECORDED);
    expect(kept.candidates[kept.chosen]?.action).toEqual(step.chosen);
    expect(brief(step.chosen)).toBe('7>g0');
    const names = kept.candidates.map(({ action }) => brief(action));
    // The 39 best besides the chosen: wait and the last 38 of the odd jobs.
    expect(names).toContain('wait');
    expect(names).toContain('199>g0');
    expect(names).toContain('125>g0');
    expect(names).not.toContain('123>g0');
    expect(kept.candidates.filter(({ vetoes }) => vetoes.length > 0)).toHaveLength(MAX_RECORDED - 40);
  });

  it('fills up with the allowed where few are vetoed', () => {
    const jobs = Array.from({ length: 200 }, (_, i) => waiting(i + 1));
    expect(record(snapshot({ waiting: jobs }), choosing(0)).kept.candidates).toHaveLength(MAX_RECORDED);
  });

  it('copes when nothing was allowed', () => {
    const jobs = Array.from({ length: 200 }, (_, i) => waiting(i + 1, { gpus: 9 }));
    const { kept } = record(snapshot({ waiting: jobs }), choosing(0));
    expect(kept.candidates).toHaveLength(MAX_RECORDED);
    expect(kept.candidates[kept.chosen]?.action).toEqual({ kind: 'wait' });
  });
});
