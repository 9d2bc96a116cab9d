import { createReadStream } from 'node:fs';
import { MOST_RECORD_CHARS, type TraceJob, TraceReader } from '../domain/trace.ts';

/**
 * Reads a trace from a file, a piece at a time.
 * @param path where it lies.
 * @param file how errors call it.
 * @param take is given each job in turn; false ends the reading, and what follows is then not looked at.
 * @throws {TraceError} for what the file holds, and what Node throws for a file that cannot be read.
 */
export async function readTrace(path: string, file: string, take: (job: TraceJob) => boolean): Promise<void> {
  const reader = new TraceReader(file);
  const goesOn = (line: string): boolean => {
    const job = reader.read(line);
    return job === null || take(job);
  };
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (!goesOn(line)) return;
    // A line that never ends is refused by the reader before it fills the memory.
    if (rest.length > MOST_RECORD_CHARS) goesOn(rest);
  }
  if (rest !== '' && !goesOn(rest)) return;
  reader.end();
}
