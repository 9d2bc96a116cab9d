import { FieldError, messageOf } from '../domain/errors.ts';
import { TraceError, type TraceJob } from '../domain/trace.ts';
import { readTrace } from './readTrace.ts';

/** A file as it was named, and where it lies. */
export interface NamedFile {
  readonly path: string;
  /** How errors call it. */
  readonly file: string;
}

/** What plain mode can take in its stride and the virtual machine cannot: about 300 MB of jobs. */
const MOST_JOBS = 1_000_000;

/**
 * {@link readTrace}, with an error that names an argument where the file cannot be read.
 * @throws {TraceError} for what the file holds, {FieldError} naming `field`.
 */
export async function readTraceFile(
  { path, file }: NamedFile,
  field: string,
  take: (job: TraceJob) => boolean,
): Promise<void> {
  try {
    await readTrace(path, file, take);
  } catch (error) {
    if (error instanceof TraceError || error instanceof FieldError) throw error;
    throw new FieldError(field, file, `give a trace file that can be read (${messageOf(error)})`);
  }
}

/**
 * The jobs of a trace, for the virtual machine.
 * @param limit only so many of its first jobs.
 * @throws as {@link readTraceFile}, and {FieldError} for more than a million jobs.
 */
export async function traceJobs(named: NamedFile, field: string, limit = Infinity): Promise<TraceJob[]> {
  const jobs: TraceJob[] = [];
  await readTraceFile(named, field, (job) => {
    jobs.push(job);
    if (jobs.length > MOST_JOBS) {
      const remedy = `give at most ${MOST_JOBS} jobs, such as with --limit; plain mode takes more`;
      throw new FieldError(field, named.file, remedy);
    }
    return jobs.length < limit;
  });
  return jobs;
}
