// `npm run bench`: the figures that Stint promises, measured here and now, as a table and as JSON under
// bench-results/. It fails nothing: machines differ, and tests have no timing.
//   npm run bench -- [--quick] [--only NAME,NAME…]    (names: BENCHES below)
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { consoleSize } from './bench/consoleSize.ts';
import { decisionTime } from './bench/decisions.ts';
import { evaluation } from './bench/evaluate.ts';
import { frames } from './bench/frames.ts';
import { idleCost } from './bench/idle.ts';
import { learningSpeed } from './bench/learning.ts';
import { logFollow } from './bench/logFollow.ts';
import { longHistory, longQueue } from './bench/manyJobs.ts';
import { type Figure, table } from './bench/measure.ts';
import { peers } from './bench/peers.ts';
import { plainSimulation } from './bench/plain.ts';
import { submissionRate, submitToRunning } from './bench/submissions.ts';
import { telemetryCost } from './bench/telemetry.ts';
import { leaveNothing } from './lib/leaveNothing.ts';
import { ROOT } from './lib/run.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const repetitions = values.quick ? 2 : 5;
const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  submissions: async () => [...(await submitToRunning(repetitions)), ...(await submissionRate(repetitions))],
  queue: () => longQueue(values.quick ? 1 : 3),
  history: () => longHistory(values.quick ? 1 : 3),
  logs: () => logFollow(values.quick ? 1 : 3),
  decisions: () => decisionTime(repetitions),
  learning: () => learningSpeed(repetitions),
  idle: () => idleCost(values.quick ? 1 : 3),
  telemetry: () => telemetryCost(values.quick ? 1 : 3),
  peers: () => peers(values.quick),
  plain: () => plainSimulation(repetitions),
  evaluate: () => evaluation(values.quick ? 1 : 3),
  console: () => Promise.resolve(consoleSize()),
  frames: () => frames(values.quick ? 1 : 3, values.quick ? 900 : 3600),
};
const only = values.only?.split(',');
const unknown = only?.find((name) => !(name in BENCHES));
if (unknown !== undefined) {
  console.error(`--only: "${unknown}" is not usable; choose among ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryGib: Math.round(totalmem() / 2 ** 30),
  os: `${type()} ${release()}`,
  node: process.version,
  stint: version,
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
  loadAtStart: loadavg()[0]!,
  atMs: Date.now(),
};
// What is measured is what people run.
execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts'), '--if-stale'], { stdio: 'ignore' });
leaveNothing();
const figures: Figure[] = [];
for (const [name, measure] of Object.entries(BENCHES)) {
  if (only !== undefined && !only.includes(name)) continue;
  console.error(`measuring ${name} …`);
  figures.push(...(await measure()));
}
console.log(
  `\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.os}, Node ${machine.node}, ` +
    `Stint ${machine.stint} (${machine.commit}), load ${machine.loadAtStart.toFixed(1)} at the start\n`,
);
console.log(table(figures));
const out = join(ROOT, 'bench-results');
mkdirSync(out, { recursive: true });
const file = join(out, `${new Date(machine.atMs).toISOString().replace(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
console.log(`\n${file}`);
