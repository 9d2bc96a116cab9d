import { Button } from '@mantine/core';
import type { Attempt } from '../../domain/attempt.ts';
import { t } from '../i18n/t.ts';
import { useNow } from '../store/store.ts';
import { formatElapsed, formatExact, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './JobPage.module.css';

export interface AttemptsProps {
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  /** The one whose log is shown. */
  readonly shown: number;
  onShow(attempt: number): void;
}

/** The launches of a job that was launched more than once, latest first, each with how it ended and its log. */
export function Attempts({ attempts, shown, onShow }: AttemptsProps) {
  const nowMs = useNow();
  if (attempts.length < 2) return null;
  return (
    <section>
      <h2 className={classes.title}>{t('Attempts')}</h2>
      <ol className={classes.events}>
        {attempts.toReversed().map((one) => (
          <li key={one.attempt} className={classes.event}>
            <Button
              size="compact-xs"
              variant={one.attempt === shown ? 'filled' : 'default'}
              aria-pressed={one.attempt === shown}
              onClick={() => onShow(one.attempt)}
            >
              {t('Log of')} {one.attempt}
            </Button>
            <span>
              {endOf(one)}
              {one.startedAtMs !== null && (
                <span className="dim" title={formatExact(one.startedAtMs)}>
                  {' '}
                  {t('from')} {formatMoment(one.startedAtMs, nowMs)},{' '}
                  {formatElapsed(((one.finishedAtMs ?? nowMs) - one.startedAtMs) / 1000)}
                </span>
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function endOf({ outcome, cause }: Attempt): string {
  if (outcome === 'open') return t('not over');
  const what = outcome === 'not-started' ? t('not started after all') : outcome;
  return cause === null ? what : `${what}: ${visibleText(cause)}`;
}
