import type { Episode } from '../../domain/episode.ts';
import { REWARD_COMPONENTS } from '../../domain/reward.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useNow } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatElapsed, formatExact, formatMoment } from '../text/formatTime.ts';
import classes from './EpisodeTable.module.css';
import { episodeSeconds, formatReward } from './rewardSeries.ts';

/** Episodes, latest first: what came, what was decided, and what it was worth. */
export function EpisodeTable({ episodes }: { episodes: readonly Episode[] }) {
  const nowMs = useNow();
  if (episodes.length === 0) {
    return (
      <p className="dim">
        {t('No episode yet. One lasts from the first arrival until the machine is idle again.')}
      </p>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <section className={classes.scroll} tabIndex={0} aria-label={t('Table of episodes')}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th>{t('Episode')}</th>
            <th>{t('Start')}</th>
            <th>{t('Length')}</th>
            <th>{t('Policy')}</th>
            <th title={t('finished of arrived')}>{t('Jobs')}</th>
            <th title={t('mean time from submission to end')}>{t('Mean JCT')}</th>
            <th title={t('weighted sum of the parts per second')}>{t('Reward')}</th>
            {REWARD_COMPONENTS.map((name) => (
              <th key={name} title={t('−∫ cost of {{name}}, seconds, unweighted', { name })}>
                {name}, s
              </th>
            ))}
            <th>{t('Decisions')}</th>
            <th>{t('Transitions')}</th>
          </tr>
        </thead>
        <tbody>
          {episodes.map((episode) => (
            <tr key={episode.id} data-live={episode.endedAtMs === null || undefined}>
              <td>
                <a href={hrefOf({ view: 'episode', id: episode.id })}>{episode.id}</a>
              </td>
              <td title={formatExact(episode.startedAtMs)}>{formatMoment(episode.startedAtMs, nowMs)}</td>
              <td>
                {formatElapsed(episodeSeconds(episode, nowMs))}
                {episode.endedAtMs === null && t(', under way')}
              </td>
              <td>
                {episode.policy}
                {episode.fallbacks > 0 && (
                  <span className="trouble">
                    {' '}
                    · {episode.fallbacks} {t('fallbacks')}
                  </span>
                )}
              </td>
              <td>
                {episode.jobsFinished} {t('of')} {episode.jobsArrived}
              </td>
              <td title={episode.meanJctS === null ? t('no job of it has finished') : undefined}>
                {episode.meanJctS === null ? '–' : formatDuration(episode.meanJctS * 1000)}
              </td>
              <td>
                <b>{formatReward(episode.reward)}</b>
              </td>
              {REWARD_COMPONENTS.map((name) => (
                <td key={name}>{formatReward(episode.rewardParts[name])}</td>
              ))}
              <td>{episode.decisions}</td>
              <td>{episode.transitions}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
