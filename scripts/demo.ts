// `npm run demo`: a console on the GPUs of this machine, or on two virtual devices, fed with a dozen real trainings
// of three people. It uses a data directory of its own and stays open afterwards.
//   npm run demo -- [--data DIR] [--exit]      --exit ends it when all jobs are over
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/cli/connect.ts';
import { isTerminal, type JobSpecInput } from '../src/domain/job.ts';
import { REWARD_COMPONENTS } from '../src/domain/reward.ts';
import { formatDuration } from '../src/domain/units.ts';
import { ROOT } from './lib/run.ts';

interface DemoJob {
  readonly task: string;
  readonly epochs: number;
  readonly width: number;
  readonly gpus?: number;
  readonly vramMib?: number;
  readonly priority?: number;
  readonly user: string;
  readonly project: string;
  /** What its owner guesses; some do not. */
  readonly estimateS?: number;
  /** Seconds after the start at which it is submitted. */
  readonly afterS: number;
}

const JOBS: readonly DemoJob[] = [
  {
    task: 'text',
    epochs: 36,
    width: 64,
    user: 'ana',
    project: 'language',
    vramMib: 9216,
    estimateS: 100,
    afterS: 0,
  },
  {
    task: 'spirals',
    epochs: 60,
    width: 32,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 24,
    afterS: 0,
  },
  {
    task: 'spirals',
    epochs: 60,
    width: 64,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 24,
    afterS: 0,
  },
  {
    task: 'spirals',
    epochs: 60,
    width: 128,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 28,
    afterS: 0,
  },
  { task: 'shapes', epochs: 36, width: 8, user: 'chen', project: 'vision', estimateS: 90, afterS: 0 },
  { task: 'waves', epochs: 90, width: 32, user: 'ana', project: 'forecast', vramMib: 7168, afterS: 2 },
  {
    task: 'compress',
    epochs: 180,
    width: 64,
    gpus: 2,
    user: 'chen',
    project: 'codec',
    estimateS: 50,
    afterS: 4,
  },
  {
    task: 'compress',
    epochs: 45,
    width: 32,
    user: 'chen',
    project: 'codec',
    vramMib: 4096,
    priority: 5,
    afterS: 8,
  },
  {
    task: 'waves',
    epochs: 36,
    width: 16,
    user: 'ana',
    project: 'forecast',
    vramMib: 7168,
    estimateS: 24,
    afterS: 12,
  },
  { task: 'text', epochs: 12, width: 32, user: 'bo', project: 'language', vramMib: 9216, afterS: 15 },
  {
    task: 'spirals',
    epochs: 120,
    width: 64,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 48,
    afterS: 18,
  },
  {
    task: 'shapes',
    epochs: 12,
    width: 8,
    user: 'chen',
    project: 'vision',
    priority: 10,
    estimateS: 30,
    afterS: 22,
  },
];
/** TensorFlow.js steps are lighter than PyTorch's here, and it has fewer tasks. */
const NODE_TASKS: Readonly<Record<string, string>> = { text: 'compress', shapes: 'waves' };
const NODE_EPOCHS_FACTOR = 3;

const { values } = parseArgs({
  options: { data: { type: 'string' }, exit: { type: 'boolean', default: false } },
});
const home = values.data === undefined ? mkdtempSync(join(tmpdir(), 'stint-demo-')) : resolve(values.data);
const python = ['python3', '/usr/bin/python3'].find(
  (path) => spawnSync(path, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
);
const command = (job: DemoJob): string[] =>
  python === undefined
    ? [
        process.execPath,
        join(ROOT, 'scripts', 'demo', 'train.ts'),
        NODE_TASKS[job.task] ?? job.task,
        ...['--epochs', String(job.epochs * NODE_EPOCHS_FACTOR), '--width', String(job.width)],
      ]
    : [
        python,
        join(ROOT, 'scripts', 'demo', 'train.py'),
        job.task,
        ...['--epochs', String(job.epochs), '--width', String(job.width)],
      ];

console.log(
  python === undefined
    ? 'PyTorch was not found: the jobs train with TensorFlow.js'
    : 'The jobs train with PyTorch',
);
const main = join(ROOT, 'src', 'cli', 'main.ts');
const host = spawn(process.execPath, [main, 'serve', '--data', home, '--policy', 'dqn', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => host.kill('SIGTERM'));
host.on('exit', (code) => process.exit(code ?? 1));
const { url } = JSON.parse((await once(createInterface({ input: host.stdout }), 'line'))[0] as string) as {
  url: string;
};
console.log(`Console: ${url}\nData:    ${home}   (stint ls --data ${home})\n`);

const { client } = await connect(home);
const startedMs = Date.now();
const at = (): string => formatDuration(Date.now() - startedMs).padStart(11);
const told = new Map<number, string>();
const follow = (async () => {
  for await (const message of await client.watch({ since: 0 })) {
    if (message.type === 'decision')
      console.log(`${at()}  ${message.decision.policy}: ${message.decision.sentence}`);
    if (message.type !== 'event') continue;
    const { job } = message;
    if (told.get(job.id) === job.status) continue;
    told.set(job.id, job.status);
    if (isTerminal(job.status)) {
      console.log(`${at()}  #${job.id} ${job.name} ${job.status}, exit code ${job.exitCode ?? 'unknown'}`);
    }
    if (
      told.size === JOBS.length &&
      [...told.values()].every((status) => isTerminal(status as typeof job.status))
    )
      return;
  }
})();

for (const job of JOBS) {
  await sleep(Math.max(0, startedMs + 1000 * job.afterS - Date.now()));
  const spec: JobSpecInput = {
    command: command(job),
    cwd: ROOT,
    name: `${job.task} ×${job.width}`,
    user: job.user,
    project: job.project,
    priority: job.priority ?? 0,
    vramMib: job.vramMib ?? null,
    estimateS: job.estimateS ?? null,
    gpus: job.gpus ?? 1,
  };
  const { id } = await client.jobs.submit(spec);
  console.log(
    `${at()}  #${id} ${job.user} submits ${spec.name}, ${spec.gpus} GPU${spec.gpus === 1 ? '' : 's'}`,
  );
}
await follow;

// The episode is closed by the epoch that follows the last end.
let [episode] = await client.scheduler.episodes({ limit: 1 });
while (episode?.endedAtMs === null) {
  await sleep(100);
  [episode] = await client.scheduler.episodes({ limit: 1 });
}
const status = await client.scheduler.status();
if (episode) {
  const parts = REWARD_COMPONENTS.map((k) => `${k} ${episode.rewardParts[k].toFixed(0)} s`).join(', ');
  console.log(
    `\nEpisode ${episode.id}: ${episode.jobsFinished} jobs in ${formatDuration(episode.endedAtMs! - episode.startedAtMs)}, ` +
      `mean completion ${formatDuration(1000 * (episode.meanJctS ?? 0))}, ${episode.decisions} decisions, ` +
      `${episode.transitions} transitions, reward ${episode.reward.toFixed(3)} (${parts})\n` +
      `Learner: ${status.learner.state} on ${status.learner.backend ?? 'nothing yet'}, ${status.learner.trainSteps} steps; policy ${status.policyVersion}`,
  );
}
if (values.exit) host.kill('SIGTERM');
else console.log(`\nAll jobs are over. The console stays open at ${url}\nCtrl+C ends it.`);
