// `npm run demo`: a console on the GPUs of this machine, or on two virtual devices, fed with a dozen real trainings
// of three people. It uses a data directory of its own and stays open afterwards.
//   npm run demo -- [--data DIR] [--exit]      --exit ends it when all jobs are over
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/cli/connect.ts';
import { isTerminal } from '../src/domain/job.ts';
import { REWARD_COMPONENTS } from '../src/domain/reward.ts';
import { formatDuration } from '../src/domain/units.ts';
import { JOBS, python, specOf } from './demo/jobs.ts';
import { ROOT } from './lib/run.ts';

const { values } = parseArgs({
  options: { data: { type: 'string' }, exit: { type: 'boolean', default: false } },
});
const home = values.data === undefined ? mkdtempSync(join(tmpdir(), 'stint-demo-')) : resolve(values.data);
console.log(
  python === undefined
    ? 'PyTorch was not found: the jobs train with TensorFlow.js'
    : 'The jobs train with PyTorch',
);
const main = join(ROOT, 'src', 'cli', 'main.js');
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
  const spec = specOf(job);
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
