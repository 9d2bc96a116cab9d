import { describe, expect, it } from 'vitest';
import { normalCdf, normalQuantile } from '../../src/domain/normal.ts';
import { randomNormal, seededRng } from '../../src/domain/rng.ts';
import {
  DurationModel,
  type FinishedRun,
  MOST_KEYS,
  type RunKeys,
  remainingAfter,
} from '../../src/scheduler/durationModel.ts';
import { generateJobs, PRESET_NAMES } from '../../src/simulator/generator/generate.ts';

const KEYS: RunKeys = { project: 'vision', user: 'ada', script: 'python train.py', exact: 'python train.py' };
const run = (durationS: number, more: Partial<FinishedRun> = {}): FinishedRun => ({
  ...KEYS,
  durationS,
  estimateS: null,
  ...more,
});
const medianS = (model: DurationModel, keys: RunKeys = KEYS, estimateS: number | null = null): number =>
  Math.exp(model.predict(keys, estimateS)!.mu);

describe('the normal distribution', () => {
  it('has the tabulated values', () => {
    const cdf = [-8, -3, -1, 0, 1.96, 3].map(normalCdf);
    const known = [
      6.220960574271785e-16, 0.0013498980316301, 0.1586552539314571, 0.5, 0.9750021048517795,
      0.9986501019683699,
    ];
    for (const [i, value] of cdf.entries()) expect(value / known[i]!).toBeCloseTo(1, 7);
  });

  it('is undone by its inverse', () => {
    for (const p of [1e-9, 0.001, 0.02, 0.1, 0.5, 0.77, 0.98, 0.9999]) {
      expect(normalCdf(normalQuantile(p)) / p).toBeCloseTo(1, 7);
    }
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

describe('a predicted duration', () => {
  it('is unknown where nothing is known', () => {
    expect(new DurationModel().predict(KEYS, null)).toBeNull();
  });

  it('goes by the same command before its script, by that before its project, and by that before all', () => {
    const model = new DurationModel();
    const other = (n: number): Partial<FinishedRun> => ({
      user: 'ben',
      project: 'speech',
      script: `s${n}`,
      exact: `s${n}`,
    });
    for (let n = 0; n < 20; n++) model.learn(run(100_000, other(n)));
    expect(model.predict(KEYS, null)?.source).toBe('all');
    for (let n = 0; n < 5; n++) model.learn(run(10_000, { script: `t${n}`, exact: `t${n}` }));
    expect(model.predict(KEYS, null)?.source).toBe('project');
    for (let n = 0; n < 5; n++) model.learn(run(1000, { exact: `python train.py --seed ${n}` }));
    expect(model.predict(KEYS, null)?.source).toBe('script');
    expect(medianS(model)).toBeGreaterThan(1000);
    expect(medianS(model)).toBeLessThan(1500);
    for (let n = 0; n < 5; n++) model.learn(run(100));
    expect(model.predict(KEYS, null)?.source).toBe('command');
    expect(medianS(model)).toBeGreaterThan(100);
    expect(medianS(model)).toBeLessThan(150);
  });

  it('is surer the more alike the runs were, and the more there were', () => {
    const sigmaAfter = (durations: readonly number[]): number => {
      const model = new DurationModel();
      for (const durationS of durations) model.learn(run(durationS));
      return model.predict(KEYS, null)!.sigma;
    };
    expect(sigmaAfter([100, 100, 100, 100])).toBeLessThan(sigmaAfter([100]));
    expect(sigmaAfter([100, 100, 100, 100])).toBeLessThan(sigmaAfter([20, 500, 50, 200]));
  });

  it('follows a command that changed', () => {
    const model = new DurationModel();
    for (let n = 0; n < 200; n++) model.learn(run(100));
    for (let n = 0; n < 60; n++) model.learn(run(1000));
    expect(medianS(model)).toBeGreaterThan(500);
  });

  it('forgets the commands that were longest not run, however many there come to be', () => {
    const model = new DurationModel();
    const source = (exact: string) => model.predict({ ...KEYS, exact }, null)!.source;
    model.learn(run(60, { exact: 'first' }));
    model.learn(run(60, { exact: 'often' }));
    for (let i = 0; i < MOST_KEYS + 10; i++) {
      model.learn(run(60, { exact: `train ${i}` }));
      if (i % 1000 === 0) model.learn(run(60, { exact: 'often' }));
    }
    expect([source('first'), source('train 0'), source('often'), source(`train ${MOST_KEYS}`)]).toEqual([
      'script',
      'script',
      'command',
      'command',
    ]);
  });

  it('takes a guess as what it is worth: less beside many runs, and corrected by what its user is off by', () => {
    const model = new DurationModel();
    expect(medianS(model, KEYS, 3600)).toBeCloseTo(3600, 6);
    const guess = (n: number) => ({ script: `g${n}`, exact: `g${n}`, project: `p${n}`, estimateS: 1000 });
    for (let n = 0; n < 30; n++) model.learn(run(250, guess(n)));
    const unknown = { ...KEYS, project: 'new', script: 'new', exact: 'new' };
    const corrected = medianS(model, unknown, 8000);
    expect(corrected).toBeLessThan(8000);
    for (let n = 0; n < 30; n++) model.learn(run(60));
    expect(medianS(model, KEYS, 8000)).toBeLessThan(200);
  });

  it('goes by progress the more the further it is', () => {
    const model = new DurationModel();
    for (let n = 0; n < 10; n++) model.learn(run(1000));
    const at = (fraction: number): number =>
      Math.exp(model.predict(KEYS, null, { fraction, ranS: 4000 * fraction })!.mu);
    expect(at(0.9)).toBeGreaterThan(at(0.1));
    expect(at(0.9)).toBeGreaterThan(3000);
    expect(model.predict(KEYS, null, { fraction: 0.9, ranS: 3600 })?.source).toBe('progress');
    expect(model.predict(KEYS, null, { fraction: 0.01, ranS: 40 })?.source).toBe('command');
  });
});

describe('what is left of a run', () => {
  it('has ascending quantiles above 0, however long it has run', () => {
    for (const sigma of [0.05, 0.7, 2]) {
      for (const ranS of [0, 1, 1000, 1e5, 1e12]) {
        const { p10S, p50S, p90S } = remainingAfter({ mu: Math.log(1000), sigma, source: 'all' }, ranS);
        expect(p10S).toBeGreaterThan(0);
        expect(p50S).toBeGreaterThanOrEqual(p10S);
        expect(p90S).toBeGreaterThanOrEqual(p50S);
        expect(p90S).toBeLessThan(Number.POSITIVE_INFINITY);
      }
    }
  });

  it('is that of the runs that last longer, as sampling tells', () => {
    const rng = seededRng(3);
    const left: number[] = [];
    for (let i = 0; i < 200_000; i++) {
      const durationS = 1000 * Math.exp(0.8 * randomNormal(rng));
      if (durationS > 1500) left.push(durationS - 1500);
    }
    left.sort((a, b) => a - b);
    const spread = remainingAfter({ mu: Math.log(1000), sigma: 0.8, source: 'all' }, 1500);
    const at = (p: number): number => left[Math.floor(p * left.length)]!;
    expect(spread.p10S / at(0.1)).toBeCloseTo(1, 1);
    expect(spread.p50S / at(0.5)).toBeCloseTo(1, 1);
    expect(spread.p90S / at(0.9)).toBeCloseTo(1, 1);
  });
});

describe('the calibration', () => {
  it.each(PRESET_NAMES)('of held-back jobs of %s: 70 to 90 percent lie in the band', (preset) => {
    const model = new DurationModel();
    let predicted = 0;
    let within = 0;
    const jobs = [...generateJobs(preset, { jobs: 1500, seed: 5, gpus: 8 })].toSorted(
      (a, b) => a.submitS + a.durationS - (b.submitS + b.durationS),
    );
    for (const { name, user, gpus, durationS, estimateS } of jobs) {
      const keys: RunKeys = {
        project: 'p',
        user: user ?? 'u',
        script: (name ?? 'x').split(' ')[0]!,
        exact: `${gpus} ${name}`,
      };
      // Each is predicted before anything is learned from it.
      const prediction = model.predict(keys, estimateS);
      if (prediction !== null) {
        const { p10S, p90S } = remainingAfter(prediction, 0);
        predicted++;
        if (p10S <= durationS && durationS <= p90S) within++;
      }
      model.learn({ ...keys, durationS, estimateS });
    }
    expect(predicted).toBeGreaterThan(1400);
    expect(within / predicted).toBeGreaterThan(0.7);
    expect(within / predicted).toBeLessThan(0.9);
    expect(model.calibration.runs).toBe(200);
    expect(model.calibration.within).toBeGreaterThan(0.7);
    expect(model.calibration.within).toBeLessThan(0.9);
  });
});
