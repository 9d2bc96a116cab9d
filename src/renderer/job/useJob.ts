import { useEffect, useMemo, useRef, useState } from 'react';
import type { JobView, LoggedEvent } from '../../contract/messages.ts';
import type { Decision } from '../../domain/decision.ts';
import { messageOf } from '../../domain/errors.ts';
import { client } from '../connection.ts';
import { useMachine, useStint } from '../store/store.ts';
import { isCutOff } from '../text/troubleText.ts';

export interface JobDetail {
  /** null: not known yet, or there is none (then `trouble` says so). */
  readonly job: JobView | null;
  /** Oldest first. */
  readonly events: readonly LoggedEvent[];
  /** Decisions about it, latest first. */
  readonly decisions: readonly Decision[];
  readonly trouble: string | null;
}

interface Fetched {
  readonly job: JobView;
  readonly events: readonly LoggedEvent[];
  readonly decisions: readonly Decision[];
}

/** A job with its history: read once a connection, and then kept up by the stream. */
export function useJob(jobId: number): JobDetail {
  const live = useStint((state) => state.phase === 'live');
  const known = useMachine((machine) => machine.jobs.get(jobId));
  const recentEvents = useMachine((machine) => machine.events);
  const recentDecisions = useMachine((machine) => machine.decisions);
  const [fetched, setFetched] = useState<Fetched | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);

  useEffect(() => {
    if (!live) return;
    const controller = new AbortController();
    const { signal } = controller;
    const load = async (): Promise<void> => {
      try {
        const api = client();
        const [job, events, decisions] = await Promise.all([
          api.jobs.get({ id: jobId }, { signal }),
          api.jobs.events({ id: jobId }, { signal }),
          api.scheduler.decisions({ jobId, limit: 100 }, { signal }),
        ]);
        setFetched({ job, events, decisions });
        setTrouble(null);
      } catch (error) {
        // A lost connection is told above, and it is read again after it.
        if (!signal.aborted && !isCutOff(error)) setTrouble(messageOf(error));
      }
    };
    void load();
    return () => controller.abort();
  }, [jobId, live]);

  const events = useMemo(
    () =>
      merge(
        fetched?.events ?? [],
        recentEvents.filter((entry) => entry.jobId === jobId),
        (entry) => entry.seq,
      ),
    [fetched, recentEvents, jobId],
  );
  const decisions = useMemo(() => {
    const concerned = recentDecisions.filter((decision) =>
      decision.candidates.some(({ action }) => action.kind === 'launch' && action.jobId === jobId),
    );
    return merge(fetched?.decisions ?? [], concerned, (decision) => decision.id).reverse();
  }, [fetched, recentDecisions, jobId]);

  // A job that ended long ago leaves the board; what was read of it at first may be older than its end.
  const last = useRef(known);
  last.current = known ?? last.current;

  return { job: last.current ?? fetched?.job ?? null, events, decisions, trouble };
}

/** Both lists as one, each item once, in the order of their keys. */
function merge<T>(a: readonly T[], b: readonly T[], keyOf: (item: T) => number): T[] {
  const byKey = new Map([...a, ...b].map((item) => [keyOf(item), item]));
  return [...byKey.values()].sort((x, y) => keyOf(x) - keyOf(y));
}
