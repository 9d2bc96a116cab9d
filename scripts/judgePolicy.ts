/**
 * Judges the shipped weights on work that nothing was chosen by, and writes what came out beside them:
 *
 *   node scripts/judgePolicy.ts [--policies all] [--limit JOBS] [--gpu-type k80] [--regime lab ...] [--trace FILE ...] [FILE]
 *
 * Runs `stint evaluate --suite held-back` and the traces named, under all three regimes, with the heuristics as they ship and
 * as tuned on training windows (resources/policy/heuristics.json, scripts/tuneHeuristics.ts), the teacher and `srtf`; puts
 * the table into FILE (resources/policy/second-wind.json) and the .md beside it.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluate } from '../src/lab/evaluate/evaluate.ts';
import type { PolicySummary, Ratio, Standing } from '../src/lab/evaluate/summary.ts';
import { DEFAULT_CONTESTANTS } from '../src/lab/policies.ts';
import type { PolicyFile } from '../src/learning/shippedPolicy.ts';
import { REGIME_NAMES } from '../src/simulator/regimes.ts';
import { ROOT } from './lib/run.ts';

const { values: options, positionals } = parseArgs({
  options: {
    limit: { type: 'string' },
    'gpu-type': { type: 'string', default: 'k80' },
    trace: { type: 'string', multiple: true, default: [] },
    /** Only these; what the record says of the others stays, if it is of the same weights. */
    regime: { type: 'string', multiple: true, default: [...REGIME_NAMES] },
    policies: { type: 'string', default: 'contenders' },
    workers: { type: 'string', default: '2' },
  },
  allowPositionals: true,
});
const path = resolve(positionals[0] ?? resolve(ROOT, 'resources/policy/second-wind.json'));
const record = JSON.parse(await readFile(path, 'utf8')) as PolicyFile;
/** Those that were the best in some cell on training windows, and `aged`; `--policies all`: every heuristic. */
const CONTENDERS = ['first-fit', 'aged', 'las', 'tiresias', 'gittins', 'pspt', 'pack'];
const contestants = options.policies === 'all' ? DEFAULT_CONTESTANTS : [...CONTENDERS, 'srtf'];
const { regimes: tuned } = JSON.parse(
  await readFile(resolve(ROOT, 'resources/policy/heuristics.json'), 'utf8'),
) as { readonly regimes: readonly { readonly regime: string; readonly best: Record<string, string> }[] };
/** As they ship, and where other settings were better under a regime, with these too. */
const policiesUnder = (regime: string): string[] => {
  const { best = {} } = tuned.find((one) => one.regime === regime) ?? {};
  const others = Object.entries(best).filter(([name]) => contestants.includes(name));
  return [...new Set(['dqn', 'teacher', ...contestants, ...others.map(([, settings]) => settings)])];
};
const limit = options.limit === undefined ? undefined : Number(options.limit);

/** What came out under one regime. */
interface Judged {
  readonly regime: string;
  readonly gpuType: string;
  /** What it came from. */
  readonly command: string;
  readonly overall: { readonly dqn: Standing; readonly teacher: Standing };
  readonly cells: readonly {
    readonly gpus: number;
    readonly load: number;
    readonly windows: number;
    readonly best_fixed: string;
    readonly dqn: Ratio | null;
    readonly teacher: Ratio | null;
    readonly hindsight: Ratio | null;
    readonly srtf: Ratio | null;
    readonly p99_to_best_fixed: number;
    readonly to_aged: number;
  }[];
}

const show = (ratio: Ratio | null): string =>
  ratio === null ? '–' : `${ratio.ratio.toFixed(3)} [${ratio.low?.toFixed(3)}, ${ratio.high?.toFixed(3)}]`;

const weights = createHash('sha256').update(Buffer.from(record.weights, 'base64')).digest('hex').slice(0, 12);
/** Records before commands were kept by regime have one for all. */
const before = record.evaluation as {
  readonly weights: string;
  readonly command?: string;
  readonly regimes: readonly (Omit<Judged, 'command'> & { readonly command?: string })[];
} | null;
const command = [
  'node scripts/judgePolicy.ts',
  ...(options.policies === 'all' ? ['--policies all'] : []),
  ...(limit === undefined ? [] : [`--limit ${limit}`]),
  `--gpu-type ${options['gpu-type']}`,
  ...options.trace.map((trace) => `--trace ${basename(trace)}`),
].join(' ');
const regimes: Judged[] = [];
for (const regime of REGIME_NAMES) {
  const known = before?.weights === weights ? before.regimes.find((one) => one.regime === regime) : undefined;
  if (!options.regime.includes(regime)) {
    if (known !== undefined)
      regimes.push({ ...known, command: known.command ?? before?.command ?? 'unknown' });
    continue;
  }
  const result = await evaluate({
    suites: ['held-back', ...options.trace].map((name) => ({ name: basename(name), path: resolve(name) })),
    regime,
    gpus: [1, 2, 4, 8],
    loads: [0.6, 0.8, 0.95],
    policies: policiesUnder(regime),
    seeds: 1,
    gpuType: options['gpu-type'],
    jobsPerWindow: 150,
    ...(limit === undefined ? {} : { limit }),
    workers: Number(options.workers),
    weightsPath: path,
    version: 'judge',
  });
  const of = (list: readonly PolicySummary[], name: string): PolicySummary =>
    list.find(({ policy }) => policy === name)!;
  const cells = result.cells.map((cell) => {
    const best = cell.best_single.mean_jct_s!;
    const [dqn, aged, fixed] = [of(cell.policies, 'dqn'), of(cell.policies, 'aged'), of(cell.policies, best)];
    return {
      gpus: cell.gpus,
      load: cell.load,
      windows: cell.windows,
      best_fixed: best,
      dqn: dqn.mean_jct_s.to_best_single,
      teacher: of(cell.policies, 'teacher').mean_jct_s.to_best_single,
      hindsight: dqn.mean_jct_s.to_best_of_window,
      srtf: dqn.mean_jct_s.to_srtf,
      p99_to_best_fixed: dqn.p99_jct_s.geometric_mean_s / fixed.p99_jct_s.geometric_mean_s,
      to_aged: dqn.mean_jct_s.geometric_mean_s / aged.mean_jct_s.geometric_mean_s,
    };
  });
  const overall = {
    dqn: of(result.overall, 'dqn').mean_jct_s,
    teacher: of(result.overall, 'teacher').mean_jct_s,
  };
  regimes.push({ regime, gpuType: options['gpu-type'], command, overall, cells });
}

const lines: string[] = [];
for (const { regime, gpuType, command: from, cells, overall } of regimes) {
  lines.push(
    '',
    `## ${regime}${regime === 'workstation' ? `, interference of the ${gpuType}` : ''}`,
    '',
    `By \`${from}\`:`,
    '',
    '| GPUs | load | windows | best fixed | dqn / best fixed | teacher / best fixed | dqn / hindsight | dqn / srtf | p99 / its p99 | dqn / aged |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...cells.map(
      (c) =>
        `| ${c.gpus} | ${c.load} | ${c.windows} | ${c.best_fixed} | ${show(c.dqn)} | ${show(c.teacher)} | ${show(c.hindsight)} | ${show(c.srtf)} | ${c.p99_to_best_fixed.toFixed(2)} | ${c.to_aged.toFixed(2)} |`,
    ),
    `| all | | | | ${show(overall.dqn.to_best_single)} | ${show(overall.teacher.to_best_single)} | ${show(overall.dqn.to_best_of_window)} | ${show(overall.dqn.to_srtf)} | | |`,
  );
}
await writeFile(path, `${JSON.stringify({ ...record, evaluation: { weights, regimes } }, null, 1)}\n`);
const head = [
  `# ${record.name}`,
  '',
  `Written by \`node scripts/judgePolicy.ts\`; the same numbers are in [${basename(path)}](${basename(path)}) with the weights (${weights}), their`,
  'configuration and the curve. Geometric means of ratios of mean completion times over windows of 150 jobs, with 95 %',
  'bootstrap intervals; below 1 is better. What the columns mean: [lab.md](../../docs/lab.md#evaluate); the story:',
  '[dqn.md](../../docs/dqn.md).',
];
await writeFile(path.replace(/\.json$/, '.md'), `${[...head, ...lines].join('\n')}\n`);
process.stdout.write(`wrote ${relative(ROOT, path)}\n`);
