import type { Obstacle } from '../../domain/obstacle.ts';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './SubmitDialog.module.css';

/** What would keep it from running, each with what helps. */
export function Obstacles({ found, looking }: { found: readonly Obstacle[]; looking: boolean }) {
  if (looking) return <p className="dim">{t('Looking whether it could run …')}</p>;
  if (found.length === 0) return null;
  return (
    <ul className={classes.obstacles} aria-label={t('What would keep it from running')}>
      {found.map(({ problem, remedy, certain }) => (
        <li key={problem} data-certain={certain}>
          <b>{certain ? t('It could not run:') : t('As it stands, it could not run:')}</b>{' '}
          {visibleText(problem)}. <span className="dim">{visibleText(remedy)}</span>
        </li>
      ))}
    </ul>
  );
}
