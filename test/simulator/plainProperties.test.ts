import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlainTrace } from '../../src/simulator/plain/plainTrace.ts';
import { PLAIN_POLICIES } from '../../src/simulator/plain/policies.ts';
import { plainTrace, type ShortJob, type Stretch, scheduleOf } from './plainTraces.ts';

/** Instants that are closer together are one. */
const HAIR_S = 1e-5;

const jobs = (mostGpus: number) =>
  fc
    .array(
      fc.tuple(
        // Few different values, so that there are ties; some with decimals that no double holds.
        fc.oneof(
          fc.integer({ min: 0, max: 40 }).map((s) => s * 50),
          fc.integer({ min: 0, max: 20_000 }).map((s) => s / 10),
        ),
        fc.oneof(
          fc.integer({ min: 0, max: 1000 }),
          fc.integer({ min: 0, max: 9000 }).map((s) => s / 10),
        ),
        fc.integer({ min: 1, max: mostGpus }),
      ),
      { minLength: 1, maxLength: 30 },
    )
    .map((list) => (list as ShortJob[]).toSorted((a, b) => a[0] - b[0]));
/** In whole seconds, of which sums are exact. */
const wholeJobs = jobs(8).map((list) =>
  list.map(([submitS, durationS, gpus]): ShortJob => [Math.floor(submitS), Math.ceil(durationS), gpus]),
);
const POLICY = fc.constantFrom(...PLAIN_POLICIES.map((policy) => policy.name));
const GPUS = fc.integer({ min: 1, max: 8 });

/** GPUs in use just after each instant at which something changed. */
function usage(trace: PlainTrace, stretches: readonly Stretch[]): { atS: number; used: number }[] {
  const instants = [...new Set(stretches.flatMap(({ fromS, toS }) => [fromS, toS]))];
  return instants.map((atS) => {
    const running = stretches.filter(({ fromS, toS }) => fromS <= atS && atS < toS);
    return { atS, used: running.reduce((sum, { row }) => sum + trace.gpus[row]!, 0) };
  });
}

describe('over random traces', () => {
  it('no GPU is given twice, and no job runs beside itself or before its submission', () => {
    fc.assert(
      fc.property(jobs(10), GPUS, POLICY, (list, gpus, policy) => {
        const trace = plainTrace(list);
        const { outcome, stretches } = scheduleOf(trace, gpus, policy);
        for (const { used } of usage(trace, stretches)) expect(used).toBeLessThanOrEqual(gpus);
        for (let row = 0; row < trace.jobs; row++) {
          const own = stretches.filter((stretch) => stretch.row === row);
          expect(own.length).toBe(outcome.rejected[row] === 1 ? 0 : outcome.preemptions[row]! + 1);
          own.reduce((beforeS, { fromS, toS }) => {
            expect(fromS).toBeGreaterThanOrEqual(beforeS);
            return toS;
          }, trace.submitS[row]!);
        }
      }),
    );
  });

  it('every job that fits gets just the service that it asks for, on all of its GPUs, and takes that long', () => {
    fc.assert(
      fc.property(jobs(10), GPUS, POLICY, (list, gpus, policy) => {
        const trace = plainTrace(list);
        const { outcome, stretches } = scheduleOf(trace, gpus, policy);
        for (let row = 0; row < trace.jobs; row++) {
          expect(outcome.rejected[row] === 1).toBe(trace.gpus[row]! > gpus);
          if (outcome.rejected[row] === 1) continue;
          const own = stretches.filter((stretch) => stretch.row === row);
          const servedS = own.reduce((sum, { fromS, toS }) => sum + toS - fromS, 0);
          expect(Math.abs(servedS - trace.durationS[row]!)).toBeLessThan(HAIR_S);
          expect(own.at(-1)!.toS).toBe(outcome.finishS[row]);
          const jctS = outcome.finishS[row]! - trace.submitS[row]!;
          expect(jctS).toBeGreaterThanOrEqual(trace.durationS[row]! - 1e-9);
        }
      }),
    );
  });

  it('on one GPU nobody has a lower mean completion time than srtf', () => {
    fc.assert(
      fc.property(jobs(1), POLICY, (list, policy) => {
        const trace = plainTrace(list);
        const total = (name: string) =>
          scheduleOf(trace, 1, name).outcome.finishS.reduce((sum, s) => sum + s, 0);
        expect(total('srtf')).toBeLessThanOrEqual(total(policy) + HAIR_S * trace.jobs);
      }),
    );
  });

  it.each(['first-fit', 'sjf', 'srtf', 'srsf', 'las'])('%s leaves nobody waiting who would fit', (policy) => {
    fc.assert(
      fc.property(wholeJobs, GPUS, (list, gpus) => {
        const trace = plainTrace(list);
        const { outcome, stretches } = scheduleOf(trace, gpus, policy);
        for (const { atS, used } of usage(trace, stretches)) {
          for (let row = 0; row < trace.jobs; row++) {
            const there = trace.submitS[row]! <= atS && atS < outcome.finishS[row]!;
            if (outcome.rejected[row] === 1 || !there) continue;
            const runs = stretches.some((s) => s.row === row && s.fromS <= atS && atS < s.toS);
            if (!runs) expect(trace.gpus[row]!).toBeGreaterThan(gpus - used);
          }
        }
      }),
    );
  });

  it('whose the jobs are changes nothing', () => {
    fc.assert(
      fc.property(jobs(8), GPUS, POLICY, (list, gpus, policy) => {
        const named = list.map(
          ([submitS, durationS, asked], i) => [submitS, durationS, asked, `user${i % 3}`] as const,
        );
        expect(scheduleOf(plainTrace(named), gpus, policy)).toEqual(
          scheduleOf(plainTrace(list), gpus, policy),
        );
      }),
    );
  });
});
