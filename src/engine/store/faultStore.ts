import type { Fault } from '../../domain/device.ts';
import type { Database } from './database.ts';

/** Of each device so many are kept, the latest. */
export const MOST_FAULTS = 50;

export interface StoredFault extends Fault {
  readonly id: string;
  /** Of the boot in which it was reported. */
  readonly bootId: string;
  /** The owner has taken note of it, and wants the device used. */
  readonly cleared: boolean;
}

interface Row {
  readonly device_id: string;
  readonly code: number;
  readonly at_ms: number;
  readonly boot_id: string;
  readonly cleared: number;
}

/** What the driver reported of devices. */
export function faultStore(db: Database) {
  const insert = db.prepare<[string, number, number, string]>(
    'INSERT INTO device_faults (device_id, code, at_ms, boot_id) VALUES (?, ?, ?, ?)',
  );
  const prune = db.prepare<[{ device: string; most: number }]>(
    `DELETE FROM device_faults WHERE device_id = $device AND id <=
       (SELECT id FROM device_faults WHERE device_id = $device ORDER BY id DESC LIMIT 1 OFFSET $most)`,
  );
  const clear = db.prepare<[string, number]>(
    'UPDATE device_faults SET cleared = 1 WHERE device_id = ? AND at_ms <= ?',
  );
  const add = db.transaction((id: string, { code, atMs }: Fault, bootId: string): void => {
    insert.run(id, code, atMs, bootId);
    prune.run({ device: id, most: MOST_FAULTS });
  });
  const all = db.prepare<[], Row>('SELECT * FROM device_faults ORDER BY id');
  return {
    /** Oldest first. */
    all: (): StoredFault[] =>
      all.all().map(({ device_id, code, at_ms, boot_id, cleared }) => ({
        id: device_id,
        code,
        atMs: at_ms,
        bootId: boot_id,
        cleared: cleared === 1,
      })),
    add: (id: string, fault: Fault, bootId: string): void => add(id, fault, bootId),
    clear: (deviceId: string, untilMs: number): void => void clear.run(deviceId, untilMs),
  };
}
export type FaultStore = ReturnType<typeof faultStore>;
