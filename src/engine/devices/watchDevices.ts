import type { HostReading } from '../../contract/messages.ts';
import type { Reading } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import { foreignMib } from '../jobs/holdings.ts';
import type { Clock, Log } from '../ports.ts';
import type { Dispatcher } from '../scheduling/dispatcher.ts';
import { foreignHold } from '../scheduling/foreignHold.ts';
import type { WatchHub } from '../server/watchHub.ts';
import type { DeviceStore } from '../store/deviceStore.ts';
import type { DeviceRegistry } from './deviceRegistry.ts';

/** Foreign memory must change by so much to be worth another epoch. */
const FOREIGN_STEP_MIB = 64;

export interface DeviceWatch {
  readonly registry: DeviceRegistry;
  readonly dispatcher: Pick<Dispatcher, 'request'>;
  readonly hub: WatchHub;
  readonly host: () => HostReading | null;
  readonly record: DeviceStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps samples, tells readers, and opens an epoch when what devices can take has changed. */
export function watchDevices({
  registry,
  dispatcher,
  hub,
  host,
  record,
  clock,
  log,
}: DeviceWatch): () => void {
  let able = '';
  let recorded = true;
  // Told apart by identity, not by time: the clock may be set back.
  const seen = new Map<string, Reading | null>();
  return registry.onChange(() => {
    const devices = registry.list();
    const fresh = devices.filter(({ id, reading }) => reading !== null && seen.get(id) !== reading);
    for (const { id, reading } of fresh) seen.set(id, reading);
    if (fresh.length > 0) {
      try {
        record.record({
          atMs: clock.nowMs(),
          devices: fresh.map((info) => ({ info, reading: info.reading, trouble: null })),
        });
        recorded = true;
      } catch (error) {
        // A gap in the chart, said once: the probe must go on whatever the disk does.
        if (recorded) log.warn('readings of devices cannot be stored', { error: messageOf(error) });
        recorded = false;
      }
    }
    if (hub.watched) hub.publish({ type: 'devices', devices, host: host() });
    const now = devices
      .map((d) => {
        const { memoryMib: _often, ...hold } = foreignHold(d, clock.nowMs()) ?? { memoryMib: null };
        const foreign = Math.round((foreignMib(d) ?? -1) / FOREIGN_STEP_MIB);
        return `${d.id} ${d.health} ${foreign} ${JSON.stringify(hold)}`;
      })
      .join();
    if (now !== able) dispatcher.request(true);
    able = now;
  });
}
