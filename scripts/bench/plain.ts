import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { randomNormal, seededRng } from '../../src/domain/rng.ts';
import { readTrace } from '../../src/lab/readTrace.ts';
import { type PlainTrace, PlainTraceBuilder } from '../../src/simulator/plain/plainTrace.ts';
import { PLAIN_POLICIES, plainPolicy } from '../../src/simulator/plain/policies.ts';
import { simulatePlain } from '../../src/simulator/plain/simulatePlain.ts';
import { ROOT } from '../lib/run.ts';
import { type Figure, median } from './measure.ts';

const GPUS = 8;
const STRETCH = 15.7;
const PHILLY = join(ROOT, '..', 'shared', 'traces', 'philly-0e4a51.csv');
const DEEP_QUEUE_JOBS = 3000;
const GROWTH = [1e3, 1e4, 1e5, 1e6];

/** A run of a trace per policy, and how the time grows with the number of jobs. */
export async function plainSimulation(repetitions: number): Promise<Figure[]> {
  const trace = existsSync(PHILLY) ? await philly() : null;
  if (trace === null) console.error(`no ${PHILLY}: measuring on ${DEEP_QUEUE_JOBS} generated jobs instead`);
  const jobs = trace ?? generated(DEEP_QUEUE_JOBS, 12);
  const what = trace === null ? 'generated jobs' : 'Philly jobs';
  const policies = PLAIN_POLICIES.map(({ name }): Figure => {
    const { times, events } = timed(jobs, name, repetitions);
    return {
      what: `plain ${name}, ${jobs.jobs} ${what} on ${GPUS} GPUs`,
      unit: 's',
      values: times,
      target: trace === null ? null : { limit: name === 'las' ? 2 : 0.3, better: 'less' },
      how: `one run, the trace in memory; ${events} events, ${perSecond(events, times)} events/s`,
    };
  });
  const growth = GROWTH.map((count): Figure => {
    const { times, events } = timed(generated(count, 0.7), 'first-fit', repetitions);
    return {
      what: `plain first-fit, ${count} generated jobs, a job`,
      unit: 'µs',
      values: times.map((s) => (1e6 * s) / count),
      target: null,
      how: `load 0.7 on ${GPUS} GPUs; ${events} events, ${perSecond(events, times)} events/s`,
    };
  });
  const [least, most] = [GROWTH.at(0)!, GROWTH.at(-1)!];
  const perStep = (figure: Figure, count: number): number => median(figure.values) / Math.log2(count);
  const ratio: Figure = {
    what: `the same over log n: ${most} jobs against ${least}`,
    unit: '×',
    values: [perStep(growth.at(-1)!, most) / perStep(growth.at(0)!, least)],
    target: { limit: 1.5, better: 'less' },
    how: '1: the time of a run grows as n log n; below: slower than that',
  };
  return [...policies, ...growth, ratio];
}

function timed(trace: PlainTrace, name: string, repetitions: number): { times: number[]; events: number } {
  const policy = plainPolicy(name);
  const times: number[] = [];
  let events = 0;
  // The first run is for the compiler and does not count.
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    const atMs = performance.now();
    events = simulatePlain(trace, GPUS, policy).events;
    if (repetition > 0) times.push((performance.now() - atMs) / 1000);
  }
  return { times, events };
}

const perSecond = (events: number, times: readonly number[]): string =>
  Math.round(events / Math.min(...times)).toLocaleString('en');

async function philly(): Promise<PlainTrace> {
  const builder = new PlainTraceBuilder();
  await readTrace(PHILLY, PHILLY, (job) => {
    builder.add({ ...job, submitS: job.submitS * STRETCH });
    return true;
  });
  return builder.build();
}

/** Poisson arrivals of jobs of 1 to 8 GPUs, most of 1, with log-normal durations (median 10 min, σ 1.5). */
function generated(count: number, load: number): PlainTrace {
  const rng = seededRng(count);
  const builder = new PlainTraceBuilder();
  const meanGpus = 0.7 + 0.15 * 2 + 0.1 * 4 + 0.05 * 8;
  const gapS = (600 * Math.exp(1.5 ** 2 / 2) * meanGpus) / (load * GPUS);
  let submitS = 0;
  for (let i = 0; i < count; i++) {
    submitS -= Math.log(1 - rng.next()) * gapS;
    const size = rng.next();
    const gpus = size < 0.7 ? 1 : size < 0.85 ? 2 : size < 0.95 ? 4 : 8;
    builder.add({ submitS, durationS: 600 * Math.exp(1.5 * randomNormal(rng)), gpus, user: null });
  }
  return builder.build();
}
