import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { isMovable } from '../jobActions.ts';

/**
 * Which jobs are ticked. A tick is about a job that is to be done something to: it goes when the job ends, or starts over.
 * @param listed the jobs in sight, in their order.
 */
export function useTicks(listed: readonly JobView[]) {
  /** For each ticked job, whether it was over then. */
  const [ticks, setTicks] = useState<ReadonlyMap<number, boolean>>(new Map());
  const isTicked = useCallback((job: JobView) => ticks.get(job.id) === isTerminal(job.status), [ticks]);
  const ticked = useMemo(() => listed.filter(isTicked), [listed, isTicked]);
  const inOrder = useRef(listed);
  useEffect(() => {
    inOrder.current = listed;
  }, [listed]);
  const lastId = useRef<number | null>(null);

  /** Ticks or unticks jobs. @param through true: all from the one that was ticked last to these as well. */
  const tick = useCallback((jobs: readonly JobView[], on: boolean, through = false): void => {
    const all = inOrder.current;
    const first = through ? all.findIndex((job) => job.id === lastId.current) : -1;
    const at = all.findIndex((job) => job.id === jobs[0]?.id);
    const range = first < 0 || at < 0 ? [] : all.slice(Math.min(first, at), Math.max(first, at) + 1);
    lastId.current = jobs.at(-1)?.id ?? null;
    setTicks((old) => {
      const next = new Map(old);
      for (const job of [...range, ...jobs]) {
        if (on) next.set(job.id, isTerminal(job.status));
        else next.delete(job.id);
      }
      return next;
    });
  }, []);
  const now = useRef({ ticked, isTicked });
  useEffect(() => {
    now.current = { ticked, isTicked };
  }, [ticked, isTicked]);
  /** What goes with a job that is moved: those that are ticked and wait, where it is one of them. */
  const heldWith = useCallback(
    (job: JobView): readonly JobView[] =>
      now.current.isTicked(job) ? now.current.ticked.filter(({ status }) => isMovable(status)) : [job],
    [],
  );
  return { heldWith, ticked, isTicked, tick, untickAll: () => setTicks(new Map()) };
}
