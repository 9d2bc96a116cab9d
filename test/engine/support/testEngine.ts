import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import type { StintClient } from '../../../src/contract/client.ts';
import type { JobView } from '../../../src/contract/messages.ts';
import { isTerminal, type JobSpecInput, type JobStatus } from '../../../src/domain/job.ts';
import { createEngine, type Engine, type EngineOptions } from '../../../src/engine/engine.ts';
import type { Log } from '../../../src/engine/ports.ts';

export interface TestEngine {
  readonly engine: Engine;
  readonly client: StintClient;
  readonly home: string;
  /** Warnings and errors that the engine logged. */
  readonly complaints: string[];
  submit(command: string[], more?: Partial<JobSpecInput>): Promise<JobView>;
  /** Waits until the job has one of these statuses. */
  until(id: number, ...statuses: JobStatus[]): Promise<JobView>;
  untilOver(id: number): Promise<JobView>;
}

/** A new data directory, removed by {@link removeHome}. */
export const temporaryHome = (): string => mkdtempSync(join(tmpdir(), 'stint-test-'));
export const removeHome = (home: string): void =>
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });

/** An engine on virtual devices, in this process, called through memory. */
export async function startEngine(options: Partial<EngineOptions> & { home: string }): Promise<TestEngine> {
  const complaints: string[] = [];
  const note = (message: string, detail?: unknown): void => {
    complaints.push(`${message} ${JSON.stringify(detail ?? {})}`);
  };
  const log: Log = { info: () => undefined, warn: note, error: note };
  const engine = await createEngine({
    devices: 'virtual:2x8192',
    policy: 'fifo',
    graceMs: 500,
    log,
    ...options,
  });
  const client: StintClient = createRouterClient(engine.router);
  const get = (id: number) => client.jobs.get({ id });
  return {
    engine,
    client,
    home: options.home,
    complaints,
    submit: (command, more = {}) => client.jobs.submit({ command, cwd: tmpdir(), user: 'tester', ...more }),
    until: (id, ...statuses) =>
      eventually(
        () => get(id),
        (job) => statuses.includes(job.status),
        `job ${id} to be ${statuses.join(' or ')}`,
      ),
    untilOver: (id) =>
      eventually(
        () => get(id),
        (job) => isTerminal(job.status),
        `job ${id} to be over`,
      ),
  };
}

/** Looks until `ok`, for at most `deadlineMs`. @throws with the last value seen. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  ok: (value: T) => boolean,
  what: string,
  deadlineMs = 20_000,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (ok(value)) return value;
    if (performance.now() > endMs)
      throw new Error(`waited in vain for ${what}; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
