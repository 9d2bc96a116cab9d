import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobView } from '../../src/contract/messages.ts';
import { isTerminal, type JobSpecInput } from '../../src/domain/job.ts';
import { type BenchHost, startHost } from '../bench/host.ts';
import { JOBS, specOf } from '../demo/jobs.ts';
import { fillHome } from '../lib/manyJobs.ts';
import { ROOT } from '../lib/run.ts';
import { GPU_IDS, Gpus } from './gpus.ts';

/** A machine at work, of which pictures can be taken. */
export interface World {
  readonly host: BenchHost;
  /** A training that runs, and one that died for want of GPU memory. */
  readonly runs: number;
  readonly died: number;
  dispose(): Promise<void>;
}

const SCRIPTS = join(ROOT, 'scripts', 'demo');
const EPISODES = 5;
const PATIENCE_MS = 120_000;

/** Says in its output what PyTorch says then. */
const OUT_OF_MEMORY = [
  'sh',
  '-c',
  'for i in 1 2 3; do echo "epoch $i/40 loss 2.$((40 - 9 * i))"; done; echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 47.99 GiB of which 1.31 GiB is free."; exit 1',
];

/** Reports an epoch a second, and works at nothing. */
const REPORTS = ['sh', '-c', 'for i in $(seq 1 400); do echo "epoch $i/400"; sleep 1; done'];

/**
 * Four GPUs (NVIDIA's library through its stand-in), two weeks of jobs behind them, some busy periods that the scheduler remembers,
 * and the demo's jobs: as many as fit run, the others wait.
 */
export async function makeWorld(say: (line: string) => void): Promise<World> {
  const template = mkdtempSync(join(tmpdir(), 'stint-pictures-'));
  fillHome(template, { past: 400, queued: 0, days: 14, devices: GPU_IDS });
  const gpus = new Gpus();
  const host = await startHost(['--devices', 'nvml', '--policy', 'dqn'], gpus.env, template);
  rmSync(template, { recursive: true, force: true });
  const { client } = host;
  let goes = true;
  const warmed = (async () => {
    while (goes) {
      await gpus.step(client);
      await sleep(1000);
    }
  })();
  const submit = async (spec: Omit<JobSpecInput, 'cwd'> & { cwd?: string }): Promise<number> =>
    (await client.jobs.submit({ cwd: '/', ...spec })).id;
  const until = async (
    what: string,
    ids: readonly number[],
    is: (job: JobView) => boolean,
  ): Promise<void> => {
    const startMs = performance.now();
    for (;;) {
      const jobs = await Promise.all(ids.map((id) => client.jobs.get({ id })));
      if (jobs.every(is)) return;
      if (performance.now() - startMs > PATIENCE_MS)
        throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
      await sleep(200);
    }
  };
  const over = ({ status }: JobView): boolean => isTerminal(status);

  say(`${EPISODES} busy periods …`);
  for (let i = 0; i < EPISODES; i++) {
    const some = {
      user: ['ana', 'bo', 'chen'][i % 3]!,
      project: ['language', 'vision', 'codec'][i % 3]!,
      gpus: 1,
    };
    const ids: number[] = [];
    for (let j = 0; j < 3 + (i % 3); j++)
      ids.push(
        await submit({
          ...some,
          name: `evaluate ${j + 1}`,
          vramMib: 30_720,
          command: ['sleep', String(0.5 + (j % 2))],
        }),
      );
    await until('a busy period is over', ids, over);
  }
  const died = await submit({
    name: 'finetune 13B',
    user: 'chen',
    project: 'language',
    gpus: 1,
    vramMib: 40_960,
    command: OUT_OF_MEMORY,
  });
  await until('it died', [died], over);

  say('trainings …');
  // Where somebody keeps experiments, not where Stint was built.
  const scripts = mkdtempSync(join(tmpdir(), 'experiments-'));
  cpSync(SCRIPTS, scripts, { recursive: true });
  const ids: number[] = [];
  for (const job of JOBS) {
    const { vramMib, command, ...spec } = specOf({ ...job, epochs: 60 });
    ids.push(
      await submit({
        ...spec,
        // One is a real training, whose page is shown; of the others as much as is seen of them here.
        command: ids.length === 0 ? command.map((word) => word.replace(`${SCRIPTS}/`, '')) : REPORTS,
        cwd: scripts,
        vramMib: vramMib == null ? null : 3 * vramMib,
        estimateS: 300 + 60 * ids.length,
      }),
    );
  }
  await client.arrays.submit({
    spec: {
      name: 'lr sweep',
      cwd: '/',
      user: 'bo',
      project: 'sweep',
      gpus: 1,
      vramMib: 12_288,
      command: ['python', 'train.py', '--lr', '{lr}'],
    },
    members: ['1e-3', '3e-4', '1e-4', '3e-5'].map((lr, index) => ({ index, values: { lr } })),
  });
  const held = await submit({
    name: 'full run',
    user: 'ana',
    project: 'forecast',
    gpus: 4,
    hold: true,
    command: ['true'],
  });
  await until('one is held', [held], ({ status }) => status === 'held');
  const runs = ids[0]!;
  await until(
    'the first reports',
    [runs],
    ({ status, progress }) => status === 'running' && progress !== null,
  );
  // So that there is a line to see in its charts.
  await sleep(10_000);
  return {
    host,
    runs,
    died,
    async dispose() {
      goes = false;
      await warmed;
      await host.dispose();
      gpus.dispose();
      rmSync(scripts, { recursive: true, force: true });
    },
  };
}
