import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { JSON_SCHEMAS } from '../../src/cli/jsonSchemas.ts';
import { isTerminal, type JobSpecInput } from '../../src/domain/job.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { samples } from '../cli/manual.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../engine/support/testEngine.ts';
import { commandLineOf } from './commandHarness.ts';
import { recordingLog } from './fakeRouter.ts';

/** Samples that are not run here, and why. Each has to be in the manual. */
const NOT_RUN: readonly (readonly [sample: RegExp, why: string])[] = [
  [/^serve\b/, 'holds the terminal: headless/record and headless/tls start it'],
  [/^top\b|--watch\b/, 'wants a terminal: headless/terminalCommands'],
  [/^service\b/, 'wants systemd: cli/service'],
  [/^ls --ca\b/, 'wants an engine elsewhere: headless/tls'],
  [/^notify (test|rm)\b/, 'nothing is sent from here, so no rule lasts: engine/notify'],
  [/^replay --from \d/, 'wants jobs of those days: lab/replay'],
  [/^evaluate\b/, 'takes minutes: lab/evaluate'],
  [/^generate .*--jobs 1000000/, 'takes minutes: lab/generate'],
  [/^simulate .*--regime/, 'takes many times what the other worlds do: lab/simulate'],
  [/^train\b/, 'takes hours: lab/train'],
  [/^submit --on slurm --array/, 'the stand-in of Slurm knows no arrays: engine/slurmExecutor'],
  [/^goals --preview/, 'replays days under the policy in charge: engine/goalsPreview'],
  [/^policy \w+ second-wind\+128/, 'wants weights that were learned here: engine/promotion'],
  [/^policy rollback/, 'wants weights that were learned here: engine/promotion'],
];

/** In which state the job has to be whose number a command is given. */
type State = 'queued' | 'held' | 'running' | 'paused' | 'withdrawn' | 'failed' | 'succeeded';
const NEEDS: Readonly<Record<string, State>> = {
  pause: 'running',
  throttle: 'running',
  preempt: 'running',
  resume: 'paused',
  cancel: 'queued',
  start: 'queued',
  pin: 'queued',
  priority: 'queued',
  release: 'held',
  undo: 'withdrawn',
  retry: 'failed',
  attach: 'succeeded',
  logs: 'succeeded',
  show: 'succeeded',
  wait: 'succeeded',
  why: 'succeeded',
};

/** Commands whose samples go on from those before them on their page. */
const OF_THE_PAGE = new Set(['template', 'notify', 'executor', 'token']);

let scratch: string;
let stint: TestEngine;
let socket: LocalSocket;
const stintCommand = commandLineOf(
  () => join(scratch, 'data'),
  () => scratch,
);

beforeAll(async () => {
  scratch = temporaryHome();
  makeSurroundings();
  vi.stubEnv('HOME', scratch);
  vi.stubEnv('PATH', `${join(scratch, 'bin')}:${process.env.PATH}`);
  vi.stubEnv('HF_TOKEN', 'hf_samples');
  stint = await startEngine({ home: join(scratch, 'data'), devices: 'virtual:4x24576' });
  socket = await serveLocalSocket({ home: stint.home, router: stint.engine.router, log: recordingLog() });
  for (const name of ['week', 'month', 'trace'])
    await stintCommand('generate', '--preset', 'workstation', '--jobs', '20', '-o', `${name}.csv`);
});
afterAll(async () => {
  await tidy();
  await socket.close();
  await stint.engine.stop();
  removeHome(scratch);
});

describe('the samples of the manual', () => {
  it('do what they say, one after another, with one engine', { timeout: 300_000 }, async () => {
    const all = samples();
    const isRun = (words: readonly string[]): boolean =>
      !NOT_RUN.some(([sample]) => sample.test(words.join(' ')));
    const idle = NOT_RUN.filter(([sample]) => !all.some(({ words }) => sample.test(words.join(' '))));
    expect(idle).toEqual([]);
    const failed: string[] = [];
    const ran = new Set<string>();
    for (const [at, { page, words }] of all.entries()) {
      if (page !== all[at - 1]?.page) await startPage();
      const sample = words.join(' ');
      if (!isRun(words) || (ran.has(sample) && !OF_THE_PAGE.has(words[0]!))) continue;
      const complaints = stint.complaints.length;
      const { status, stdout, stderr } = await stintCommand(...(await prepared(words)));
      // What is wrong with the machine is no fault of the manual.
      const problem =
        status !== 0 && words[0] !== 'doctor'
          ? [status, stderr, ...stint.complaints.slice(complaints)].join(' ')
          : words.includes('--json')
            ? misfit(words, stdout)
            : null;
      if (problem !== null) failed.push(`${page}: stint ${sample}: ${problem}`);
      await tidy();
      ran.add(sample);
    }
    expect(failed).toEqual([]);
    expect(ran.size).toBeGreaterThan(100);
  });
});

/** What is wrong with the JSON that a command printed, by its documented schema; null: nothing, or it has none. */
function misfit(words: readonly string[], stdout: string): string | null {
  const schema = JSON_SCHEMAS[words.slice(0, 2).join(' ')] ?? JSON_SCHEMAS[words[0]!];
  if (schema === undefined) return null;
  try {
    schema.parse(JSON.parse(stdout));
    return null;
  } catch (error) {
    return error instanceof z.ZodError ? z.prettifyError(error) : `${String(error)}: ${stdout}`;
  }
}

/** The words of a sample with numbers and places of this test, as a shell would have unquoted them. */
async function prepared(words: readonly string[]): Promise<string[]> {
  // What a shell does with the output is its affair.
  const given = words.includes('>') ? words.slice(0, words.indexOf('>')) : words;
  const own = given.map((word) =>
    word.replace(/^(['"])(.*)\1$/s, '$2').replace(/^(~|\/mnt\/nas)(?=\/)/, scratch),
  );
  const [verb = ''] = own;
  const numberAt = own.findIndex((word) => /^\d+$/.test(word));
  if (verb === 'hold') await jobThat('queued');
  if (verb === 'unreserve') own[numberAt] = String(await reservation());
  const state = NEEDS[verb] ?? (/--(after|job)/.test(own[numberAt - 1] ?? '') ? 'succeeded' : undefined);
  if (state !== undefined && numberAt >= 0) own[numberAt] = String(await jobThat(state));
  return own;
}

async function reservation(): Promise<number> {
  const [device] = await stint.client.devices.list();
  const fromMs = Date.now() + 3_600_000;
  return (await stint.client.devices.reserve({ id: device!.id, fromMs, toMs: fromMs + 60_000, user: 'ada' }))
    .id;
}

/** One that is looked at and not changed may be looked at again. */
let succeeded: number | null = null;

/** A job in this state. */
async function jobThat(state: State): Promise<number> {
  const { client } = stint;
  if (state === 'succeeded' && succeeded !== null) return succeeded;
  const ends = state === 'failed' || state === 'succeeded';
  const script = ends
    ? `echo 'loss: nan'; seq -f 'step %g/6000' 6000; exit ${state === 'failed' ? 1 : 0}`
    : "trap 'exit 0' USR1; echo ready; while :; do sleep 0.1; done";
  const spec: Partial<JobSpecInput> = {
    vramMib: 64,
    restartable: true,
    checkpointSignal: 'SIGUSR1',
    hold: state === 'held',
    cwd: scratch,
  };
  const { id } = await stint.submit(['sh', '-c', script], spec);
  switch (state) {
    case 'queued':
    case 'held':
      return id;
    case 'withdrawn':
      await client.jobs.cancel({ id });
      return id;
    default:
      await client.jobs.start({ id });
  }
  if (ends) {
    await stint.until(id, state);
    if (state === 'succeeded') succeeded = id;
    return id;
  }
  await stint.until(id, 'running');
  // It can be told to give way from then on.
  await eventually(
    () => client.logs.read({ id }),
    ({ text }) => text.includes('ready'),
    `job ${id} to be ready`,
  );
  if (state === 'paused') await client.jobs.pause({ id });
  return id;
}

/** Nothing is left of the page before. */
async function startPage(): Promise<void> {
  const { client } = stint;
  for (const { name } of await client.templates.list()) await client.templates.remove({ name });
  for (const { name } of await client.executors.list()) await client.executors.remove({ name });
  for (const { name } of await client.notify.list()) await client.notify.remove({ name });
  for (const { name } of await client.tokens.list()) await client.tokens.revoke({ name });
  rmSync(join(scratch, 'again'), { recursive: true, force: true });
}

/** Nothing runs or waits, nobody is told of that, and nothing starts but by a person. */
async function tidy(): Promise<void> {
  const { client } = stint;
  await client.scheduler.setMode({ mode: 'manual' });
  await client.scheduler.drain({ on: false });
  for (const { name } of await client.notify.list()) await client.notify.remove({ name });
  for (const { id } of await client.devices.reservations()) await client.devices.unreserve({ id });
  // Again and again: what gives way waits for its turn anew, and what is being handed over comes back.
  const cancelled = async () => {
    const { jobs } = await client.jobs.list({ limit: 10_000 });
    const live = jobs.filter(({ status }) => !isTerminal(status));
    for (const { id } of live) await client.jobs.cancel({ id }).catch(() => undefined);
    return live.length;
  };
  await eventually(cancelled, (left) => left === 0, 'all jobs to be over', 60_000);
}

/** What the samples take for granted: programs, scripts and files, a Slurm, and a checkout around them. */
function makeSurroundings(): void {
  const program = '#!/bin/sh\nexit 0\n';
  mkdirSync(join(scratch, 'bin', 'jobs'), { recursive: true });
  mkdirSync(join(scratch, '.venv', 'bin'), { recursive: true });
  const programs = ['bin/python', 'bin/torchrun', '.venv/bin/python', 'train.sh', 'evaluate.sh', 'report.sh'];
  for (const name of programs) {
    writeFileSync(join(scratch, name), program);
    chmodSync(join(scratch, name), 0o755);
  }
  const slurm = join(import.meta.dirname, '..', 'stand-ins', 'slurm', 'slurm.sh');
  for (const name of ['sbatch', 'squeue', 'scontrol', 'scancel', 'sacct'])
    copyFileSync(slurm, join(scratch, 'bin', name));
  const files = {
    '.env': 'API_KEY=samples\n',
    'train.py': 'import sys\n',
    '.gitignore': 'bin/\ndata/\n',
    'evaluate.py': '',
    'points.csv': 'lr\n1e-3\n3e-4\n',
    'password.txt': 'samples\n',
    'job.sh': '#!/bin/sh\n#SBATCH --gres=gpu:1 --time=1:00:00 --mem=4G\ntrue\n',
    'sequences.json': JSON.stringify({
      len: [[0, 3, 5]],
      size: [
        [
          [0, 0],
          [1, 2],
          [2, 1],
        ],
      ],
    }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(scratch, name), text);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: scratch });
  git('init', '-q');
  git('add', 'train.py');
  git('commit', '-qm', 'first');
}
