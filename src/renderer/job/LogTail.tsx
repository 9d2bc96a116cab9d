import { Button } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { locale, t } from '../i18n/t.ts';
import { useKeys } from '../shell/useKeys.ts';
import { formatBytes } from '../text/formatBytes.ts';
import { type Mark, TerminalText } from '../text/terminalText.ts';
import { visibleText } from '../text/visibleText.ts';
import { LogLine } from './LogLine.tsx';
import { LogOptions, type LogView, storedView } from './LogOptions.tsx';
import { LogSearchBox } from './LogSearchBox.tsx';
import classes from './LogTail.module.css';
import { hitsIn } from './logSegments.ts';
import { useLog } from './useLog.ts';
import { type Match, useLogSearch } from './useLogSearch.ts';

const LINE_PX = 20;

/** A line of the log that a reader asked to see; a new object asks again. */
export interface Sought {
  readonly offset: number;
  readonly text: string;
}

export interface LogTailProps {
  readonly jobId: number;
  /** Whose output; 0: of the first, once it is there. Another needs another `key`. */
  readonly attempt: number;
  readonly sought: Sought | null;
}

/** What the job writes, as a terminal would show it: followed, searched in, or only the lines in which something occurs. */
export function LogTail({ jobId, attempt, sought: asked }: LogTailProps) {
  const log = useLog(jobId, attempt);
  const [told, setTold] = useState<number | null>(null);
  const [following, setFollowing] = useState(true);
  const [view, setView] = useState<LogView>(storedView);
  const [question, setQuestion] = useState({ pattern: '', regex: false });
  const search = useLogSearch(jobId, attempt, question, log.lineOffset);
  /** Which match the reader is at; null: none yet. */
  const [at, setAt] = useState<number | null>(null);
  const [sought, setSought] = useState<Sought | null>(null);
  useEffect(() => setSought(asked), [asked]);
  const scroll = useRef<HTMLDivElement>(null);
  /** Where it stood last: only a reader goes up, the code goes to the end alone. */
  const stood = useRef(0);
  const { lines, earlierBytes } = log;
  const filtered = view.only && question.pattern !== '';
  const matches = useMemo(() => (filtered ? search.matches.map(shownMatch) : []), [filtered, search.matches]);
  const count = filtered ? matches.length : lines.length;

  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines are as high as these have them.
  useEffect(() => virtual.measure(), [view.wrap, filtered]);

  useEffect(() => {
    const element = scroll.current;
    if (!following || element === null || count === 0) return;
    // The reader has gone up and the event that says so is not here yet.
    if (element.scrollTop < stood.current - 1) return;
    element.scrollTop = element.scrollHeight;
    stood.current = element.scrollTop;
  }, [following, count]);

  const { reach } = log;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each request, not whenever the list is drawn anew.
  useEffect(() => {
    if (sought === null) return;
    setFollowing(false);
    void reach(sought.offset, sought.text).then((index) => {
      setTold(index);
      // After the lines that were read for it are laid out.
      if (index !== null) requestAnimationFrame(() => virtual.scrollToIndex(index, { align: 'center' }));
      if (sought === asked) scroll.current?.focus();
    });
  }, [sought, reach]);

  const goTo = (index: number): void => {
    const match = search.matches[index];
    if (match === undefined) return;
    setAt(index);
    if (filtered) {
      setFollowing(false);
      virtual.scrollToIndex(index, { align: 'center' });
    } else setSought({ offset: match.offset, text: match.text });
  };
  /** The next match after, or before, the one that the reader is at; at first the last there is, or the first. */
  const step = (by: 1 | -1): void => {
    const { length } = search.matches;
    if (length > 0) goTo(at === null ? (by === 1 ? 0 : length - 1) : (at + by + length) % length);
  };
  const inPlace = (index: number): void => {
    const match = search.matches[index]!;
    setView((old) => ({ ...old, only: false }));
    setAt(index);
    setSought({ offset: match.offset, text: match.text });
  };

  const loadEarlier = async (): Promise<void> => {
    const added = await log.loadEarlier();
    if (added === 0) return;
    // What the reader looks at stays where it is.
    if (scroll.current) scroll.current.scrollTop += added * LINE_PX;
    setTold((line) => (line === null ? null : line + added));
  };

  const onScroll = (): void => {
    const element = scroll.current!;
    const wentUp = element.scrollTop < stood.current - 1;
    stood.current = element.scrollTop;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < LINE_PX;
    if (atEnd) setFollowing(true);
    else if (wentUp) setFollowing(false);
    if (!filtered && element.scrollTop < 200 && earlierBytes > 0) void loadEarlier();
  };

  const box = useRef<HTMLInputElement>(null);
  useKeys({
    f: () => setFollowing((old) => !old),
    w: () => setView((old) => ({ ...old, wrap: !old.wrap })),
    '/': () => box.current?.focus(),
  });

  return (
    <section className={classes.log} aria-label={t('Log')}>
      <div className={classes.top}>
        <h2 className={classes.title}>{t('Log')}</h2>
        <span className="dim">
          {lines.length === 0
            ? log.ended
              ? t('It wrote nothing.')
              : t('Nothing written yet.')
            : t('{{a}} lines{{a2}}', {
                a: lines.length.toLocaleString(locale),
                a2: log.ended ? t(', complete') : '',
              })}
        </span>
        {log.trouble !== null && <span className="trouble cut">{visibleText(log.trouble)}</span>}
        {earlierBytes > 0 && !filtered && (
          <Button size="compact-xs" variant="default" onClick={() => void loadEarlier()}>
            {t('Load earlier (')}
            {formatBytes(earlierBytes)})
          </Button>
        )}
        <LogSearchBox
          ref={box}
          question={question}
          search={search}
          at={at}
          onQuestion={(next) => {
            setQuestion(next);
            setAt(null);
          }}
          onStep={step}
        />
        <LogOptions view={view} onView={setView} following={following} onFollowing={setFollowing} />
      </div>
      <div
        className={['mono', classes.scroll, view.wrap && classes.wrapped, !view.colours && classes.plain]
          .filter(Boolean)
          .join(' ')}
        ref={scroll}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label={t('Output of the job')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
      >
        <div className={classes.lines} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const text = filtered ? matches[item.index]!.text : lines[item.index]!;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: Enter in the search box goes there as well.
              // biome-ignore lint/a11y/noStaticElementInteractions: the same.
              <div
                key={item.key}
                ref={view.wrap ? virtual.measureElement : undefined}
                data-index={item.index}
                data-told={(filtered ? item.index === at : item.index === told) || undefined}
                className={filtered ? `${classes.line} ${classes.found}` : classes.line}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={filtered ? () => inPlace(item.index) : undefined}
              >
                <LogLine
                  text={text}
                  marks={filtered ? matches[item.index]!.marks : log.marksOf(item.index)}
                  hits={hitsIn(text, question.pattern, question.regex)}
                />
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** A line that was found, as a terminal shows it. */
function shownMatch({ text }: Match): { readonly text: string; readonly marks: readonly Mark[] } {
  const terminal = new TerminalText();
  terminal.write(text);
  return { text: terminal.lines[0]!, marks: terminal.marksOf(0) };
}
