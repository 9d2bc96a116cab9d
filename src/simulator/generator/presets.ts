import type { JobClass, KindWeights, Preset, Sweeps } from './preset.ts';
import type { Rhythm } from './rhythm.ts';

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

/** Sizes with their shares, and how much longer commands of that size run. */
const sizes = (
  ...rows: readonly (readonly [gpus: number, share: number, factor?: number])[]
): JobClass['gpus'] => rows.map(([gpus, share, factor = 1]) => ({ gpus, share, factor }));

const ONE_GPU = sizes([1, 1]);
const ONE_USER: Preset['users'] = { names: ['u1'], skew: 0 };
const NEVER_AGAIN: Preset['repeats'] = { share: 0, sigma: 0 };

/** Our choice: a bit of everything that was measured. */
const MIXED: KindWeights = {
  'ResNet-18': 0.2,
  'ResNet-50': 0.2,
  Transformer: 0.2,
  LM: 0.15,
  Recommendation: 0.1,
  A3C: 0.05,
  CycleGAN: 0.1,
};

/**
 * Fewest submissions at night, dips at noon and in the evening: the shape that Hu et al. (SC '21) describe for Helios.
 * The weights are ours.
 */
const CLUSTER_DAY: Rhythm = {
  hours: [
    0.6, 0.45, 0.35, 0.3, 0.3, 0.3, 0.35, 0.5, 0.8, 1.2, 1.5, 1.5, 1.1, 1.3, 1.6, 1.7, 1.6, 1.5, 1.2, 1.3,
    1.4, 1.3, 1.1, 0.8,
  ],
  days: [1.1, 1.15, 1.15, 1.15, 1.1, 0.7, 0.65],
};

/** People at their desks from 9 to 19 h, little at weekends. Our choice. */
const OFFICE: Rhythm = {
  hours: [
    0.05, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.1, 0.5, 1.5, 2, 2, 1.2, 1.6, 2, 2, 2, 1.8, 1.4, 0.8, 0.5, 0.4,
    0.3, 0.15,
  ],
  days: [1.2, 1.2, 1.2, 1.2, 1.1, 0.35, 0.35],
};

/** What is to run overnight is submitted before going home. Our choice. */
const BEFORE_NIGHT: Rhythm = {
  hours: [0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.3, 1, 3, 4, 3, 2, 1.5, 1, 0.4],
  days: [1.2, 1.2, 1.2, 1.2, 1.3, 0.3, 0.5],
};

/**
 * What a grid or a random search submits. That jobs come in bursts can be seen in traces (of one Philly virtual
 * cluster's jobs 83 % came within 10 s of the one before, of another's 28 %); the sizes are ours.
 */
const sweeps = (share: number, ...perSweep: readonly number[]): Sweeps => ({
  share,
  sizes: perSweep,
  gapS: 1,
});

/** Guesses are round and tend to be too long (Tsafrir, Etsion, Feitelson, JSSPP '05). The numbers are ours. */
const ESTIMATES: Preset['estimates'] = { share: 0.6, bias: 1.5, sigma: 0.6 };

/** Three people with a machine under the desk. Our choice throughout: nobody has published such a trace. */
const WORKSTATION: Preset = {
  summary: 'a small lab: three users, short debug runs by day, long runs overnight',
  gpus: 2,
  load: 0.7,
  classes: [
    {
      // Does it start, does the loss fall?
      share: 0.6,
      rhythm: OFFICE,
      sweeps: null,
      duration: { type: 'logNormal', medianS: 4 * MINUTE, sigma: 1 },
      gpus: ONE_GPU,
    },
    {
      share: 0.32,
      rhythm: OFFICE,
      sweeps: sweeps(0.4, 3, 4, 6, 8, 9, 12),
      duration: { type: 'logNormal', medianS: 1.2 * HOUR, sigma: 0.9 },
      gpus: sizes([1, 0.85], [2, 0.12], [4, 0.03]),
    },
    {
      share: 0.08,
      rhythm: BEFORE_NIGHT,
      sweeps: null,
      duration: { type: 'logNormal', medianS: 9 * HOUR, sigma: 0.5 },
      gpus: sizes([1, 0.7], [2, 0.25], [4, 0.05]),
    },
  ],
  leastS: 2,
  mostS: 5 * DAY,
  users: { names: ['ada', 'ben', 'cleo'], skew: 0.8 },
  repeats: { share: 0.6, sigma: 0.25 },
  needs: { kinds: MIXED },
  priorities: [
    { value: 0, share: 0.8 },
    { value: 1, share: 0.15 },
    { value: -1, share: 0.05 },
  ],
  estimates: ESTIMATES,
  drift: null,
};

const PRESET_OBJECTS = {
  workstation: WORKSTATION,

  /** The workstation while its users turn from pictures to language and to longer runs. Our choice. */
  drifting: {
    ...WORKSTATION,
    summary: 'the workstation, while jobs become three times as long and other models come up',
    needs: { kinds: { 'ResNet-18': 0.45, 'ResNet-50': 0.35, CycleGAN: 0.2 } },
    drift: { durationFactor: 3, kinds: { Transformer: 0.55, LM: 0.35, Recommendation: 0.1 } },
  },

  /** Searches over hyperparameters, and little else. Our choice throughout. */
  'sweep-heavy': {
    summary: 'searches of 8 to 64 jobs of the same command at once',
    gpus: 4,
    load: 0.8,
    classes: [
      {
        share: 1,
        rhythm: OFFICE,
        sweeps: sweeps(0.9, 8, 12, 16, 24, 32, 64),
        duration: { type: 'logNormal', medianS: 15 * MINUTE, sigma: 1.1 },
        gpus: sizes([1, 0.95], [2, 0.05]),
      },
    ],
    leastS: 5,
    mostS: 2 * DAY,
    users: { names: ['ada', 'ben', 'cleo', 'dan', 'eve'], skew: 0.7 },
    repeats: { share: 0.3, sigma: 0.3 },
    needs: { kinds: MIXED },
    priorities: null,
    estimates: ESTIMATES,
    drift: null,
  },

  /**
   * Like Microsoft's Philly, Aug–Dec 2017. Jeon et al., ATC '19: larger jobs run longer, about 0.5 % run for more than
   * a week. Hu et al., SC '21, table of Helios beside Philly: 1.75 GPUs and 28,329 s a job on average, at most 128 GPUs
   * and 60 days. Ours: the median and the form that give this mean and this tail, sizes that give this mean (up to 32),
   * how much longer larger jobs run, bursts, users, repeats, kinds, estimates, and that there are 64 GPUs.
   */
  'philly-like': {
    summary: 'a research cluster: one in five jobs on several GPUs, minutes to weeks long',
    gpus: 64,
    load: 0.8,
    classes: [
      {
        share: 1,
        rhythm: CLUSTER_DAY,
        sweeps: sweeps(0.5, 2, 3, 4, 6, 10, 20, 40),
        duration: { type: 'logNormal', medianS: 14 * MINUTE, sigma: 2.72 },
        gpus: sizes(
          [1, 0.815, 0.9],
          [2, 0.05, 1.3],
          [4, 0.085, 1.5],
          [8, 0.041, 1.8],
          [16, 0.007, 2],
          [32, 0.002, 2],
        ),
      },
    ],
    leastS: 2,
    mostS: 60 * DAY,
    users: { names: 300, skew: 1.1 },
    repeats: { share: 0.5, sigma: 0.3 },
    needs: { kinds: MIXED },
    priorities: null,
    estimates: null,
    drift: null,
  },

  /**
   * Like SenseTime's Helios, Apr–Sept 2020. Hu et al., SC '21: median duration 206 s and mean 6,652 s of GPU jobs, at
   * most 50 days; 3.72 GPUs on average; over half of the jobs on one GPU, which take 3–12 % of GPU time; a daily
   * rhythm. Ours: the form between median and mean, sizes that give this mean (up to 64), how much longer larger jobs
   * run (so that single GPUs take 7 % of the time), bursts, users, repeats, kinds, and that there are 64 GPUs.
   */
  'helios-like': {
    summary: 'a company cluster: half of the jobs below four minutes, GPU time in the large ones',
    gpus: 64,
    load: 0.8,
    classes: [
      {
        share: 1,
        rhythm: CLUSTER_DAY,
        sweeps: sweeps(0.3, 2, 3, 4, 6, 10),
        duration: { type: 'logNormal', medianS: 228, sigma: 2.62 },
        gpus: sizes(
          [1, 0.565, 0.65],
          [2, 0.11, 0.9],
          [4, 0.12, 1.2],
          [8, 0.16, 1.7],
          [16, 0.028, 2.2],
          [32, 0.013, 2.5],
          [64, 0.004, 2.5],
        ),
      },
    ],
    leastS: 1,
    mostS: 50 * DAY,
    users: { names: 400, skew: 1.1 },
    repeats: { share: 0.6, sigma: 0.35 },
    needs: { kinds: MIXED },
    priorities: null,
    estimates: null,
    drift: null,
  },

  /**
   * Like Alibaba's PAI, July–Aug 2020. Weng et al., NSDI '22: run time of task instances with a median of 23 min and a
   * 90th percentile of 4.5 h; 65 % of tasks recur; over 1,300 users, of whom the top 5 % submit 77 %; most jobs ask
   * for a part of a GPU. Traces have whole GPUs: parts show in `gpu_util` alone, whose median 1.5 % and mean 10.5 %
   * are those of the trace's sensor table. Ours: the log-normal forms, memory, sizes, the rhythm, and 32 GPUs. What
   * jobs train is not known, and no pair of them was measured.
   */
  'pai-like': {
    summary: 'a shared platform: many short jobs that use little of their GPU, from many users',
    gpus: 32,
    load: 0.8,
    classes: [
      {
        share: 1,
        rhythm: CLUSTER_DAY,
        sweeps: sweeps(0.2, 2, 4, 8),
        duration: { type: 'logNormal', medianS: 23 * MINUTE, sigma: 1.9 },
        gpus: sizes([1, 0.9], [2, 0.06], [4, 0.02], [8, 0.02]),
      },
    ],
    leastS: 1,
    mostS: 30 * DAY,
    users: { names: 1300, skew: 1.2 },
    repeats: { share: 0.65, sigma: 0.3 },
    needs: {
      vramMib: { median: 2500, sigma: 1 },
      mostVramMib: 15_000,
      gpuUtil: { median: 0.015, sigma: 1.97 },
    },
    priorities: null,
    estimates: null,
    drift: null,
  },

  /**
   * Lengths as in DeepRM (Mao et al., HotNets '16): 1 to 3 steps for four of five jobs, 10 to 15 for the others; by a
   * fair coin 1 or 2 of ten units, or 5 to 10. Ours: that a unit is a GPU and a step a minute, Poisson arrivals in
   * place of at most one job a step, and that there is no second resource. DeepRM's world itself: `stint deeprm`.
   */
  'deeprm-like': {
    summary: "DeepRM's lengths and demands on ten GPUs",
    gpus: 10,
    load: 0.8,
    classes: [
      [0.8, 1, 3],
      [0.2, 10, 15],
    ].map(([share, least, most]): JobClass => {
      return {
        share: share!,
        rhythm: null,
        sweeps: null,
        duration: { type: 'steps', unitS: MINUTE, least: least!, most: most! },
        gpus: sizes([1, 3], [2, 3], [5, 1], [6, 1], [7, 1], [8, 1], [9, 1], [10, 1]),
      };
    }),
    leastS: MINUTE,
    mostS: 15 * MINUTE,
    users: ONE_USER,
    repeats: NEVER_AGAIN,
    needs: null,
    priorities: null,
    estimates: null,
    drift: null,
  },

  /**
   * Durations with the tail of Unix processes, P(> t) ∝ 1/t (Harchol-Balter & Downey, TOCS '97: an exponent near −1).
   * Ours: the exponent 1.1, from a minute to a week. The longest few jobs make most of the load.
   */
  'heavy-tail': {
    summary: 'Poisson arrivals, Pareto durations from a minute to a week',
    gpus: 4,
    load: 0.7,
    classes: [
      {
        share: 1,
        rhythm: null,
        sweeps: null,
        duration: { type: 'pareto', leastS: MINUTE, shape: 1.1 },
        gpus: ONE_GPU,
      },
    ],
    leastS: MINUTE,
    mostS: 7 * DAY,
    users: ONE_USER,
    repeats: NEVER_AGAIN,
    needs: null,
    priorities: null,
    estimates: null,
    drift: null,
  },

  /** M/M/c: what queueing theory can tell exactly. */
  steady: {
    summary: 'Poisson arrivals, exponential durations of an hour on one GPU: for checks against theory',
    gpus: 4,
    load: 0.8,
    classes: [
      {
        share: 1,
        rhythm: null,
        sweeps: null,
        duration: { type: 'exponential', meanS: HOUR },
        gpus: ONE_GPU,
      },
    ],
    leastS: 0.001,
    mostS: 100 * DAY,
    users: ONE_USER,
    repeats: NEVER_AGAIN,
    needs: null,
    priorities: null,
    estimates: null,
    drift: null,
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESET_OBJECTS;
export const PRESETS: Readonly<Record<PresetName, Preset>> = PRESET_OBJECTS;
export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];
