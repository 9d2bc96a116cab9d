import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { connect } from '../../../src/cli/connect.ts';
import type { JobView } from '../../../src/contract/messages.ts';
import { isTerminal, type JobSpecInput } from '../../../src/domain/job.ts';
import { commandLineOf } from '../../headless/commandHarness.ts';

const root = resolve(import.meta.dirname, '../../..');
const cli = join(root, 'src', 'cli', 'main.js');
const nodeFlags = ['--disable-warning=ExperimentalWarning'];

/** A `stint serve` of its own, on a data directory of its own. */
export interface HeadlessHost {
  /** With the token of the present start. */
  readonly url: string;
  readonly port: number;
  /** Runs the CLI against it; gives what it printed. */
  stint(...args: readonly string[]): Promise<string>;
  /** Submits over the local socket, to run in `/` as `ana` on no GPU unless the request says otherwise; gives the id. */
  submit(request: Partial<JobSpecInput> & Pick<JobSpecInput, 'command'>): Promise<number>;
  job(id: number): Promise<JobView>;
  /** Waits for a status, with a deadline. */
  reaches(id: number, status: JobView['status']): Promise<JobView>;
  /** Ends the engine at once, as a crash would. Jobs run on. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  /** Ends its jobs, the engine, and removes its data. */
  dispose(): Promise<void>;
}

/** Builds the console if its sources are newer, and starts a host with `flags` of `stint serve`. */
export async function startHeadlessHost(...flags: readonly string[]): Promise<HeadlessHost> {
  await promisify(execFile)(
    process.execPath,
    [...nodeFlags, join(root, 'scripts', 'build.ts'), '--if-stale'],
    {
      cwd: root,
    },
  );
  const home = mkdtempSync(join(tmpdir(), 'stint-console-'));
  let engine = await serve(home, flags, 0);

  const stint = printedBy(home);
  let line = await connect(home);
  const job = (id: number): Promise<JobView> => line.client.jobs.get({ id });
  const open = async (): Promise<JobView[]> =>
    (await line.client.jobs.list({ limit: 10_000 })).jobs.filter(({ status }) => !isTerminal(status));
  return {
    get url() {
      return engine.url;
    },
    get port() {
      return Number(new URL(engine.url).port);
    },
    stint,
    job,
    submit: async (request) =>
      (await line.client.jobs.submit({ cwd: '/', user: 'ana', gpus: 0, ...request })).id,
    reaches: (id, status) =>
      until(`#${id} is ${status}`, async () => {
        const seen = await job(id);
        return seen.status === status ? seen : null;
      }),
    async kill() {
      line.close();
      await ended(engine.child, 'SIGKILL');
    },
    async restart() {
      const { port } = new URL(engine.url);
      engine = await serve(home, flags, Number(port));
      line = await connect(home);
    },
    async dispose() {
      for (const { id, status } of await open()) {
        if (status !== 'stopping') await line.client.jobs.cancel({ id });
      }
      await until('its jobs are over', async () => (await open()).length === 0 || null);
      line.close();
      await ended(engine.child, 'SIGTERM');
      rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** The command line on a data directory: gives what it printed. @throws for a call that did not end well. */
export const printedBy =
  (home: string) =>
  async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await commandLineOf(() => home)(...args);
    if (status !== 0) throw new Error(`stint ${args.join(' ')} ended with ${status}: ${stderr}`);
    return stdout.trim();
  };

async function serve(
  home: string,
  flags: readonly string[],
  port: number,
): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [...nodeFlags, cli, 'serve', '--json', '--data', home, '--port', String(port), ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let trouble = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    trouble += piece;
  });
  const ready = new Promise<string>((found, failed) => {
    createInterface({ input: child.stdout }).once('line', found);
    child.once('error', failed);
    child.once('close', (status) => failed(new Error(`stint serve ended with ${status}: ${trouble}`)));
  });
  const { url } = JSON.parse(await ready) as { url: string };
  return { child, url };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('close', done));
  child.kill(signal);
  await gone;
}

/** Asks until there is an answer. @throws after 30 s, naming `what`. */
export async function until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadlineMs) throw new Error(`not within 30 s: ${what}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}
