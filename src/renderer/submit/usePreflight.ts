import { useCallback, useEffect, useRef, useState } from 'react';
import type { JobSpecInput } from '../../domain/job.ts';
import type { Obstacle } from '../../domain/obstacle.ts';
import { filledJob } from '../../domain/placeholders.ts';
import { client } from '../connection.ts';
import type { JobRequest } from './jobRequest.ts';

/** A person who types is not interrupted. */
const QUIET_MS = 600;
const NONE: readonly Obstacle[] = [];

export interface Preflight {
  /** Of the request as it stands; none while it is looked at. */
  readonly obstacles: readonly Obstacle[];
  readonly looking: boolean;
  /** True: `obstacles` is the answer for the request as it stands. */
  readonly told: boolean;
  /** Asks now. An engine that cannot tell finds nothing: submitting has its own answer. */
  ask(): Promise<readonly Obstacle[]>;
}

/** Looks whether what would be queued could run, once nothing has been typed for a moment. Of many jobs the first. */
export function usePreflight(request: JobRequest): Preflight {
  const asked = request.spec === null || request.spec.command.length === 0 ? null : questionOf(request);
  const key = asked === null ? '' : JSON.stringify(asked);
  const [answer, setAnswer] = useState<{ readonly key: string; readonly obstacles: readonly Obstacle[] }>({
    key: '',
    obstacles: NONE,
  });
  const latest = useRef(key);
  latest.current = key;

  const ask = useCallback(async (): Promise<readonly Obstacle[]> => {
    if (key === '') return NONE;
    const obstacles = await client()
      .jobs.preflight(JSON.parse(key) as Question)
      .then(
        (found) => found.obstacles,
        () => NONE,
      );
    if (latest.current === key) setAnswer({ key, obstacles });
    return obstacles;
  }, [key]);

  useEffect(() => {
    if (key === '') return;
    const timer = setTimeout(() => void ask(), QUIET_MS);
    return () => clearTimeout(timer);
  }, [key, ask]);

  const told = answer.key === key;
  return { obstacles: told ? answer.obstacles : NONE, looking: key !== '' && !told, told, ask };
}

type Question = JobSpecInput & { readonly secretsFrom: number | null };

function questionOf({ spec, sweep, secretsFrom }: Extract<JobRequest, { problems: null }>): Question {
  const [first] = sweep?.points ?? [];
  const job = first === undefined ? spec : filledJob(spec, { ...first.values, index: String(first.index) });
  // What they are asked about does not change whether it could run, and would have it asked again.
  return { ...job, name: null, priority: 0, secretsFrom };
}
