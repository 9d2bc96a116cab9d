import { messageOf } from '../../domain/errors.ts';
import { xidText } from '../../domain/xid.ts';
import type { Clock, Log } from '../ports.ts';
import type { SettingStore } from '../store/settingStore.ts';
import type { DeviceRegistry } from './deviceRegistry.ts';
import { KernelLog, wallClockOf } from './kernelLog.ts';
import { nvidiaAddresses } from './nvidiaAddresses.ts';

/** Up to where the kernel's log was taken note of, and in which boot. */
const KEY = 'kernel-log';

export interface KernelWatchOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly registry: DeviceRegistry;
  readonly settings: SettingStore;
  readonly bootId: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes what NVIDIA's driver writes to the kernel's log for faults of its GPUs, each once. @returns how to stop that. */
export function watchKernel(options: KernelWatchOptions): () => void {
  const { env, registry, settings, bootId, clock, log } = options;
  if (!registry.list().some(({ kind }) => kind === 'nvidia')) return () => undefined;
  // Read at the start: of one that falls off the bus the driver forgets the name.
  const addresses = new Map(nvidiaAddresses(env));
  let read = readUpTo(settings.get(KEY), bootId);
  const kernel = new KernelLog(env, ({ address, code, us }) => {
    // Two may come in one microsecond; the last one of before is known by its time.
    if (us < read) return;
    const id = addresses.get(address) ?? nvidiaAddresses(env).get(address);
    if (id === undefined)
      log.warn(`the kernel's log reports of the GPU at ${address}, which is none of ours: ${xidText(code)}`);
    else registry.takeFaults([{ id, code, atMs: wallClockOf(us, clock.nowMs()) }]);
    read = us;
    try {
      settings.set(KEY, JSON.stringify({ bootId, us }));
    } catch (error) {
      // The next engine comes upon it once more, and knows it by its time.
      log.warn("how far the kernel's log was read could not be kept", { error: messageOf(error) });
    }
  });
  kernel.start();
  return () => kernel.stop();
}

function readUpTo(kept: string | null, bootId: string): number {
  const { bootId: of, us } = JSON.parse(kept ?? '{}') as { bootId?: string; us?: number };
  return of === bootId && typeof us === 'number' ? us : -1;
}
