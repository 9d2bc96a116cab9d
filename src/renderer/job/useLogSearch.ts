import { useEffect, useRef, useState } from 'react';
import { client } from '../connection.ts';
import { useStint } from '../store/store.ts';
import { isCutOff, troubleText } from '../text/troubleText.ts';

/** A line in which it occurs. `offset`: bytes from the start of the log. */
export interface Match {
  readonly offset: number;
  readonly text: string;
}

export interface Question {
  /** Empty: nothing is looked for. */
  readonly pattern: string;
  /** False: plain text, whatever its case. */
  readonly regex: boolean;
}

export interface LogSearch {
  readonly matches: readonly Match[];
  readonly searching: boolean;
  /** True: there are more than anybody looks through. */
  readonly more: boolean;
  readonly trouble: string | null;
}

const QUIET_MS = 200;
/** A log that grows is looked through again so often at most. */
const AGAIN_MS = 1000;
const MOST = 10_000;
const NOTHING: LogSearch = { matches: [], searching: false, more: false, trouble: null };

/**
 * The lines of the whole log in which something occurs, as far as it is written; what is added is looked through as it comes.
 * @param lineOffset where the line begins that is being written.
 */
export function useLogSearch(
  jobId: number,
  attempt: number,
  { pattern, regex }: Question,
  lineOffset: number,
): LogSearch {
  const live = useStint((state) => state.phase === 'live');
  const [found, setFound] = useState<LogSearch>(NOTHING);
  /** Up to where it was looked through. */
  const reached = useRef(0);
  const end = useRef(lineOffset);
  end.current = lineOffset;

  useEffect(() => {
    setFound({ ...NOTHING, searching: pattern !== '' });
    if (!live || pattern === '') return;
    const controller = new AbortController();
    const { signal } = controller;
    reached.current = 0;
    let all: Match[] = [];
    let looked = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      if (looked && reached.current >= end.current) {
        timer = setTimeout(() => void look(), AGAIN_MS);
        return;
      }
      const upTo = end.current;
      try {
        let offset: number | null = reached.current;
        all = all.filter((match) => match.offset < reached.current);
        while (offset !== null && all.length < MOST) {
          const page: { matches: Match[]; next: number | null } = await client().logs.search(
            {
              id: jobId,
              ...(attempt > 0 ? { attempt } : {}),
              pattern,
              fixed: !regex,
              ignoreCase: !regex,
              offset,
            },
            { signal },
          );
          all = [...all, ...page.matches];
          offset = page.next;
          setFound({ matches: all, searching: offset !== null, more: all.length >= MOST, trouble: null });
        }
        looked = true;
        reached.current = upTo;
        if (all.length < MOST) timer = setTimeout(() => void look(), AGAIN_MS);
      } catch (error) {
        if (signal.aborted || isCutOff(error)) return;
        setFound({ matches: all, searching: false, more: false, trouble: troubleText(error) });
      }
    };
    timer = setTimeout(() => void look(), QUIET_MS);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [live, jobId, attempt, pattern, regex]);

  return found;
}
