// `npm run chaos`: whatever can happen to an engine and its machine happens, round after round, to real processes and a
// real database, and after each everything is looked at: docs/chaos.md. Ends with 1 if anything was bad.
//   npm run chaos -- [--rounds 200] [--seed 1] [--from 0] [--only engine,torn] [--json FILE]
//   npm run chaos -- --soak [--jobs 5000]     a week of the engine's clock with real processes: memory and database
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS } from './chaos/faults.ts';
import { chaos, type Report } from './chaos/rounds.ts';
import { FULL_AFTER, soak } from './chaos/soak.ts';
import { BAD } from './chaos/verify.ts';
import { ROOT } from './lib/run.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    soak: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '5000' },
  },
});
const number = (flag: 'rounds' | 'seed' | 'from' | 'jobs'): number => {
  const value = Number(values[flag]);
  if (Number.isSafeInteger(value) && value >= 0 && value <= 1_000_000) return value;
  console.error(`--${flag}: "${values[flag]}" is not usable; give a whole number from 0 to 1000000`);
  process.exit(2);
};
const only = values.only.split(',').filter(Boolean);
const unknown = only.filter((name) => !FAULTS.some((fault) => fault.name === name));
if (unknown.length > 0) {
  const names = FAULTS.map(({ name }) => name).join(', ');
  console.error(`--only: "${unknown.join()}" is not usable; choose from ${names}`);
  process.exit(2);
}

const fromMs = performance.now();
const seconds = (): number => (performance.now() - fromMs) / 1000;
const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version };
// Ctrl+C ends it after what is under way, with the table of what was done.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
if (values.soak) await runSoak();
else await runRounds();

async function runRounds(): Promise<void> {
  const [rounds, from] = [number('rounds'), number('from')];
  const report = await chaos(
    { rounds, seed: number('seed'), from, only },
    (done, fault, findings) => {
      for (const line of findings.details) console.error(`  ${fault}: ${line}`);
      const leftS = (seconds() / (done - from)) * (rounds - done);
      console.error(
        `round ${done} of ${rounds} (${fault}), ${seconds().toFixed(0)} s, about ${leftS.toFixed(0)} s left`,
      );
    },
    interrupted.signal,
  );
  console.log(table(report));
  const held = Object.entries(report.happened).map(([what, times]) => `${times} ${what}`);
  console.log(`\nWith ${held.sort().join(', ')}.`);
  for (const { fault, why } of report.skipped) console.log(`not done: ${fault} (${why})`);
  console.log(
    `\nseed ${report.seed}, ${seconds().toFixed(0)} s, ${machine.cpu}, ${machine.cores} cores; bad: ${report.badTotal}`,
  );
  save({ rounds, from, ...report }, report.badTotal);
}

async function runSoak(): Promise<void> {
  const columns = [
    ['jobs', 'jobs', 0],
    ['day', 'day', 1],
    ['heap MiB', 'heapMib', 1],
    ['external MiB', 'externalMib', 1],
    ['resident MiB', 'rssMib', 0],
    ['open files', 'openFiles', 0],
    ['database MiB', 'databaseMib', 1],
  ] as const;
  console.log(columns.map(([title]) => title.padStart(13)).join(''));
  const { points, findings, slopes, speed, growth } = await soak(
    number('jobs'),
    number('seed'),
    (point) =>
      console.log(columns.map(([, key, digits]) => point[key].toFixed(digits).padStart(13)).join('')),
    interrupted.signal,
  );
  if (slopes === null)
    console.log(`\nToo short to tell what grows: memories are full after ${FULL_AFTER} jobs.`);
  else {
    console.log('\nMiB a thousand jobs in the second half, by Theil and Sen, 95 %:');
    for (const [what, { slope, low, high }] of Object.entries(slopes))
      console.log(`  ${what.padEnd(9)}${slope.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`);
  }
  console.log('\nLargest tables, with their indices:');
  for (const { name, rows, mib } of growth.tables)
    console.log(`  ${name.padEnd(20)}${String(rows).padStart(8)} rows ${mib.toFixed(1).padStart(8)} MiB`);
  console.log(
    `So the database takes at most ${growth.fullMib.toFixed(0)} MiB, and ${growth.kibAJob.toFixed(1)} KiB a job for good.`,
  );
  for (const line of findings.details) console.error(line);
  const bad = Object.values(findings.counts).reduce((a, b) => a + b, 0);
  console.log(
    `\n${seconds().toFixed(0)} s, the clock on the wall at ${speed.toFixed(0)} ×, ${machine.cpu}, ${machine.cores} cores; bad: ${bad}`,
  );
  save({ speed, slopes, growth, points, ...findings, happened: Object.fromEntries(findings.happened) }, bad);
}

function save(what: Readonly<Record<string, unknown>>, bad: number): void {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  const file = values.json ?? join(ROOT, 'bench-results', `chaos-${time}.json`);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine, seconds: seconds(), ...what }, null, 2)}\n`);
  console.log(file);
  process.exitCode = bad > 0 ? 1 : 0;
}

function table({ tallies }: Report): string {
  const head = ['fault', 'rounds', 'not arranged', 'jobs', 'refused', ...BAD];
  const rows = tallies.map(({ fault, rounds, unarranged, jobs, refused, bad }) =>
    [fault, rounds, unarranged, jobs, refused, ...BAD.map((one) => bad[one])].map(String),
  );
  const sum = (at: number): string => String(rows.reduce((total, row) => total + Number(row[at]), 0));
  const all = [head, ...rows, ['all', ...head.slice(1).map((_, i) => sum(i + 1))]];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return all.map(line).join('\n');
}
