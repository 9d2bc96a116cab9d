import { expect, it } from 'vitest';
import type { MetricSeries } from '../../src/domain/metrics.ts';
import { gpuLines, stretchesOf } from '../../src/renderer/job/gpuLines.ts';
import { groupsOverTime, metricGroups } from '../../src/renderer/job/metricGroups.ts';

const series = (
  name: string,
  at: number[],
  values: (number | null)[],
  unit: 'step' | 'epoch' = 'step',
): MetricSeries => ({
  name,
  unit,
  stride: 1,
  at,
  values,
  readAtMs: at.map((place) => (place === 1 ? null : 1000 * place)),
  lastAtMs: 0,
});

it('puts training and validation into one chart, losses first, and tells gaps from absence', () => {
  const groups = metricGroups([
    series('lr', [1], [0.1]),
    series('train/loss', [1, 2, 3], [0.5, null, 0.3]),
    series('val_loss', [2, 4], [0.6, 0.4]),
    series('val_loss', [1], [0.7], 'epoch'),
  ]);
  expect(groups).toEqual([
    {
      name: 'loss',
      unit: 'step',
      at: [1, 2, 3, 4],
      lines: [
        { name: 'train/loss', values: [0.5, null, 0.3, undefined] },
        { name: 'val_loss', values: [undefined, 0.6, undefined, 0.4] },
      ],
    },
    { name: 'loss', unit: 'epoch', at: [1], lines: [{ name: 'val_loss', values: [0.7] }] },
    { name: 'lr', unit: 'step', at: [1], lines: [{ name: 'lr', values: [0.1] }] },
  ]);
});

it('lays the same over time, as far as it is known when each was read', () => {
  const span = { fromMs: 0, toMs: 3500 };
  const groups = groupsOverTime(
    [
      series('lr', [1], [0.1]),
      series('loss', [1, 2, 3], [0.5, null, 0.3]),
      series('val_loss', [2, 4], [0.6, 0.4]),
    ],
    span,
  );
  expect(groups).toEqual([
    {
      name: 'loss',
      unit: 'time',
      span,
      at: [2000, 3000, 3500],
      lines: [
        { name: 'loss', values: [null, 0.3, undefined] },
        { name: 'val_loss', values: [0.6, undefined, 0.4] },
      ],
    },
  ]);
});

it('shows of its GPUs what was measured while it had them', () => {
  const attempt = { attempt: 1, exitCode: null, outcome: 'open', cause: null } as const;
  const stretches = stretchesOf([
    { ...attempt, devices: ['a'], startedAtMs: 100, finishedAtMs: 200 },
    { ...attempt, devices: ['a'], startedAtMs: null, finishedAtMs: 250 },
    { ...attempt, devices: [], startedAtMs: 260, finishedAtMs: 270 },
    { ...attempt, devices: ['b', 'a'], startedAtMs: 300, finishedAtMs: null },
  ]);
  expect(stretches).toEqual([
    { fromMs: 100, toMs: 200, devices: ['a'] },
    { fromMs: 300, toMs: null, devices: ['b', 'a'] },
  ]);
  const reading = (atMs: number, utilisation: number | null) => ({
    atMs,
    utilisation,
    memoryUsedMib: null,
    temperatureC: null,
    powerW: null,
    powerLimitW: null,
    smClockMhz: null,
  });
  const samples = [
    { deviceId: 'a', readings: [reading(50, 1), reading(150, 0.5), reading(250, 1), reading(350, null)] },
    { deviceId: 'b', readings: [reading(150, 1), reading(350, 0.75)] },
  ];
  expect(gpuLines(samples, stretches, ['a', 'b'], 'utilisation')).toEqual({
    at: [150, 201, 350],
    lines: [
      { deviceId: 'a', values: [0.5, null, null] },
      { deviceId: 'b', values: [undefined, undefined, 0.75] },
    ],
  });
  expect(gpuLines(samples, stretches, ['a', 'b'], 'memoryUsedMib')).toBeNull();
});
