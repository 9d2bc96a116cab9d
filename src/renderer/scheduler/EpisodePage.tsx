import { useCallback } from 'react';
import type { Decision } from '../../domain/decision.ts';
import type { Episode } from '../../domain/episode.ts';
import { client } from '../connection.ts';
import { ReplayPanel } from '../history/ReplayPanel.tsx';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useAsked } from '../useAsked.ts';
import { DecisionList } from './DecisionList.tsx';
import { EpisodeTable } from './EpisodeTable.tsx';
import { MissingThing } from './MissingThing.tsx';
import classes from './SchedulerView.module.css';

const PAGE = 500;
/** Of a long episode so many of its latest decisions are read. */
const MOST_DECISIONS = 2000;

/** An arrival opens an episode, and is a little older than it. */
const OPENED_MS = 1000;

/** One busy period: its account, what was decided in it, and the way to its jobs. */
export function EpisodePage({ id }: { id: number }) {
  const ask = useCallback(async () => {
    const episode = (await client().scheduler.episodes({ limit: 1000 })).find((one) => one.id === id);
    return { episode, decisions: episode ? await decisionsOf(episode) : [] };
  }, [id]);
  const { value, trouble } = useAsked(ask);
  if (!value?.episode) {
    return (
      <MissingThing
        name={t('Episode {{id}}', { id })}
        trouble={trouble}
        missing={value !== null && t('There is no such episode among the latest thousand.')}
      />
    );
  }
  const { episode, decisions } = value;
  const query = new URLSearchParams({ from: String(episode.startedAtMs) });
  if (episode.endedAtMs !== null) query.set('to', String(episode.endedAtMs));
  return (
    <div className={classes.thing}>
      <h1 className={classes.name}>
        {t('Episode')} {id}
      </h1>
      <EpisodeTable episodes={[episode]} />
      <p>
        <a href={hrefOf({ view: 'history', query: query.toString() })}>
          {t('Jobs that were in the system then')}
        </a>
        {' · '}
        <a href={hrefOf({ view: 'scheduler' })}>{t('All episodes')}</a>
      </p>
      <section>
        <h2 className={classes.title}>{t('Decisions')}</h2>
        <DecisionList decisions={decisions} />
      </section>
      {episode.endedAtMs !== null && (
        <ReplayPanel fromMs={episode.startedAtMs - OPENED_MS} toMs={episode.endedAtMs} />
      )}
    </div>
  );
}

/** Latest first. */
async function decisionsOf({ startedAtMs, endedAtMs }: Episode): Promise<Decision[]> {
  const found: Decision[] = [];
  let beforeId: number | undefined;
  for (;;) {
    const page = await client().scheduler.decisions({
      limit: PAGE,
      ...(beforeId === undefined ? {} : { beforeId }),
    });
    const within = page.filter(
      ({ atMs }) => atMs >= startedAtMs && (endedAtMs === null || atMs <= endedAtMs),
    );
    found.push(...within);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE || last.atMs < startedAtMs) return found;
    if (found.length >= MOST_DECISIONS) return found;
    beforeId = last.id;
  }
}
