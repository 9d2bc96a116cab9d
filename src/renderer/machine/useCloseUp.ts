import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Measured } from '../../domain/device.ts';
import { client } from '../connection.ts';
import { store, useStint } from '../store/store.ts';
import { isCutOff } from '../text/troubleText.ts';

/** What a close look shows, ms. */
export const CLOSE_SPAN_MS = 10_000;
/** Each of these is drawn on its own, ten a second. */
const STEP_MS = 100;
/** They come several together, twice a second: what is shown is so much behind that it goes on steadily. */
const BEHIND_MS = 1000;
const ASK_MS = 500;
/** A console that is gone lets go of the device after so long. */
const LEASE_MS = 2000;

/** What a device measured of late, up to a moment that goes on by tenths of a second. */
interface CloseUp {
  readonly readings: readonly Measured[];
  readonly untilMs: number;
}

/**
 * Looks closely at a device for as long as the page is in sight and the engine there.
 * @param deviceId null: at none.
 * @returns null: nothing yet, or this device is not measured more often.
 */
export function useCloseUp(deviceId: string | null): CloseUp | null {
  const live = useStint(({ phase }) => phase === 'live');
  const inSight = useSyncExternalStore(watchSight, () => document.visibilityState === 'visible');
  const [shown, setShown] = useState<CloseUp | null>(null);

  useEffect(() => {
    if (deviceId === null || !live || !inSight) return;
    const controller = new AbortController();
    const { signal } = controller;
    let readings: readonly Measured[] = [];
    let asks: ReturnType<typeof setTimeout> | undefined;
    let steps: ReturnType<typeof setInterval> | undefined;

    const step = (): void => {
      const untilMs = Date.now() + (store.get().machine?.clockOffsetMs ?? 0) - BEHIND_MS;
      setShown({ readings: readings.filter(({ atMs }) => atMs <= untilMs), untilMs });
    };
    const ask = async (): Promise<void> => {
      try {
        const sinceMs = readings.at(-1)?.atMs ?? 0;
        const { everyMs, devices } = await client().devices.focus(
          { ids: [deviceId], sinceMs, leaseMs: LEASE_MS },
          { signal },
        );
        if (everyMs > STEP_MS || signal.aborted) return;
        const came = devices[0]?.readings ?? [];
        const fromMs = (came.at(-1)?.atMs ?? sinceMs) - CLOSE_SPAN_MS - 2 * BEHIND_MS;
        readings = [...readings, ...came].filter(({ atMs }) => atMs >= fromMs);
        if (readings.length > 0) steps ??= setInterval(step, STEP_MS);
      } catch (error) {
        // A lost connection is told above, and then this begins anew; a device that is gone says so in its lane.
        if (!isCutOff(error)) return;
      }
      if (!signal.aborted) asks = setTimeout(() => void ask(), ASK_MS);
    };
    void ask();
    return () => {
      controller.abort();
      clearTimeout(asks);
      clearInterval(steps);
      setShown(null);
    };
  }, [deviceId, live, inSight]);

  return shown;
}

function watchSight(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed);
  return () => document.removeEventListener('visibilitychange', changed);
}
