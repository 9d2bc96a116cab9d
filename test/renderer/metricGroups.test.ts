import { expect, it } from 'vitest';
import type { MetricSeries } from '../../src/domain/metrics.ts';
import { metricGroups } from '../../src/renderer/job/metricGroups.ts';

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
