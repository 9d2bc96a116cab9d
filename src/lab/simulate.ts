import { closeSync, openSync, writeSync } from 'node:fs';
import { FieldError, messageOf } from '../domain/errors.ts';
import { csvRow } from '../domain/trace.ts';
import { type PlainRow, plainRow } from '../simulator/plain/plainRow.ts';
import { type PlainTrace, PlainTraceBuilder } from '../simulator/plain/plainTrace.ts';
import { PLAIN_POLICIES, type PlainPolicy } from '../simulator/plain/policies.ts';
import { type PlainOutcome, simulatePlain } from '../simulator/plain/simulatePlain.ts';
import { JOBS_HEADER, refuseSameFile, rounded } from './jobsFile.ts';
import { machinePolicies } from './policies.ts';
import { type NamedFile, readTraceFile } from './traceFile.ts';

export interface SimulateOptions extends NamedFile {
  readonly gpus: number;
  readonly policies: readonly string[];
  /** Arrivals are spread by this factor. */
  readonly stretch: number;
  /** Only so many of the trace's first jobs. */
  readonly limit?: number;
  /** Where to write what happened to each job, as CSV; replaced if it exists. */
  readonly jobsFile?: string;
}

/**
 * Runs a trace in plain mode.
 * @returns a row a policy, in the order of `policies`.
 * @throws {TraceError} for a malformed trace, {FieldError} naming the option for anything else that cannot be used.
 */
export async function simulate(options: SimulateOptions): Promise<PlainRow[]> {
  const { gpus, jobsFile } = options;
  const policies = [...new Set(options.policies)].map(plainPolicy);
  const { trace, jobIds } = await load(options);
  const least = trace.gpus.reduce((min, asked) => Math.min(min, asked), Number.POSITIVE_INFINITY);
  if (least > gpus) throw new FieldError('gpus', gpus, `give at least ${least}: no job asks for fewer`);
  const jobs = jobsFile === undefined ? null : new JobsFile(jobsFile, options.path);
  try {
    return policies.map((policy) => {
      const outcome = simulatePlain(trace, gpus, policy);
      jobs?.write(policy.name, trace, jobIds, outcome);
      return plainRow(trace, gpus, policy, outcome);
    });
  } finally {
    jobs?.close();
  }
}

/** @throws {FieldError} that also says which names need the virtual machine. */
function plainPolicy(name: string): PlainPolicy {
  const policy = PLAIN_POLICIES.find((known) => known.name === name);
  if (policy !== undefined) return policy;
  const plain = PLAIN_POLICIES.map((known) => known.name);
  const others = machinePolicies.filter((known) => !plain.includes(known)).join(', ');
  const remedy = `choose from ${plain.join(', ')}, with commas between several; leave --plain out for ${others}`;
  throw new FieldError('policy', name, remedy);
}

async function load(options: SimulateOptions): Promise<{ trace: PlainTrace; jobIds: readonly string[] }> {
  const { stretch, limit = Number.POSITIVE_INFINITY, jobsFile } = options;
  const builder = new PlainTraceBuilder();
  const jobIds: string[] = [];
  let count = 0;
  await readTraceFile(options, 'TRACE', (job) => {
    builder.add({ ...job, submitS: job.submitS * stretch });
    if (jobsFile !== undefined) jobIds.push(job.jobId);
    return ++count < limit;
  });
  return { trace: builder.build(), jobIds };
}

/** What happened to each job that ran, under each policy. */
class JobsFile {
  readonly #descriptor: number;

  constructor(path: string, tracePath: string) {
    try {
      refuseSameFile(path, tracePath);
      this.#descriptor = openSync(path, 'w');
    } catch (error) {
      if (error instanceof FieldError) throw error;
      throw new FieldError('--jobs', path, `name a file that can be written (${messageOf(error)})`);
    }
    this.#lines([JOBS_HEADER]);
  }

  write(policy: string, trace: PlainTrace, jobIds: readonly string[], outcome: PlainOutcome): void {
    let lines: string[] = [];
    for (let row = 0; row < trace.jobs; row++) {
      if (outcome.rejected[row] === 1) continue;
      const submitS = trace.submitS[row]!;
      const finishS = outcome.finishS[row]!;
      const jctS = finishS - submitS;
      const waitS = Math.max(0, jctS - trace.durationS[row]!);
      const times = [outcome.startS[row]!, finishS, jctS, waitS].map(rounded);
      lines.push(
        csvRow([
          policy,
          jobIds[row]!,
          rounded(submitS),
          trace.gpus[row]!,
          ...times,
          outcome.preemptions[row]!,
        ]),
      );
      if (lines.length < 4096) continue;
      this.#lines(lines);
      lines = [];
    }
    if (lines.length > 0) this.#lines(lines);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #lines(lines: readonly string[]): void {
    let rest = Buffer.from(`${lines.join('\n')}\n`);
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#descriptor, rest));
  }
}
