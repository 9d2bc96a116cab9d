import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHost, usageOfTree } from './host.ts';
import type { Figure } from './measure.ts';

const LINES_PER_S = 50_000;
const SECONDS = 20;

/** Numbered lines at a steady rate, from a job without progress in them, in portions of a tenth of a second. */
const PRINTER = `
import sys, time
begin = time.monotonic()
for tenth in range(${SECONDS * 10}):
    first = tenth * ${LINES_PER_S / 10}
    sys.stdout.write("".join("line %08d of the output of a job that has much to say, and says it\\n" % n for n in range(first, first + ${LINES_PER_S / 10})))
    sys.stdout.flush()
    time.sleep(max(0, begin + (tenth + 1) / 10 - time.monotonic()))
`;

/** What it costs the engine that a job prints 50,000 lines a second and a client follows its log; and what gets lost. */
export async function logFollow(repetitions: number): Promise<Figure[]> {
  const cpu: number[] = [];
  const lostOnDisk: number[] = [];
  const lostByFollower: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const host = await startHost(['--devices', 'virtual:2']);
    try {
      const { client, pid, home } = host;
      const { id } = await client.jobs.submit({
        command: ['python3', '-c', PRINTER],
        cwd: '/',
        user: 'bench',
        gpus: 0,
      });
      while ((await client.jobs.get({ id })).status === 'queued') await sleep(20);
      let followed = 0;
      const reader = (async () => {
        for await (const chunk of await client.logs.follow({ id }))
          followed += chunk.text.split('\n').length - 1;
      })();
      await sleep(3000);
      // The job's own processes are children of nobody here: only the engine and its helpers are counted.
      const before = usageOfTree(pid, /supervisor\.sh|python3/);
      const fromMs = performance.now();
      await sleep(1000 * (SECONDS - 6));
      const after = usageOfTree(pid, /supervisor\.sh|python3/);
      cpu.push((100 * (after.cpuS - before.cpuS)) / ((performance.now() - fromMs) / 1000));
      await reader;
      let lines = 0;
      for await (const piece of createReadStream(join(home, 'jobs', String(id), '1', 'output.log'))) {
        for (const byte of piece as Buffer) if (byte === 10) lines++;
      }
      lostOnDisk.push(LINES_PER_S * SECONDS - lines);
      lostByFollower.push(LINES_PER_S * SECONDS - followed);
    } finally {
      await host.dispose();
    }
  }
  const how = `a Python job prints ${LINES_PER_S} lines of 66 bytes a second for ${SECONDS} s; one client follows its log`;
  return [
    {
      what: 'log of 50,000 lines/s with a follower, engine',
      unit: '% of a core',
      values: cpu,
      target: { limit: 10, better: 'less' },
      how,
    },
    {
      what: 'the same, lines lost on disk',
      unit: 'lines',
      values: lostOnDisk,
      target: { limit: 1, better: 'less' },
      how,
    },
    {
      what: 'the same, lines lost by the follower',
      unit: 'lines',
      values: lostByFollower,
      target: { limit: 1, better: 'less' },
      how,
    },
  ];
}
