import { resolve } from 'node:path';
import { PastJobs } from '../evaluate/pastJobs.ts';
import { traceJobs } from '../traceFile.ts';
import type { WorldsConfig } from './trainConfig.ts';
import type { Traces } from './worlds.ts';

/**
 * The traces among a configuration's sources.
 * @param directory from where their paths count.
 * @throws {TraceError} for what a file holds, {FieldError} naming `worlds.sources`.
 */
export async function loadTraces({ sources }: WorldsConfig, directory: string): Promise<Traces> {
  const traces = new Map<string, { jobs: Awaited<ReturnType<typeof traceJobs>>; past: PastJobs }>();
  for (const source of sources) {
    if (!('trace' in source) || traces.has(source.trace)) continue;
    const named = { path: resolve(directory, source.trace), file: source.trace };
    const jobs = await traceJobs(named, 'worlds.sources');
    traces.set(source.trace, { jobs, past: new PastJobs(jobs) });
  }
  return traces;
}
