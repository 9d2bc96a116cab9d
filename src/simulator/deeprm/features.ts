import { DEEPRM, type DeeprmJob, type DeeprmWorld } from './world.ts';

/** Of the job that would be picked; all 0 for waiting but for the last three. */
const JOB_FEATURES = [
  // What shortest-job-first would go by: 1 / length of who could start now, 0 for waiting, −1 for a reservation.
  'shortestFirst',
  'launch',
  'length',
  'inverseLength',
  'demandFirst',
  'demandSecond',
  'startsNow',
  'startsIn',
  'waited',
  'alignment',
  'leftFirst',
  'leftSecond',
  'shorterShare',
  // Of the other visible jobs, once this one is placed: how many could start now, and their worth.
  'othersFit',
  'othersWorth',
  'worthLost',
] as const;

/** Of everything else: the same in every row. */
const WORLD_FEATURES = [
  'visible',
  'backlog',
  'visibleWorth',
  'fittingWorth',
  'arrivalRate',
  'sinceArrival',
  ...Array.from({ length: DEEPRM.horizonSteps }, (_, t) => `freeFirst${t}`),
  ...Array.from({ length: DEEPRM.horizonSteps }, (_, t) => `freeSecond${t}`),
];

/** Names of the columns of {@link deeprmCandidates}, in order. */
export const DEEPRM_FEATURES: readonly string[] = [...JOB_FEATURES, ...WORLD_FEATURES];

const WIDTH = DEEPRM_FEATURES.length;
const WORLD_AT = JOB_FEATURES.length;
const LONGEST = 15;
const LONG_WAIT_STEPS = 50;

/** What may be done in a world, as a network sees it. */
export interface DeeprmCandidates {
  /** What `DeeprmWorld.act` takes: the slots whose job can be placed within the horizon, then waiting. */
  readonly actions: readonly number[];
  /** actions × features, row-major, each about between −1 and 2. */
  readonly features: Float32Array;
}

/**
 * The candidates of a world. Nothing in them tells how long the sequence still is. Waiting is none while the machine is
 * empty and a job could start: no end would come that could be worth waiting for, and an episode might never end.
 */
export function deeprmCandidates(world: DeeprmWorld): DeeprmCandidates {
  const { slots, free, step } = world;
  const capacity = DEEPRM.capacity;
  const jobs = slots.filter((job) => job !== null);
  const fitting = jobs.filter((job) => world.fits(job));
  const worth = (some: readonly DeeprmJob[]): number =>
    some.reduce((sum, { lengthSteps }) => sum + 1 / lengthSteps, 0);
  const fittingWorth = worth(fitting);
  const actions: number[] = [];
  const starts: number[] = [];
  slots.forEach((job, slot) => {
    const ahead = job === null ? null : world.earliestStart(job);
    if (ahead === null) return;
    actions.push(slot);
    starts.push(ahead);
  });
  const mayWait = actions.length === 0 || world.placed.length > 0;
  const features = new Float32Array((actions.length + (mayWait ? 1 : 0)) * WIDTH);
  const shared = worldFeatures(world, jobs.length, worth(jobs), fittingWorth);
  actions.forEach((slot, row) => {
    const job = slots[slot]!;
    const ahead = starts[row]!;
    const [first, second] = job.demand;
    const at = free[ahead]!;
    const others = fitting.filter((other) => other !== job && (ahead > 0 || fitsBeside(world, other, job)));
    const othersWorth = worth(others);
    const own = ahead === 0 ? 1 / job.lengthSteps : 0;
    features.set(
      [
        ahead === 0 ? 1 / job.lengthSteps : -1,
        1,
        job.lengthSteps / LONGEST,
        1 / job.lengthSteps,
        first / capacity,
        second / capacity,
        ahead === 0 ? 1 : 0,
        ahead / DEEPRM.horizonSteps,
        Math.min(2, (step - job.enteredStep) / LONG_WAIT_STEPS),
        (free[0]![0] * first + free[0]![1] * second) / (capacity * capacity),
        (at[0] - first) / capacity,
        (at[1] - second) / capacity,
        jobs.filter(({ lengthSteps }) => lengthSteps < job.lengthSteps).length / DEEPRM.slots,
        others.length / DEEPRM.slots,
        othersWorth / 5,
        (fittingWorth - own - othersWorth) / 5,
      ],
      row * WIDTH,
    );
    features.set(shared, row * WIDTH + WORLD_AT);
  });
  if (!mayWait) return { actions, features };
  const last = actions.length * WIDTH;
  features.set([fitting.length / DEEPRM.slots, fittingWorth / 5, 0], last + WORLD_AT - 3);
  features.set(shared, last + WORLD_AT);
  return { actions: [...actions, DEEPRM.wait], features };
}

function worldFeatures(
  world: DeeprmWorld,
  visible: number,
  visibleWorth: number,
  fittingWorth: number,
): number[] {
  const { free, step } = world;
  return [
    visible / DEEPRM.slots,
    Math.min(2, world.backlog.length / 10),
    visibleWorth / 5,
    fittingWorth / 5,
    step === 0 ? 0 : world.entered / step,
    Math.min(1, (step - world.lastArrivalStep) / 10),
    ...free.map(([first]) => first / DEEPRM.capacity),
    ...free.map(([, second]) => second / DEEPRM.capacity),
  ];
}

/** Whether a job could start now though another one has just been started. */
function fitsBeside(world: DeeprmWorld, job: DeeprmJob, started: DeeprmJob): boolean {
  for (let t = 0; t < job.lengthSteps; t++) {
    const free = world.free[t];
    if (free === undefined) return false;
    const holds = t < started.lengthSteps;
    if (free[0] - (holds ? started.demand[0] : 0) < job.demand[0]) return false;
    if (free[1] - (holds ? started.demand[1] : 0) < job.demand[1]) return false;
  }
  return true;
}
