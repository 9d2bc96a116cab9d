import { setTimeout as sleep } from 'node:timers/promises';
import type { StintClient } from '../contract/client.ts';
import type { Device, Measured } from '../domain/device.ts';
import { formatMib } from '../domain/units.ts';
import type { Context } from './context.ts';
import { formatTime } from './formatTime.ts';

/** A second, in which a device in focus is measured ten times. */
const ASK_INTERVAL_MS = 1000;

/** Prints each reading of a device, for as long as the engine is there. */
export async function watchDevice(
  context: Context,
  client: StintClient,
  { id }: Pick<Device, 'id'>,
  json: boolean,
): Promise<void> {
  for (let sinceMs = 0; ; ) {
    const { devices } = await client.devices.focus({ ids: [id], sinceMs });
    const readings = devices[0]?.readings ?? [];
    for (const reading of readings) context.out(json ? JSON.stringify(reading) : lineOf(reading));
    sinceMs = readings.at(-1)?.atMs ?? sinceMs;
    await sleep(ASK_INTERVAL_MS);
  }
}

function lineOf({ atMs, memoryUsedMib, utilisation, temperatureC, powerW, smClockMhz }: Measured): string {
  const shown = (value: number | null, unit: string, width: number): string =>
    `${value === null ? '?' : Math.round(value)} ${unit}`.padStart(width);
  const tenths = `${formatTime(atMs)}.${Math.floor((atMs % 1000) / 100)}`;
  return [
    tenths,
    shown(utilisation === null ? null : 100 * utilisation, '%', 5),
    (memoryUsedMib === null ? '?' : formatMib(memoryUsedMib)).padStart(10),
    shown(temperatureC, '°C', 6),
    shown(powerW, 'W', 6),
    shown(smClockMhz, 'MHz', 8),
  ].join('  ');
}
