// An engine in a process of its own, to be killed: reads a JSON array of commands, or of commands with what else
// they are submitted with, submits them, says `submitted`, and runs on. The data directory is the only argument.
import { createInterface } from 'node:readline';
import type { JobSpecInput } from '../../../src/domain/job.ts';
import { startEngine } from './testEngine.ts';

const stint = await startEngine({ home: process.argv[2]!, devices: 'virtual:4' });
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const ids: number[] = [];
  for (const given of JSON.parse(line) as (string[] | JobSpecInput)[]) {
    const { command, ...more } = Array.isArray(given) ? { command: given } : given;
    ids.push((await stint.submit(command, more)).id);
  }
  // Up to four can be running; the rest waits.
  for (const id of ids.slice(0, 4)) {
    if ((await stint.client.jobs.get({ id })).status === 'queued' && ids.length <= 5)
      await stint.until(id, 'running', 'failed', 'succeeded');
  }
  process.stdout.write('submitted\n');
}
