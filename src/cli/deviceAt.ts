import type { StintClient } from '../contract/client.ts';
import type { Device } from '../domain/device.ts';
import { FieldError } from '../domain/errors.ts';

/** The device with this number. @throws {FieldError} naming those that there are. */
export async function deviceAt(client: StintClient, index: number): Promise<Device> {
  const devices = await client.devices.list();
  const device = devices.find((one) => one.index === index);
  if (device !== undefined) return device;
  const there = devices.map((one) => one.index).join(', ');
  throw new FieldError(
    'device',
    index,
    there === '' ? 'this machine has none' : `choose from ${there}, see \`stint devices\``,
  );
}
