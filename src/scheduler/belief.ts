import type { PastRun, RunningJob, Snapshot, TimeSpread, WaitingJob } from './snapshot.ts';

type Job = WaitingJob | RunningJob;

/** Logarithmic bins of run time: from a second to four months. */
const BINS = 88;
const FROM = 0;
const WIDTH = 0.185;
/** Geometric middle of each bin, seconds; and where each begins. */
const MIDDLE = Float64Array.from({ length: BINS }, (_, k) => Math.exp(FROM + (k + 0.5) * WIDTH));
const EDGE = Float64Array.from({ length: BINS + 1 }, (_, k) => Math.exp(FROM + k * WIDTH));

export interface BeliefConfig {
  /** What is believed of a run time before anything was seen: log-normal. */
  readonly priorMedianS: number;
  readonly priorSigma: number;
  /** Past runs that it counts as. */
  readonly priorRuns: number;
  /** Runs of the same size before they count as much as runs of any size. */
  readonly sizeRuns: number;
  /** Weight of all that above beside what siblings tell, which sums to about 1 for each. */
  readonly siblingPrior: number;
  /** Submissions of a job's kind between it and a sibling at which it counts e⁻¹; and gaps, in mean gaps. */
  readonly siblingReach: number;
  readonly siblingGap: number;
  /** Weight of a run of the same command, wherever it stands; of one of another command. */
  readonly sameCommand: number;
  readonly otherCommand: number;
  /** Of pairs of neighbours that are alike: how many are believed in before any was seen, what share, and by chance. */
  readonly likePairs: number;
  readonly likePrior: number;
  readonly chanceAlike: number;
  /** Share of predictions that are off by any factor. */
  readonly wildShare: number;
}

export const BELIEF: BeliefConfig = {
  priorMedianS: 1800,
  priorSigma: 2.2,
  priorRuns: 6,
  sizeRuns: 10,
  siblingPrior: 0.3,
  siblingReach: 12,
  siblingGap: 0.45,
  sameCommand: 1.5,
  otherCommand: 0.15,
  likePairs: 10,
  likePrior: 0.35,
  chanceAlike: 0.15,
  wildShare: 0.01,
};

/** What is believed of one job. */
export interface Belief {
  /** Expected run time still needed, at full speed on the GPUs that it asks for. Seconds. */
  readonly remainingS: number;
  /** The median of the same. */
  readonly medianS: number;
  /** Gittins index in 1/s: the largest chance of an end for each second of running that some stretch from now on offers. */
  readonly index: number;
  /** The same had it had a quantum less. */
  readonly indexBefore: number;
  /** Spread: standard deviation of ln(remaining), roughly. */
  readonly sigma: number;
  /** Work done so far, as far as can be told. Seconds. */
  readonly doneS: number;
}

interface Evidence {
  readonly id: number;
  readonly command: string | null;
  readonly user: string;
  readonly gpus: number;
  readonly submittedAtMs: number;
  /** How long it ran. */
  readonly ranS: number;
  readonly ended: boolean;
}

/** Beliefs on the jobs of one instant. */
export interface Beliefs {
  of(job: Job): Belief;
}

/** What can be believed of how long the jobs of a snapshot still run. Remembered for the instant. */
export function beliefsOf(snapshot: Snapshot, config: BeliefConfig = BELIEF): Beliefs {
  const { past } = snapshot;
  if (past === undefined) return new Lessons([], config).at(snapshot);
  let lessons = known.get(past);
  if (lessons === undefined || lessons.config !== config) {
    lessons = new Lessons(past, config);
    known.set(past, lessons);
  }
  return lessons.at(snapshot);
}

const known = new WeakMap<readonly PastRun[], Lessons>();

/** Those of one size and user, in order of submission. */
interface Kin {
  readonly list: readonly Evidence[];
  readonly places: ReadonlyMap<number, number>;
  /** Changes when what they tell does. */
  readonly state: number;
}

/** So many jobs that are gone are remembered at most. */
const MOST_GONE = 256;

/** What a list of past runs tells, whatever runs now. */
class Lessons {
  readonly config: BeliefConfig;
  readonly past: readonly PastRun[];
  readonly kin: ReadonlyMap<string, readonly Evidence[]>;
  readonly likeness: number;
  readonly all: Float64Array;
  /** By job: of what it was made, and the belief. */
  readonly remembered = new Map<number, { readonly key: string; readonly belief: Belief }>();
  private readonly bySize = new Map<number, Float64Array>();
  private present: Present | null = null;

  constructor(past: readonly PastRun[], config: BeliefConfig) {
    this.config = config;
    this.past = past;
    this.kin = Map.groupBy(
      past.map((run): Evidence => ({ ...run, ended: true })),
      kinOf,
    );
    for (const list of this.kin.values()) (list as Evidence[]).sort(bySubmission);
    this.likeness = likenessOf(this.kin, config);
    this.all = this.histogram(null, priorOf(config));
  }

  at(snapshot: Snapshot): Beliefs {
    const mark = markOf(snapshot);
    if (this.present?.mark !== mark) {
      this.present = new Present(snapshot, this, mark);
      this.forget(snapshot);
    }
    return this.present;
  }

  /** Jobs that are gone, now and then: what is known of the past may stay as it is for as long as a machine runs. */
  private forget({ waiting, running }: Snapshot): void {
    if (this.remembered.size <= MOST_GONE + waiting.length + running.length) return;
    const there = new Set([...waiting, ...running].map(({ id }) => id));
    for (const id of this.remembered.keys()) if (!there.has(id)) this.remembered.delete(id);
  }

  /** Of run times on so many GPUs. */
  sized(gpus: number): Float64Array {
    let histogram = this.bySize.get(gpus);
    if (histogram === undefined) {
      histogram = this.histogram(gpus, this.all);
      this.bySize.set(gpus, histogram);
    }
    return histogram;
  }

  private histogram(gpus: number | null, prior: Float64Array): Float64Array {
    const { priorRuns, sizeRuns } = this.config;
    const weight = gpus === null ? priorRuns : sizeRuns;
    const out = prior.map((p) => p * weight);
    let sum = weight;
    for (const run of this.past) {
      if (gpus !== null && run.gpus !== gpus) continue;
      addAround(out, run.ranS, 1, BROAD);
      sum++;
    }
    for (let k = 0; k < BINS; k++) out[k]! /= sum;
    return out;
  }
}

const kinOf = ({ gpus, user }: { readonly gpus: number; readonly user: string }): string => `${gpus} ${user}`;
const bySubmission = (a: Evidence, b: Evidence): number => a.submittedAtMs - b.submittedAtMs || a.id - b.id;

/** How alike jobs of a kind are that were submitted one after another, as those that ended tell: 0 to 1. */
function likenessOf(kin: ReadonlyMap<string, readonly Evidence[]>, config: BeliefConfig): number {
  let pairs = 0;
  let alike = 0;
  for (const list of kin.values()) {
    for (let i = 1; i < list.length; i++) {
      pairs++;
      if (Math.abs(Math.log((list[i]!.ranS + 1) / (list[i - 1]!.ranS + 1))) < 0.4) alike++;
    }
  }
  const { likePairs, likePrior, chanceAlike } = config;
  const share = (alike + likePairs * likePrior) / (pairs + likePairs);
  return Math.max(0, (share - chanceAlike) / (1 - chanceAlike));
}

/** The same for all snapshots of an instant between which jobs only started or gave way, and for hardly any other. */
function markOf({ nowMs, waiting, running }: Snapshot): string {
  let hash = 0;
  let served = 0;
  for (const jobs of [waiting, running] as const)
    for (const { id, gpus, submittedAtMs, attainedGpuS } of jobs) {
      hash += mixed(id * 64 + gpus) + mixed(Math.floor(submittedAtMs));
      served += attainedGpuS * (1 + (id % 97));
    }
  return `${nowMs} ${waiting.length + running.length} ${hash} ${served.toFixed(3)}`;
}

/** Spreads a number over 32 bits. */
function mixed(value: number): number {
  let hash = Math.imul((value ^ (value / 4_294_967_296)) | 0, 0x9e3779b1);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x85ebca6b) >>> 0;
}

/** A run time that changes by steps of a tenth, so that what rests on it need not be worked out anew all the time. */
const inTenths = (ranS: number): number => Math.expm1(Math.round(10 * Math.log1p(ranS)) / 10);

class Present implements Beliefs {
  readonly mark: string;
  private readonly lessons: Lessons;
  private readonly jobs: ReadonlyMap<string, readonly Evidence[]>;
  private readonly kin = new Map<string, Kin>();
  private readonly meanGapMs: number;

  constructor(snapshot: Snapshot, lessons: Lessons, mark: string) {
    this.mark = mark;
    this.lessons = lessons;
    const jobs: Evidence[] = [];
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    let count = 0;
    const seen = (submittedAtMs: number): void => {
      if (submittedAtMs < 0) return;
      if (submittedAtMs < first) first = submittedAtMs;
      if (submittedAtMs > last) last = submittedAtMs;
      count++;
    };
    for (const list of [snapshot.waiting, snapshot.running] as const)
      for (const job of list) {
        const { id, user, gpus, submittedAtMs, command = null } = job;
        jobs.push({ id, user, gpus, submittedAtMs, command, ranS: inTenths(doneOf(job)), ended: false });
        seen(submittedAtMs);
      }
    for (const { submittedAtMs } of lessons.past) seen(submittedAtMs);
    this.jobs = Map.groupBy(jobs, kinOf);
    this.meanGapMs = count > 1 ? Math.max(1, inTenths((last - first) / (count - 1))) : 1;
  }

  of(job: Job): Belief {
    const kin = this.kinOf(job);
    const { remembered } = this.lessons;
    const doneS = doneOf(job);
    const { id, submittedAtMs, remaining, predicted } = job;
    const key = `${doneS} ${kin.state} ${this.meanGapMs} ${submittedAtMs} ${remaining?.p50S} ${predicted?.p50S}`;
    const before = remembered.get(id);
    if (before?.key === key) return before.belief;
    const belief = this.believe(job, doneS, kin);
    remembered.set(id, { key, belief });
    return belief;
  }

  private kinOf(job: Job): Kin {
    const key = kinOf(job);
    let kin = this.kin.get(key);
    if (kin === undefined) {
      const jobs = this.jobs.get(key) ?? [];
      const list = [...(this.lessons.kin.get(key) ?? []), ...jobs].sort(bySubmission);
      let state = list.length;
      for (const { id, ranS } of jobs) state += mixed(id * 1024 + Math.round(10 * Math.log1p(ranS)));
      kin = { list, places: new Map(list.map(({ id }, i) => [id, i])), state };
      this.kin.set(key, kin);
    }
    return kin;
  }

  private believe(job: Job, doneS: number, kin: Kin): Belief {
    const { lessons } = this;
    const { siblingPrior, wildShare } = lessons.config;
    const base = lessons.sized(job.gpus);
    const weights = base.map((p) => p * siblingPrior);
    if (lessons.likeness > 0 || job.command) this.addSiblings(weights, base, job, doneS, kin);
    if (job.predicted) likelihood(weights, job.predicted, wildShare);
    else if (job.remaining) {
      const { p10S, p50S, p90S } = job.remaining;
      likelihood(weights, { p10S: doneS + p10S, p50S: doneS + p50S, p90S: doneS + p90S }, wildShare);
    }
    return outlook(weights, doneS);
  }

  private addSiblings(weights: Float64Array, base: Float64Array, job: Job, doneS: number, kin: Kin): void {
    const { siblingReach, siblingGap, sameCommand, otherCommand } = this.lessons.config;
    const { list } = kin;
    const at = kin.places.get(job.id)!;
    const command = job.command ?? null;
    const reach = Math.ceil(4 * siblingReach);
    for (let i = Math.max(0, at - reach); i < list.length && i <= at + reach; i++) {
      if (i === at) continue;
      const other = list[i]!;
      if (!other.ended && other.ranS <= doneS) continue;
      const apart = Math.abs(i - at) - 1;
      const gap = Math.abs(other.submittedAtMs - job.submittedAtMs) / this.meanGapMs;
      let weight = (this.lessons.likeness * Math.exp(-apart / siblingReach)) / (1 + gap / siblingGap);
      if (command !== null && other.command !== null)
        weight = command === other.command ? Math.max(sameCommand, weight) : otherCommand * weight;
      if (weight < 0.01) continue;
      if (other.ended) addAround(weights, other.ranS, weight, NARROW);
      else addBeyond(weights, base, other.ranS, weight);
    }
  }
}

/** Work done, in seconds at full speed: as the prediction counts it where there is one, else the service attained. */
export function doneOf(job: Job): number {
  const { predicted, remaining, attainedGpuS, gpus } = job;
  const attainedS = attainedGpuS / Math.max(1, gpus);
  if (!predicted || !remaining) return attainedS;
  const done = predicted.p90S - remaining.p90S;
  return done < 0.89 * predicted.p90S ? Math.max(0, done) : Math.max(done, attainedS);
}

function priorOf({ priorMedianS, priorSigma }: BeliefConfig): Float64Array {
  const out = new Float64Array(BINS);
  let sum = 0;
  for (let k = 0; k < BINS; k++) {
    const z = (Math.log(MIDDLE[k]!) - Math.log(priorMedianS)) / priorSigma;
    out[k] = Math.exp((-z * z) / 2);
    sum += out[k]!;
  }
  for (let k = 0; k < BINS; k++) out[k]! /= sum;
  return out;
}

/** Normals of ln(run time) over bins, for each of some offsets of the middle from that of the middle bin. */
interface Kernel {
  readonly reach: number;
  readonly rows: readonly Float64Array[];
}

const OFFSETS = 8;

function kernelOf(sigma: number): Kernel {
  const reach = Math.ceil((3 * sigma) / WIDTH);
  const rows = Array.from({ length: OFFSETS }, (_, offset) => {
    const off = (offset + 0.5) / OFFSETS - 0.5;
    const row = Float64Array.from({ length: 2 * reach + 1 }, (_v, i) =>
      bell(((i - reach - off) * WIDTH) / sigma),
    );
    const sum = row.reduce((total, p) => total + p, 0);
    return row.map((p) => p / sum);
  });
  return { reach, rows };
}

const bell = (z: number): number => Math.exp((-z * z) / 2);

/** Spread of ln(run time) among siblings, and of what one run tells of all. */
const NARROW = kernelOf(0.25);
const BROAD = kernelOf(0.5);

/** Adds a run time with its weight. */
function addAround(out: Float64Array, ranS: number, weight: number, { reach, rows }: Kernel): void {
  const at = (Math.log(Math.max(1, ranS)) - FROM) / WIDTH - 0.5;
  const centre = Math.round(at);
  const row = rows[Math.min(OFFSETS - 1, Math.floor((at - centre + 0.5) * OFFSETS))]!;
  for (let i = 0; i < row.length; i++) {
    const k = Math.min(BINS - 1, Math.max(0, centre - reach + i));
    out[k]! += weight * row[i]!;
  }
}

/** Adds the base distribution beyond a time, scaled to a weight. */
function addBeyond(out: Float64Array, base: Float64Array, beyondS: number, weight: number): void {
  const from = Math.min(BINS - 1, Math.max(0, Math.floor((Math.log(Math.max(1, beyondS)) - FROM) / WIDTH)));
  let sum = 0;
  for (let k = from; k < BINS; k++) sum += base[k]!;
  if (sum <= 0) return;
  for (let k = from; k < BINS; k++) out[k]! += (weight * base[k]!) / sum;
}

const Z90 = 1.2816;

/** Bayes' rule: weighs each run time by how well it agrees with a prediction. */
function likelihood(weights: Float64Array, { p10S, p50S, p90S }: TimeSpread, wildShare: number): void {
  if (!(p50S < 1e9)) return;
  const sigma = Math.max(0.1, Math.log(Math.max(1, p90S) / Math.max(0.5, p10S)) / (2 * Z90));
  const centre = Math.log(Math.max(1, p50S));
  for (let k = 0; k < BINS; k++) {
    const z = (FROM + (k + 0.5) * WIDTH - centre) / sigma;
    weights[k]! *= (1 - wildShare) * bell(z) + wildShare * 0.1;
  }
}

/** What a distribution of run times tells about a job that has run for `doneS`. */
function outlook(weights: Float64Array, doneS: number): Belief {
  const index = gittins(weights, doneS);
  const backS = doneS - Math.max(60, 0.2 * doneS);
  const indexBefore = backS > 0 ? Math.max(index.index, gittins(weights, backS).index) : index.index;
  return { ...index, indexBefore, doneS };
}

function gittins(
  weights: Float64Array,
  doneS: number,
): Pick<Belief, 'remainingS' | 'medianS' | 'index' | 'sigma'> {
  const from = doneS <= 1 ? 0 : Math.floor((Math.log(doneS) - FROM) / WIDTH);
  if (from >= BINS - 1) return { remainingS: 2 * doneS, medianS: doneS, index: 0.5 / doneS, sigma: 1 };
  let total = 0;
  for (let k = from; k < BINS; k++) {
    let p = weights[k]!;
    if (k === from && doneS > EDGE[k]!) p *= (EDGE[k + 1]! - doneS) / (EDGE[k + 1]! - EDGE[k]!);
    total += p;
  }
  if (!(total > 1e-12))
    return {
      remainingS: Math.max(1, doneS),
      medianS: Math.max(1, doneS),
      index: 1 / Math.max(1, doneS),
      sigma: 1,
    };
  let ended = 0;
  let spent = 0;
  let best = 0;
  let remainingS = 0;
  let medianS = -1;
  let logs = 0;
  let squares = 0;
  for (let k = from; k < BINS; k++) {
    let p = weights[k]! / total;
    let middle = MIDDLE[k]!;
    if (k === from && doneS > EDGE[k]!) {
      p *= (EDGE[k + 1]! - doneS) / (EDGE[k + 1]! - EDGE[k]!);
      middle = (doneS + EDGE[k + 1]!) / 2;
    }
    const leftS = Math.max(0.5, middle - doneS);
    remainingS += p * leftS;
    const log = Math.log(leftS);
    logs += p * log;
    squares += p * log * log;
    // Stopping at the bin's middle, where all that end in it have ended.
    spent += p * leftS;
    ended += p;
    const rate = ended / (spent + (1 - ended) * leftS);
    if (rate > best) best = rate;
    if (medianS < 0 && ended >= 0.5) medianS = leftS;
  }
  return {
    remainingS,
    medianS: medianS < 0 ? remainingS : medianS,
    index: best,
    sigma: Math.sqrt(Math.max(0, squares - logs * logs)),
  };
}
