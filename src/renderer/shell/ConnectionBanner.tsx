import { t } from '../i18n/t.ts';
import { useStint } from '../store/store.ts';
import { formatClockSeconds } from '../text/formatTime.ts';
import classes from './ConnectionBanner.module.css';

/** A line under the header while what is shown may be out of date. */
export function ConnectionBanner() {
  const lostAtMs = useStint((state) => (state.phase === 'lost' ? state.lostAtMs : null));
  return (
    <div role="status" aria-live="polite">
      {lostAtMs !== null && (
        <div className={classes.banner}>
          {t('Connection to the engine lost at')} {formatClockSeconds(lostAtMs)}
          {t('. What you see is how things stood then. Jobs keep running; trying again.')}
        </div>
      )}
    </div>
  );
}
