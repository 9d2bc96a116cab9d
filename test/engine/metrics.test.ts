import { execFileSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MetricPoint, MetricSeries } from '../../src/domain/metrics.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { type MetricStore, metricStore } from '../../src/engine/store/metricStore.ts';
import { MIGRATIONS } from '../../src/engine/store/migrations/index.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => removeHome(home));

function pythonHas(module: string): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', `import ${module}`], { stdio: 'ignore' });
    return true;
  } catch {
    // Not installed here.
    return false;
  }
}

const readOf = (stint: TestEngine, id: number) =>
  eventually(
    () => stint.client.jobs.metrics({ id }),
    ({ complete }) => complete,
    `the metrics of job ${id} to be complete`,
    40_000,
  );
const named = (series: readonly MetricSeries[], name: string): MetricSeries =>
  series.find((one) => one.name === name)!;
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('a job', () => {
  let stint: TestEngine;
  beforeEach(async () => {
    stint = await startEngine({ home });
  });
  afterEach(async () => {
    expect(stint.complaints).toEqual([]);
    await stint.engine.stop();
  });

  it.skipIf(!pythonHas('torch'))('that trains with PyTorch has its loss and accuracy as series', async () => {
    const script = resolve(import.meta.dirname, '../../scripts/demo/train.py');
    const { id } = await stint.submit(['/usr/bin/python3', script, 'spirals', '--epochs', '6']);
    const { series } = await readOf(stint, id);
    expect(series.map(({ name, unit, at }) => [name, unit, at])).toEqual([
      ['loss', 'epoch', upTo(6)],
      ['accuracy', 'epoch', upTo(6)],
    ]);
    const log = (await stint.client.logs.read({ id })).text;
    const losses = [...log.matchAll(/loss ([\d.]+)/g)].map((match) => Number(match[1]));
    expect(named(series, 'loss').values).toEqual(losses);
  });

  it.skipIf(!pythonHas('tqdm'))('with bars of tqdm, an epoch each, has one curve', async () => {
    const script = `
import tqdm
for epoch in range(3):
    bar = tqdm.tqdm(range(40), mininterval=0)
    for i in bar:
        bar.set_postfix(loss=1 / (epoch * 40 + i + 1), refresh=False)
`;
    const { id } = await stint.submit(['/usr/bin/python3', '-c', script]);
    const { series } = await readOf(stint, id);
    const loss = named(series, 'loss');
    expect(loss.unit).toBe('step');
    expect(loss.at.at(-1)).toBe(120);
    expect(loss.at).toEqual(loss.at.toSorted((a, b) => a - b));
    expect(loss.at.length).toBeGreaterThan(100);
    expect(named(series, 'loss').values.at(-1)).toBeCloseTo(1 / 120, 3);
  });

  it('tells while it runs, and keeps at most 2,000 points of a metric', async () => {
    const print = (from: number, to: number): string =>
      `awk 'BEGIN { for (i = ${from}; i <= ${to}; i++) printf "STINT_PROGRESS={\\"step\\": %d, \\"total\\": 9000, \\"loss\\": %g}\\n", i, i / 2 }'`;
    const wait = `while [ ! -e "${home}/go" ]; do sleep 0.05; done`;
    const { id } = await stint.submit(['sh', '-c', `${print(1, 1500)}; ${wait}; ${print(1501, 9000)}`]);
    const early = await eventually(
      () => stint.client.jobs.metrics({ id }),
      ({ series }) => series[0]?.at.at(-1) === 1500,
      'the first points',
    );
    expect(early).toMatchObject({ complete: false, series: [{ name: 'loss', unit: 'step', stride: 1 }] });
    expect(early.series[0]!.at).toEqual(upTo(1500));
    writeFileSync(join(home, 'go'), '');
    const { series } = await readOf(stint, id);
    expect(series).toHaveLength(1);
    const { at, values, stride } = series[0]!;
    expect(stride).toBe(8);
    expect(at).toEqual([...upTo(9000).filter((step) => (step - 1) % 8 === 0), 9000]);
    expect(values).toEqual(at.map((step) => step / 2));
  });

  it('may write lines of megabytes and what is no text', async () => {
    const script = [
      'echo "epoch 1/3 loss 0.5"',
      'head -c 3000000 /dev/zero | tr "\\0" x; echo " loss=7"',
      "printf '\\377\\376 epoch 2/3 loss 0.4\\r'",
      "printf 'epoch 3/3 loss nan'",
    ].join('; ');
    const { id } = await stint.submit(['sh', '-c', script]);
    const { series } = await readOf(stint, id);
    expect(series).toMatchObject([{ name: 'loss', unit: 'epoch', at: [1, 2, 3], values: [0.5, 0.4, null] }]);
  });

  it('that reports none has none', async () => {
    const { id } = await stint.submit(['echo', 'port: 8080']);
    expect(await readOf(stint, id)).toEqual({ series: [], complete: true });
    await expect(stint.client.jobs.metrics({ id: 99 })).rejects.toThrow('no job 99');
  });
});

it('reads on after restarts, without gaps or doubles', async () => {
  let stint = await startEngine({ home });
  const feed = join(home, 'feed');
  writeFileSync(feed, '');
  const { id } = await stint.submit([
    'sh',
    '-c',
    `tail -n +1 -f "${feed}" & while [ ! -e "${home}/go" ]; do sleep 0.05; done; sleep 0.5; kill $!`,
  ]);
  await stint.until(id, 'running');
  let written = 0;
  const write = (count: number): void => {
    const lines = upTo(count).map((i) => `loss: ${written + i}\n`);
    // A line cut in two: its rest comes only after the restart.
    appendFileSync(feed, lines.join('').slice(0, -3));
    written += count;
  };
  const finishLine = (): void => appendFileSync(feed, `loss: ${written}\n`.slice(-3));
  const logHas = async () =>
    eventually(
      async () => (await stint.client.logs.read({ id, offset: -20 })).text,
      (text) => text.includes(String(written - 1)),
      'the log',
    );
  for (let round = 0; round < 3; round++) {
    write(700);
    await logHas();
    if (round === 1) {
      await eventually(
        () => stint.client.jobs.metrics({ id }),
        ({ series }) => (series[0]?.at.at(-1) ?? 0) > 700,
        'some points',
      );
    }
    await stint.engine.stop();
    finishLine();
    stint = await startEngine({ home });
  }
  writeFileSync(join(home, 'go'), '');
  await stint.untilOver(id);
  const { series } = await readOf(stint, id);
  const { at, values, stride, unit } = series[0]!;
  expect(unit).toBe('line');
  expect(stride).toBe(2);
  const kept = upTo(2100).filter((line) => (line - 1) % 2 === 0);
  expect(at).toEqual([...kept, 2100]);
  // Each line says its own number: a gap or a double would shift them.
  expect(values).toEqual(at);
  await stint.engine.stop();
});

describe('the store', () => {
  let store: MetricStore;
  let close: () => void;
  beforeEach(() => {
    const path = join(home, 'stint.db');
    const old = new SqliteDatabase(path);
    old.exec(MIGRATIONS[0]!);
    old.pragma(`application_id = ${0x53544e54}`);
    old.pragma('user_version = 1');
    old.exec("INSERT INTO jobs (status, rank, submitted_at_ms, body) VALUES ('queued', 1, 0, '{}')");
    old.close();
    // From version 1, through every migration.
    const db = openDatabase(path);
    store = metricStore(db);
    close = () => void db.close();
    store.open(1, 1);
  });
  afterEach(() => close());

  const record = (points: MetricPoint[], readTo = 1, attempt = 1): void =>
    store.record({ jobId: 1, attempt, readTo, state: null }, points, false, 5);
  const loss = (at: number, value: number | null = at): MetricPoint => ({
    unit: 'step',
    at,
    values: [['loss', value]],
  });

  it('replaces what a restart from a checkpoint repeats', () => {
    record([loss(1), loss(2), loss(3), loss(4)]);
    record([loss(3, 30), loss(3, 31), loss(4, 40)]);
    expect(store.series(1)).toMatchObject([{ at: [1, 2, 3, 4], values: [1, 2, 31, 40] }]);
  });

  it('keeps few series and few points, the last always', () => {
    for (let k = 0; k < 60; k++) {
      const steps = Array.from({ length: 500 }, (_, i) => loss(k * 500 + i));
      record(steps, k + 1);
      const [series] = store.series(1);
      expect(series!.at.length).toBeLessThanOrEqual(2001);
      expect(series!.at.at(-1)).toBe(k * 500 + 499);
    }
    record([{ unit: 'step', at: 1, values: Array.from({ length: 100 }, (_, i) => [`m${i}`, i] as const) }]);
    expect(store.series(1)).toHaveLength(32);
  });

  it('knows how far each launch was read', () => {
    record([loss(1)], 77);
    store.open(1, 2);
    store.open(1, 1);
    expect(store.unfinished().map(({ attempt, readTo }) => [attempt, readTo])).toEqual([
      [1, 77],
      [2, 0],
    ]);
    expect(store.isComplete(1)).toBe(false);
    for (const attempt of [1, 2]) store.record({ jobId: 1, attempt, readTo: 80, state: null }, [], true, 5);
    expect(store.unfinished()).toEqual([]);
    expect(store.isComplete(1)).toBe(true);
  });
});
