import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { train } from '../../../src/lab/train/train.ts';
import type { TrainEvent } from '../../../src/lab/train/training.ts';
import { loadShippedPolicy } from '../../../src/learning/shippedPolicy.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/cli/main.js');

/** Seconds of training in which everything happens: demonstrations, imitation, rounds, forgetting, validations. */
const CONFIG = {
  name: 'tiny',
  preempts: false,
  seed: 5,
  worlds: { jobs: [15, 25], gpus: [1, 2, 4], sources: [{ preset: 'workstation' }, { trace: 'some.csv' }] },
  network: { hidden: [16], members: 2, quantiles: 2 },
  learning: { batchSize: 16, replayCapacity: 120, nStep: 3, resetEverySteps: 250 },
  demonstrations: { policy: 'qssf', worlds: 10, steps: 150 },
  interaction: {
    worlds: 24,
    worldsPerRound: 4,
    exploringWorlds: 12,
    stepsPerDecision: 0.5,
    upperConfidence: 0.5,
  },
  validation: { worlds: 4, everySteps: 100 },
};

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'stint-train-'));
  const rows = Array.from(
    { length: 60 },
    (_, i) => `${i},${100 * i},${60 + ((i * 37) % 400)},${1 + (i % 2)}`,
  );
  writeFileSync(join(home, 'some.csv'), `job_id,submit_s,duration_s,gpus\n${rows.join('\n')}\n`);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function written(content: unknown): { path: string; file: string } {
  const path = join(home, 'config.json');
  writeFileSync(path, JSON.stringify(content));
  return { path, file: 'config.json' };
}

interface Run {
  readonly events: TrainEvent[];
  readonly result: Awaited<ReturnType<typeof train>>;
}

async function run(
  out: string,
  over: { workers?: number; resume?: boolean; config?: unknown } = {},
): Promise<Run> {
  const events: TrainEvent[] = [];
  const result = await train({
    configFile: over.resume ? null : written(over.config ?? CONFIG),
    directory: join(home, out),
    resume: over.resume ?? false,
    workers: over.workers ?? 1,
    onEvent: (event) => events.push(event),
    onProgress: () => undefined,
  });
  return { events, result };
}

/** What must be equal where two trainings are: everything but how long it took. */
function outcomeOf(out: string) {
  const db = new SqliteDatabase(join(home, out, 'train.db'), { readonly: true });
  try {
    return {
      weights: (JSON.parse(readFileSync(join(home, out, 'tiny.json'), 'utf8')) as { weights: string })
        .weights,
      curve: db
        .prepare('SELECT step, phase, loss, error, epsilon, worlds, decisions FROM curve ORDER BY rowid')
        .all(),
      validations: db.prepare('SELECT * FROM validations ORDER BY rowid').all(),
      trajectories: db.prepare('SELECT number, demonstrated, body FROM trajectories ORDER BY number').all(),
    };
  } finally {
    db.close();
  }
}

describe('train', () => {
  it('gives the same weights with one worker and with three, and such as can be loaded', async () => {
    const { result, events } = await run('one');
    await run('three', { workers: 3 });
    const one = outcomeOf('one');
    expect(one).toEqual(outcomeOf('three'));
    expect(one.validations.length).toBeGreaterThan(2);
    // Of its own acts only the latest are kept, of the demonstrations all.
    const numbers = one.trajectories.map((row) => (row as { number: number }).number);
    expect(numbers.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(numbers.at(-1)).toBe(33);
    expect(numbers.length).toBeLessThan(34);
    expect(events.map(({ event }) => event)).toContain('validation');
    const { name, weights } = await loadShippedPolicy(result.file!);
    expect([name, weights.heads]).toEqual(['tiny', { members: 2, quantiles: 2 }]);
  });

  it('trains an actor by policy gradient, to the same end with any number of workers and in two sittings', async () => {
    const config = {
      ...CONFIG,
      algorithm: 'pg',
      preempts: true,
      network: { hidden: [16], prior: { feature: 'advised', scale: 0.15 } },
      learning: { batchSize: 16, learningRate: 0.01 },
      interaction: { worlds: 6, worldsPerRound: 2 },
      policyGradient: { rollouts: 3, temperature: 0.1 },
      validation: { worlds: 3, everySteps: 10 },
    };
    const { result } = await run('one', { config });
    await run('three', { config, workers: 3 });
    const one = outcomeOf('one');
    expect(one).toEqual(outcomeOf('three'));
    expect(one.curve.length).toBe(3);
    const { weights } = await loadShippedPolicy(result.file!);
    expect(weights.preempts).toBe(true);
    // It has learned something: the planner's prior alone begins with a head of zeros.
    expect(weights.advantage.some((value) => value !== 0)).toBe(true);
    const abort = new AbortController();
    const stopped = train({
      configFile: written(config),
      directory: join(home, 'stopped'),
      resume: false,
      workers: 1,
      signal: abort.signal,
      onEvent: () => abort.abort(),
      onProgress: () => undefined,
    });
    await expect(stopped).rejects.toThrow('stopped before the end');
    await run('stopped', { resume: true });
    expect(outcomeOf('stopped')).toEqual(one);
  });

  it('ends as if nothing had been when it is killed at any moment, and gone on with', {
    timeout: 120_000,
  }, async () => {
    await run('whole');
    const out = join(home, 'killed');
    const { path } = written(CONFIG);
    const db = join(out, 'train.db');
    const start = (...args: string[]) =>
      spawn(
        process.execPath,
        [
          ...['--disable-warning=ExperimentalWarning', MAIN, 'train', '--json', '--out', out],
          ...['--workers', '1', '--record-every', '0', ...args],
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
    // Killed after its n-th event: in the middle of each phase.
    for (const [i, after] of [1, 2, 3, 2].entries()) {
      const child = start(...(i === 0 ? ['--config', path] : ['--resume']));
      let events = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        events += chunk.toString().split('\n').length - 1;
        if (events >= after) child.kill('SIGKILL');
      });
      await once(child, 'close');
      expect(existsSync(db)).toBe(true);
    }
    await run('killed', { resume: true });
    expect(outcomeOf('killed')).toEqual(outcomeOf('whole'));
  });

  it('goes on to the same end when it was told to stop', async () => {
    await run('whole');
    const abort = new AbortController();
    const stopped = train({
      configFile: written(CONFIG),
      directory: join(home, 'stopped'),
      resume: false,
      workers: 1,
      signal: abort.signal,
      onEvent: ({ event }) => event === 'validation' && abort.abort(),
      onProgress: () => undefined,
    });
    await expect(stopped).rejects.toThrow('stopped before the end');
    await run('stopped', { resume: true });
    expect(outcomeOf('stopped')).toEqual(outcomeOf('whole'));
  });

  it('ends early when it gets no better', async () => {
    const config = { ...CONFIG, validation: { ...CONFIG.validation, patience: 1, least: 0.9 } };
    const { result } = await run('early', { config });
    expect(result.worlds).toBeLessThan(34);
  });

  it.each([
    [{ learning: { nStep: 0 } }, 'learning.nStep: 0 is not usable'],
    [{ learnin: {} }, 'learnin: '],
    [{ worlds: { sources: [] } }, 'worlds.sources: '],
    [{ worlds: { sources: [{ trace: 'none.csv' }] } }, 'worlds.sources: '],
    [{ demonstrations: { policy: 'srtf' } }, 'demonstrations.policy: '],
    [{ preempts: false, demonstrations: { policy: 'las' } }, 'demonstrations.policy: '],
    [{ network: { prior: { feature: 'nothing', scale: 1 } } }, 'network.prior.feature: '],
    [{ validation: { against: 'nobody' } }, 'validation.against: '],
    ['{', 'content: '],
  ])('refuses %j, naming the field', async (config, says) => {
    await expect(run('refused', { config })).rejects.toThrow(says);
  });

  it('refuses a directory with a training unless it is to go on, and another configuration then', async () => {
    const quick = {
      ...CONFIG,
      interaction: { worlds: 0 },
      demonstrations: { policy: 'qssf', worlds: 1, steps: 1 },
    };
    await run('there', { config: quick });
    await expect(run('there', { config: quick })).rejects.toThrow('--resume');
    await expect(run('nowhere', { resume: true })).rejects.toThrow('begin without it');
    const other = train({
      configFile: written({ ...quick, learning: { nStep: 9 } }),
      directory: join(home, 'there'),
      resume: true,
      onEvent: () => undefined,
      onProgress: () => undefined,
    });
    await expect(other).rejects.toThrow('learning.nStep differs');
  });
});
