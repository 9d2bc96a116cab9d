import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRACE_HEADER, type TraceJob, TraceReader, traceRow } from '../../src/domain/trace.ts';
import { kindOf } from '../../src/simulator/generator/commandName.ts';
import { meanBetween } from '../../src/simulator/generator/distribution.ts';
import {
  type GenerateOptions,
  generate,
  generateJobs,
  PRESET_NAMES,
  type PresetName,
} from '../../src/simulator/generator/generate.ts';
import type { Preset } from '../../src/simulator/generator/preset.ts';
import { PRESETS } from '../../src/simulator/generator/presets.ts';
import { JOB_KINDS, soloOf } from '../../src/simulator/interference.ts';
import { PlainTraceBuilder } from '../../src/simulator/plain/plainTrace.ts';
import { plainPolicy } from '../../src/simulator/plain/policies.ts';
import { simulatePlain } from '../../src/simulator/plain/simulatePlain.ts';

const drawn = (name: PresetName, options: GenerateOptions): TraceJob[] => [...generateJobs(name, options)];
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(share * values.length)]!;
const workOf = (jobs: readonly TraceJob[]): number =>
  jobs.reduce((sum, job) => sum + job.durationS * job.gpus, 0);
const logs = (values: readonly number[]): number[] => values.map((v) => Math.log(v));
const spread = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((v) => (v - middle) ** 2)));
};
const HOUR = 3600;

describe('what is generated', () => {
  const digest = (name: PresetName): string => {
    const rows = drawn(name, { jobs: 500, seed: 42 }).map(traceRow);
    return createHash('sha256')
      .update([TRACE_HEADER, ...rows].join('\n'))
      .digest('hex')
      .slice(0, 16);
  };

  it('is the same to the byte for a seed, on every machine', () => {
    expect(Object.fromEntries(PRESET_NAMES.map((name) => [name, digest(name)]))).toMatchInlineSnapshot(`
      {
        "deeprm-like": "c72b23068e357710",
        "drifting": "1896414e54b2607f",
        "heavy-tail": "880c6799a303ef44",
        "helios-like": "840b567773821a06",
        "pai-like": "3655d3855c00bdb9",
        "philly-like": "906c81b189a6c2b7",
        "steady": "73041165da265be5",
        "sweep-heavy": "8b1418554d178162",
        "workstation": "2eb1908c38b74c1d",
      }
    `);
  });

  it('is the same when it is asked for again, and other for another seed', () => {
    const jobs = generateJobs('workstation', { jobs: 50, seed: 1 });
    expect([...jobs]).toEqual([...jobs]);
    expect([...jobs]).not.toEqual(drawn('workstation', { jobs: 50, seed: 2 }));
  });

  it('comes one by one: the first of a billion are there at once', () => {
    const options = { jobs: 1e9, seed: 1, gpus: 100_000, load: 1 };
    const taken: TraceJob[] = [];
    for (const job of generateJobs('steady', options)) if (taken.push(job) === 3) break;
    expect(taken.map(({ jobId }) => jobId)).toEqual(['1', '2', '3']);
  });

  it('is a trace that can be read back, sorted, for any options', () => {
    const options = fc.record({
      name: fc.constantFrom(...PRESET_NAMES),
      jobs: fc.integer({ min: 1, max: 300 }),
      seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      gpus: fc.integer({ min: 1, max: 128 }),
      load: fc.double({ min: 0.05, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(options, ({ name, ...rest }) => {
        const preset: Preset = PRESETS[name];
        const reader = new TraceReader('generated');
        reader.read(TRACE_HEADER);
        const jobs = drawn(name, rest);
        expect(jobs.map((job) => reader.read(traceRow(job)))).toEqual(jobs);
        reader.end();
        expect(jobs.length).toBe(rest.jobs);
        const wrong = jobs.filter(({ gpus, durationS, submitS }) => {
          const rounded = [submitS, durationS].map((s) => Math.round(1000 * s) / 1000);
          return (
            gpus > rest.gpus ||
            durationS < preset.leastS ||
            durationS > preset.mostS ||
            rounded[0] !== submitS ||
            rounded[1] !== durationS
          );
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('offered load', () => {
  it.each(PRESET_NAMES)('of %s is what was asked for', (name) => {
    // Without its tail and with ever new commands: else the load of as many jobs as a test can draw is a matter of luck.
    const { repeats } = PRESETS[name];
    const preset: Preset = { ...PRESETS[name], mostS: 6 * HOUR, repeats: { ...repeats, share: 0 } };
    for (const asked of [{}, { gpus: 3, load: 0.5 }]) {
      const jobs = [...generate(preset, { jobs: 50_000, seed: 5, ...asked })];
      const { gpus, load } = { ...preset, ...asked };
      const offered = workOf(jobs) / (gpus * jobs.at(-1)!.submitS);
      expect(Math.abs(offered / load - 1)).toBeLessThan(0.08);
    }
  });

  it('knows means of heavy tails that no sample has', () => {
    // ∫ t dF + most · P(> most) = least · (1 + ln(most / least)) for an exponent of 1.
    const pareto = meanBetween({ type: 'pareto', leastS: 10, shape: 1 }, 0, 10, 1e6);
    expect(pareto / (10 * (1 + Math.log(1e5)))).toBeCloseTo(1, 3);
    const logNormal = meanBetween({ type: 'logNormal', medianS: 100, sigma: 2 }, 0.5, 0, 1e12);
    expect(logNormal / (100 * Math.exp((4 + 0.25) / 2))).toBeCloseTo(1, 3);
    expect(meanBetween({ type: 'exponential', meanS: 60 }, 0, 0, 1e9) / 60).toBeCloseTo(1, 3);
    expect(meanBetween({ type: 'steps', unitS: 60, least: 10, most: 15 }, 0, 0, 1e9)).toBeCloseTo(750, 6);
  });

  it('of steady jobs gives the waiting that queueing theory tells: M/M/1 at 0.8', () => {
    const builder = new PlainTraceBuilder();
    const options = { jobs: 200_000, seed: 3, gpus: 1, load: 0.8 };
    for (const job of generateJobs('steady', options)) builder.add(job);
    const trace = builder.build();
    const { finishS } = simulatePlain(trace, 1, plainPolicy('fifo'));
    const jct = mean(Array.from(finishS, (s, i) => s - trace.submitS[i]!));
    // 1 / (μ − λ)
    expect(jct / (HOUR / 0.2)).toBeGreaterThan(0.93);
    expect(jct / (HOUR / 0.2)).toBeLessThan(1.07);
  });
});

describe('arrivals', () => {
  it('of steady jobs are a Poisson process: gaps vary as much as they last', () => {
    const at = drawn('steady', { jobs: 20_000, seed: 7 }).map(({ submitS }) => submitS);
    const gaps = at.slice(1).map((s, i) => s - at[i]!);
    expect(spread(gaps) / mean(gaps)).toBeCloseTo(1, 1);
  });

  it('follow the day and the week', () => {
    const jobs = drawn('workstation', { jobs: 30_000, seed: 7 });
    const hour = ({ submitS }: TraceJob): number => Math.floor(submitS / HOUR) % 24;
    const inside = jobs.filter((job) => hour(job) >= 9 && hour(job) < 19).length;
    const weekend = jobs.filter(({ submitS }) => Math.floor(submitS / (24 * HOUR)) % 7 >= 5).length;
    // By the weights of the classes' hours and days.
    expect(inside / jobs.length).toBeCloseTo(0.83, 1);
    expect(weekend / jobs.length).toBeCloseTo(0.105, 1);
    expect(weekend / jobs.length).toBeLessThan(0.15);
    // Long jobs come in the evening.
    const long = jobs.filter(({ durationS }) => durationS > 6 * HOUR);
    expect(long.filter((job) => hour(job) >= 16).length / long.length).toBeGreaterThan(0.7);
  });

  it('come in sweeps of one command, a second apart', () => {
    const jobs = drawn('sweep-heavy', { jobs: 20_000, seed: 7 });
    const sizes = new Map<string, TraceJob[]>();
    for (const job of jobs) sizes.set(job.name!, [...(sizes.get(job.name!) ?? []), job]);
    const inSweeps = [...sizes.values()].filter((same) => same.length >= 8).flat();
    expect(inSweeps.length / jobs.length).toBeGreaterThan(0.85);
    const close = jobs.filter((job, i) => i > 0 && job.submitS - jobs[i - 1]!.submitS <= 1).length;
    expect(close / jobs.length).toBeGreaterThan(0.8);
  });
});

describe('jobs', () => {
  it('ask for as many GPUs as the preset says, and run longer then', () => {
    const jobs = drawn('helios-like', { jobs: 60_000, seed: 11 });
    const [{ gpus }] = PRESETS['helios-like'].classes as [Preset['classes'][number]];
    for (const size of gpus) {
      const found = jobs.filter((job) => job.gpus === size.gpus).length / jobs.length;
      expect(Math.abs(found - size.share), `${size.gpus} GPUs`).toBeLessThan(0.02);
    }
    expect(mean(jobs.map((job) => job.gpus))).toBeCloseTo(3.7, 0);
    const median = (wanted: number): number =>
      quantile(
        jobs.filter((job) => job.gpus === wanted).map((job) => job.durationS),
        0.5,
      );
    expect(median(8) / median(1)).toBeCloseTo(1.7 / 0.65, 0);
  });

  it.each([
    // Published: see the presets.
    ['helios-like', 206, 0.5, 0.1],
    ['pai-like', 23 * 60, 0.5, 0.1],
    ['pai-like', 4.5 * HOUR, 0.9, 0.12],
  ] as const)('of %s last %d s at the published quantile %d', (name, expected, share, tolerance) => {
    const jobs = drawn(name, { jobs: 60_000, seed: 13 });
    const found = quantile(
      jobs.map((job) => job.durationS),
      share,
    );
    expect(Math.abs(found / expected - 1)).toBeLessThan(tolerance);
  });

  it('of some users are many, of others few', () => {
    const counts = new Map<string, number>();
    const jobs = drawn('pai-like', { jobs: 60_000, seed: 17 });
    for (const { user } of jobs) counts.set(user!, (counts.get(user!) ?? 0) + 1);
    const top = [...counts.values()].sort((a, b) => b - a).slice(0, 65);
    // The top 5 % of 1300 users.
    expect(top.reduce((sum, n) => sum + n, 0) / jobs.length).toBeCloseTo(0.77, 1);
  });

  it('of a repeated command last about as long, take the same and have the same estimate', () => {
    const jobs = drawn('workstation', { jobs: 30_000, seed: 19 });
    const byName = new Map<string, TraceJob[]>();
    for (const job of jobs) byName.set(job.name!, [...(byName.get(job.name!) ?? []), job]);
    const groups = [...byName.values()];
    expect(byName.size / jobs.length).toBeLessThan(0.5);
    const within = groups
      .filter((same) => same.length >= 5)
      .flatMap((same) => {
        const values = logs(same.map((job) => job.durationS));
        return [mean(values.map((v) => (v - mean(values)) ** 2)) * (same.length / (same.length - 1))];
      });
    expect(Math.sqrt(mean(within))).toBeCloseTo(PRESETS.workstation.repeats.sigma, 1);
    expect(spread(logs(jobs.map((job) => job.durationS)))).toBeGreaterThan(1.5);
    for (const same of groups) {
      const asked = same.map(({ jobId: _i, submitS: _s, durationS: _d, ...rest }) => rest);
      for (const one of asked) expect(one).toEqual(asked[0]);
    }
  });

  it('have the memory and the use of their kind', () => {
    for (const job of drawn('workstation', { jobs: 300, seed: 23 })) {
      const solo = soloOf(kindOf(job.name)!);
      expect(Math.abs(job.vramMib! / solo.vramMib - 1)).toBeLessThan(0.11);
      expect(Math.abs(job.gpuUtil! / solo.gpuUtil - 1)).toBeLessThan(0.11);
    }
    const jobs = drawn('pai-like', { jobs: 20_000, seed: 23 });
    expect(jobs.every((job) => kindOf(job.name) === null)).toBe(true);
    expect(
      quantile(
        jobs.map((job) => job.gpuUtil!),
        0.5,
      ),
    ).toBeCloseTo(0.015, 2);
    expect(mean(jobs.map((job) => job.gpuUtil!))).toBeCloseTo(0.09, 1);
  });

  it('have estimates that people would say, for some, and priorities', () => {
    const jobs = drawn('workstation', { jobs: 30_000, seed: 29 });
    const said = jobs.filter((job) => job.estimateS !== null);
    expect(said.length / jobs.length).toBeCloseTo(0.6, 1);
    expect(new Set(said.map((job) => job.estimateS)).size).toBeLessThanOrEqual(29);
    expect(said.every((job) => job.estimateS! % 60 === 0)).toBe(true);
    const errors = logs(
      said.filter((job) => job.durationS > 120).map((job) => job.estimateS! / job.durationS),
    );
    expect(Math.exp(quantile(errors, 0.5))).toBeGreaterThan(1.3);
    expect(spread(errors)).toBeGreaterThan(0.5);
    const share = (wanted: number) => jobs.filter(({ priority }) => priority === wanted).length / jobs.length;
    expect([share(0), share(1), share(-1)].map((s) => Math.round(20 * s))).toEqual([16, 3, 1]);
  });

  it('drift: they get longer and other', () => {
    const jobs = drawn('drifting', { jobs: 40_000, seed: 31 });
    const [early, late] = [jobs.slice(0, 8000), jobs.slice(-8000)];
    const median = (some: readonly TraceJob[]) =>
      quantile(
        some.map((job) => job.durationS),
        0.5,
      );
    // Between the middles of the first and the last fifth: 3^0.8.
    expect(median(late) / median(early)).toBeGreaterThan(2);
    expect(median(late) / median(early)).toBeLessThan(3);
    const language = (some: readonly TraceJob[]) =>
      some.filter(({ name }) => /^(Transformer|LM)/.test(name!)).length / some.length;
    expect(language(early)).toBeLessThan(0.2);
    expect(language(late)).toBeGreaterThan(0.7);
  });
});

describe('names', () => {
  it('say a kind where they do', () => {
    expect(kindOf('LM (batch size 5) · 00ff00ff')).toBe('LM (batch size 5)');
    expect(['A3C', 'train.py · 1', '· A3C', '', null].map(kindOf)).toEqual([null, null, null, null, null]);
  });
});

describe('refuses', () => {
  it.each([
    ['an unknown preset', 'busy' as PresetName, {}, /preset: "busy".*choose from workstation/],
    ['no jobs', 'steady', { jobs: 0 }, /jobs: 0.*whole number from 1/],
    ['half a job', 'steady', { jobs: 1.5 }, /jobs: 1.5/],
    ['a bad seed', 'steady', { seed: -1 }, /seed: -1.*from 0 to 4294967295/],
    ['no GPUs', 'steady', { gpus: 0 }, /gpus: 0/],
    ['no load', 'steady', { load: 0 }, /load: 0.*above 0/],
    ['a load that is no number', 'steady', { load: Number.NaN }, /load:/],
    [
      'a trace of centuries',
      'philly-like',
      { jobs: 1e6, gpus: 1 },
      /jobs: 1000000.*at most \d+, or more GPUs/,
    ],
    ['a job a century', 'helios-like', { gpus: 1, load: 1e-6 }, /load: 0.000001.*every \d+ years/],
    ['more than time can tell', 'deeprm-like', { gpus: 1e6 }, /load: 0.8.*fewer GPUs: .* every 1.\d+ ms/],
  ] as const)('%s, before the first job', (_what, name, change, message) => {
    expect(() => generateJobs(name, { jobs: 10, seed: 1, ...change })).toThrow(message);
  });

  it('a machine that is too small for some of the jobs', () => {
    const only = PRESETS.steady.classes[0]!;
    const classes = [{ ...only, gpus: [{ gpus: 3, share: 1, factor: 1 }] }];
    const preset: Preset = { ...PRESETS.steady, classes };
    expect(() => generate(preset, { jobs: 2, seed: 1, gpus: 2 })).toThrow(/gpus: 2.*at least 3/);
    expect([...generate(preset, { jobs: 2, seed: 1, gpus: 3 })].map(({ gpus }) => gpus)).toEqual([3, 3]);
  });
});

describe('presets', () => {
  it.each(PRESET_NAMES)('%s has shares that sum to 1, and kinds that were measured', (name) => {
    const { classes, needs, drift, priorities }: Preset = PRESETS[name];
    const sum = (shares: readonly { share: number }[]) =>
      shares.reduce((total, { share }) => total + share, 0);
    expect(sum(classes)).toBeCloseTo(1, 9);
    if (priorities !== null) expect(sum(priorities)).toBeCloseTo(1, 9);
    const models = new Set(JOB_KINDS.map((kind) => kind.split(' (')[0]));
    for (const weights of [needs && 'kinds' in needs ? needs.kinds : {}, drift?.kinds ?? {}]) {
      expect(Object.keys(weights).filter((model) => !models.has(model))).toEqual([]);
    }
  });
});
