/**
 * Measures what each part of the learner is worth: trains it whole and without each part, with the same seeds, and
 * compares the last weights of each training on the same worlds, which nothing is chosen by.
 *
 *   node scripts/ablate.ts [--seeds 5] [--workers 1] [FILE]
 *
 * The planner's prior is left out, since it would hide all else, and trainings are small, so that there can be many.
 * Results go to FILE (docs/ablations.json) after each training; one that is there is not run again.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { meanIntervals } from '../src/lab/evaluate/bootstrap.ts';
import { train } from '../src/lab/train/train.ts';
import { ROOT } from './lib/run.ts';

const { values: options, positionals } = parseArgs({
  options: { seeds: { type: 'string', default: '5' }, workers: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const path = resolve(positionals[0] ?? resolve(ROOT, 'docs/ablations.json'));

const WHOLE = {
  preempts: true,
  worlds: {
    gpus: [2, 4],
    load: [0.7, 1],
    jobs: [40, 60],
    regimes: { lab: 1, hints: 1 },
    sharing: { regime: 1 },
    otherGoalsShare: 0.25,
  },
  network: { hidden: [32, 32], dueling: true, members: 1, quantiles: 1 },
  learning: { nStep: 5, double: true, priorityExponent: 0.6, resetEverySteps: 0 },
  demonstrations: { policy: 'gittins', worlds: 40, steps: 600 },
  interaction: { worlds: 160, worldsPerRound: 8, exploringWorlds: 80 },
  validation: { worlds: 32, everySteps: 400, against: 'srtf' },
};
type Config = typeof WHOLE;

const VARIANTS: Readonly<Record<string, (whole: Config) => Config>> = {
  whole: (whole) => whole,
  'no demonstrations': (whole) => ({ ...whole, demonstrations: { ...whole.demonstrations, worlds: 0 } }),
  'returns of one step': (whole) => ({ ...whole, learning: { ...whole.learning, nStep: 1 } }),
  'uniform replay': (whole) => ({ ...whole, learning: { ...whole.learning, priorityExponent: 0 } }),
  'no dueling': (whole) => ({ ...whole, network: { ...whole.network, dueling: false } }),
  'no double': (whole) => ({ ...whole, learning: { ...whole.learning, double: false } }),
  'goals always as at first': (whole) => ({ ...whole, worlds: { ...whole.worlds, otherGoalsShare: 0 } }),
  'an ensemble of three': (whole) => ({ ...whole, network: { ...whole.network, members: 3 } }),
  'eight quantiles': (whole) => ({ ...whole, network: { ...whole.network, quantiles: 8 } }),
  'resets every 800 steps': (whole) => ({ ...whole, learning: { ...whole.learning, resetEverySteps: 800 } }),
};

/** Of one training: the last validation, relative to srtf on the same worlds. */
interface Outcome {
  readonly ratio: number;
  readonly step: number;
  readonly trainedS: number;
}
interface Record_ {
  readonly config: Config;
  readonly outcomes: { [variant: string]: { [seed: string]: Outcome } };
}

const record: Record_ = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as Record_)
  : { config: WHOLE, outcomes: {} };
if (JSON.stringify(record.config) !== JSON.stringify(WHOLE))
  throw new Error(`${path} is of another configuration: move it away`);

for (let seed = 1; seed <= Number(options.seeds); seed++) {
  for (const [name, change] of Object.entries(VARIANTS)) {
    record.outcomes[name] ??= {};
    const known = record.outcomes[name];
    if (known[seed] !== undefined) continue;
    const outcome = await outcomeOf({ ...change(WHOLE), seed });
    known[seed] = outcome;
    console.log(`seed ${seed}, ${name}: ${outcome.ratio.toFixed(3)} of srtf`);
    writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
  }
}

async function outcomeOf(config: Config & { seed: number }): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'stint-ablate-'));
  try {
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    let last: { readonly ratio: number; readonly step: number } | null = null;
    const { trainedS } = await train({
      configFile: { path: file, file },
      directory: join(directory, 'run'),
      resume: false,
      workers: Number(options.workers),
      onEvent: (event) => {
        if (event.event === 'validation') last = { ratio: event.ratio, step: event.step };
      },
      onProgress: () => undefined,
    });
    if (last === null) throw new Error('the training was never validated');
    return { ...(last as { ratio: number; step: number }), trainedS };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const whole = record.outcomes.whole!;
console.log('\n| | mean JCT, to srtf | against the whole | seeds |\n|---|---|---|---|');
for (const [name, bySeed] of Object.entries(record.outcomes)) {
  const seeds = Object.keys(bySeed).filter((seed) => whole[seed] !== undefined);
  const logs = seeds.map((seed) => Math.log(bySeed[seed]!.ratio));
  const against = seeds.map((seed) => Math.log(bySeed[seed]!.ratio / whole[seed]!.ratio));
  const counts = seeds.map(() => 1);
  const [interval] = meanIntervals({ counts, sums: [Float64Array.from(against)] });
  const mean = (values: readonly number[]): number =>
    Math.exp(values.reduce((sum, value) => sum + value, 0) / values.length);
  const bounds = interval?.map((bound) => Math.exp(bound).toFixed(3)).join(', ') ?? '–';
  const versus = name === 'whole' ? '' : `${mean(against).toFixed(3)} [${bounds}]`;
  console.log(`| ${name} | ${mean(logs).toFixed(3)} | ${versus} | ${seeds.length} |`);
}
