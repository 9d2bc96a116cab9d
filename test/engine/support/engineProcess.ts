// An engine in a process of its own, to be killed: reads a JSON array of commands, submits them, says
// `submitted`, and runs on. The data directory is the only argument.
import { createInterface } from 'node:readline';
import { startEngine } from './testEngine.ts';

const stint = await startEngine({ home: process.argv[2]!, devices: 'virtual:4' });
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const ids: number[] = [];
  for (const command of JSON.parse(line) as string[][]) ids.push((await stint.submit(command)).id);
  // Up to four can be running; the rest waits.
  for (const id of ids.slice(0, 4)) {
    if ((await stint.client.jobs.get({ id })).status === 'queued' && ids.length <= 5)
      await stint.until(id, 'running', 'failed', 'succeeded');
  }
  process.stdout.write('submitted\n');
}
