import { Button, Checkbox } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { locale, t } from '../i18n/t.ts';
import { useKeys } from '../shell/useKeys.ts';
import { formatBytes } from '../text/formatBytes.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './LogTail.module.css';
import { useLog } from './useLog.ts';

const LINE_PX = 20;
/** Longer lines are cut for display; a browser lays out no line of a megabyte. */
const LINE_CHARACTERS = 4000;

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

/** What the job writes, as a terminal would show it. */
export function LogTail({ jobId, attempt, sought }: LogTailProps) {
  const log = useLog(jobId, attempt);
  const [told, setTold] = useState<number | null>(null);
  const [following, setFollowing] = useState(true);
  const scroll = useRef<HTMLDivElement>(null);
  /** Where it stood last: only a reader goes up, the code goes to the end alone. */
  const stood = useRef(0);
  const { lines, earlierBytes } = log;

  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });

  useEffect(() => {
    const element = scroll.current;
    if (!following || element === null || lines.length === 0) return;
    // The reader has gone up and the event that says so is not here yet.
    if (element.scrollTop < stood.current - 1) return;
    element.scrollTop = element.scrollHeight;
    stood.current = element.scrollTop;
  }, [lines, following]);

  const { reach } = log;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each request, not whenever the list is drawn anew.
  useEffect(() => {
    if (sought === null) return;
    setFollowing(false);
    void reach(sought.offset, sought.text).then((index) => {
      setTold(index);
      // After the lines that were read for it are laid out.
      if (index !== null) requestAnimationFrame(() => virtual.scrollToIndex(index, { align: 'center' }));
      scroll.current?.focus();
    });
  }, [sought, reach]);

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
    if (element.scrollTop < 200 && earlierBytes > 0) void loadEarlier();
  };

  useKeys({ f: () => setFollowing((old) => !old) });

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
        {earlierBytes > 0 && (
          <Button size="compact-xs" variant="default" onClick={() => void loadEarlier()}>
            {t('Load earlier (')}
            {formatBytes(earlierBytes)})
          </Button>
        )}
        <Checkbox
          className={classes.follow ?? ''}
          size="xs"
          label={t('Follow')}
          checked={following}
          onChange={(event) => setFollowing(event.currentTarget.checked)}
        />
      </div>
      <div
        className={`${classes.scroll} mono`}
        ref={scroll}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label={t('Output of the job')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
      >
        <div className={classes.lines} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.key}
              data-index={item.index}
              data-told={item.index === told || undefined}
              className={classes.line}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Line text={lines[item.index]!} />
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

function Line({ text }: { text: string }) {
  if (text.length <= LINE_CHARACTERS) return text || ' ';
  return (
    <>
      {text.slice(0, LINE_CHARACTERS)}
      <span className="dim">
        {' '}
        … {(text.length - LINE_CHARACTERS).toLocaleString(locale)} {t('more characters in the file')}
      </span>
    </>
  );
}
