import type { SampleSeries } from '../../contract/messages.ts';
import type { Attempt } from '../../domain/attempt.ts';

/** When a job had which devices. `toMs` null: it has them. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly devices: readonly string[];
}

/** The attempts that ran on devices of this machine, oldest first. */
export const stretchesOf = (attempts: readonly Attempt[]): Stretch[] =>
  attempts.flatMap(({ devices, startedAtMs, finishedAtMs }) =>
    startedAtMs === null || devices.length === 0
      ? []
      : [{ fromMs: startedAtMs, toMs: finishedAtMs, devices }],
  );

type Figure = 'utilisation' | 'memoryUsedMib';

/**
 * A figure of the devices that a job had, a line each, over the times at which it had them.
 * @param order of the devices. @returns null when there is no reading of it.
 */
export function gpuLines(
  samples: readonly SampleSeries[],
  stretches: readonly Stretch[],
  order: readonly string[],
  figure: Figure,
): { at: number[]; lines: { deviceId: string; values: (number | null | undefined)[] }[] } | null {
  const lines = order.flatMap((deviceId) => {
    const values = new Map<number, number | null>();
    const readings = samples.find((one) => one.deviceId === deviceId)?.readings ?? [];
    for (const { fromMs, toMs, devices } of stretches) {
      if (!devices.includes(deviceId)) continue;
      const there = readings.filter(
        ({ atMs }) => atMs >= fromMs && atMs <= (toMs ?? Number.MAX_SAFE_INTEGER),
      );
      for (const reading of there) values.set(reading.atMs, reading[figure]);
      // The line ends with the attempt, and another one is no continuation of it.
      if (toMs !== null && there.length > 0) values.set(toMs + 1, null);
    }
    return [...values.values()].some((value) => value !== null) ? [{ deviceId, values }] : [];
  });
  if (lines.length === 0) return null;
  const at = [...new Set(lines.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  return {
    at,
    lines: lines.map(({ deviceId, values }) => ({ deviceId, values: at.map((atMs) => values.get(atMs)) })),
  };
}
