import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { messageOf } from '../../domain/errors.ts';
import { client } from '../connection.ts';
import { useStint } from '../store/store.ts';
import type { Mark } from '../text/terminalText.ts';
import { isCutOff, troubleText } from '../text/troubleText.ts';
import { LogBuffer } from './logBuffer.ts';

const PIECE_BYTES = 256 * 1024;

export interface Log {
  readonly lines: readonly string[];
  /** How stretches of a line look. */
  marksOf(line: number): readonly Mark[];
  /** Where the line begins that is being written: what is before it stands. */
  readonly lineOffset: number;
  /** True once the job is over and everything was read. */
  readonly ended: boolean;
  /** Bytes before what is shown. */
  readonly earlierBytes: number;
  readonly trouble: string | null;
  /** Reads the piece before; gives the number of lines that it added on top. */
  loadEarlier(): Promise<number>;
  /** Reads back as far as the byte at `offset`, and gives the line that holds it; null: it could not be read. */
  reach(offset: number, text: string): Promise<number | null>;
}

/**
 * The log of a job's attempt from its last 256 KiB on, live; it goes on where it was after a lost connection.
 * @param attempt 0: of the first, once it is there.
 */
export function useLog(jobId: number, attempt: number): Log {
  const live = useStint((state) => state.phase === 'live');
  const buffer = useRef(new LogBuffer());
  const [shown, setShown] = useState<{ lines: readonly string[]; ended: boolean }>({
    lines: [],
    ended: false,
  });
  const [trouble, setTrouble] = useState<string | null>(null);
  const loading = useRef(false);
  const of = useMemo(() => ({ id: jobId, ...(attempt > 0 ? { attempt } : {}) }), [jobId, attempt]);

  useEffect(() => {
    if (!live) return;
    const controller = new AbortController();
    let frame = 0;
    let ended = false;
    const draw = (): void => {
      frame = 0;
      setShown({ lines: [...buffer.current.lines], ended });
    };
    const follow = async (): Promise<void> => {
      const { fromOffset, nextOffset } = buffer.current;
      const offset = fromOffset === null ? -PIECE_BYTES : nextOffset;
      try {
        const stream = await client().logs.follow({ ...of, offset }, { signal: controller.signal });
        setTrouble(null);
        for await (const chunk of stream) {
          buffer.current.append(chunk);
          ended = chunk.end;
          // Many pieces may come within one frame; it is drawn once.
          frame ||= requestAnimationFrame(draw);
        }
      } catch (error) {
        // A lost connection is told above, and it is read again after it.
        if (!controller.signal.aborted && !isCutOff(error)) setTrouble(messageOf(error));
      }
    };
    void follow();
    return () => {
      controller.abort();
      cancelAnimationFrame(frame);
    };
  }, [of, live]);

  const loadEarlier = useCallback(async (): Promise<number> => {
    const { fromOffset } = buffer.current;
    if (loading.current || fromOffset === null || fromOffset === 0) return 0;
    loading.current = true;
    try {
      const offset = Math.max(0, fromOffset - PIECE_BYTES);
      const chunk = await client().logs.read({ ...of, offset, limitBytes: fromOffset - offset });
      const added = buffer.current.prepend(chunk);
      setShown((old) => ({ ...old, lines: [...buffer.current.lines] }));
      return added;
    } catch (error) {
      setTrouble(troubleText(error));
      return 0;
    } finally {
      loading.current = false;
    }
  }, [of]);

  const reach = useCallback(
    async (offset: number, text: string): Promise<number | null> => {
      for (;;) {
        const { fromOffset } = buffer.current;
        if (fromOffset === null) return null;
        if (fromOffset <= offset) return buffer.current.lineAt(offset, text);
        if ((await loadEarlier()) === 0 && buffer.current.fromOffset === fromOffset) return null;
      }
    },
    [loadEarlier],
  );

  const marksOf = useCallback((line: number) => buffer.current.marksOf(line), []);
  const { fromOffset, lineOffset } = buffer.current;
  return { ...shown, trouble, loadEarlier, reach, marksOf, lineOffset, earlierBytes: fromOffset ?? 0 };
}
