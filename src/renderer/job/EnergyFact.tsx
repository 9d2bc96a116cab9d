import { useEffect, useState } from 'react';
import type { Energy } from '../../domain/usage.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { useStint } from '../store/store.ts';
import { formatEnergy } from '../text/formatEnergy.ts';
import { Fact } from './Fact.tsx';

const AGAIN_MS = 5000;

/** What its GPUs drew, over all of its attempts; nothing where their power is not measured. @param over nothing is added any more. */
export function EnergyFact({ jobId, over }: { jobId: number; over: boolean }) {
  const live = useStint((state) => state.phase === 'live');
  const [energy, setEnergy] = useState<Energy | null>(null);
  useEffect(() => {
    if (!live) return;
    let left = false;
    // A lost connection is told above, and it is read again after it.
    const read = (): void =>
      void client()
        .history.energy({ ids: [jobId] })
        .then(
          ([found]) => left || setEnergy(found ?? null),
          () => undefined,
        );
    read();
    // What was drawn last is written some seconds after the end.
    const timer = over ? setTimeout(read, 2 * AGAIN_MS) : setInterval(read, AGAIN_MS);
    return () => {
      left = true;
      clearInterval(timer);
    };
  }, [jobId, over, live]);
  return energy === null ? null : <Fact name={t('Energy')}>{formatEnergy(energy.joules)}</Fact>;
}
