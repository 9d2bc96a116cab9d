import { useCallback } from 'react';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useAsked } from '../useAsked.ts';
import { DecisionList } from './DecisionList.tsx';
import { MissingThing } from './MissingThing.tsx';
import classes from './SchedulerView.module.css';

/** One decision with everything that was weighed, at an address of its own. */
export function DecisionPage({ id }: { id: number }) {
  const ask = useCallback(async () => {
    const [decision] = await client().scheduler.decisions({ limit: 1, beforeId: id + 1 });
    return { decision: decision?.id === id ? decision : null };
  }, [id]);
  const { value, trouble } = useAsked(ask);
  const decision = value?.decision;
  if (!decision) {
    return (
      <MissingThing
        name={t('Decision {{id}}', { id })}
        trouble={trouble}
        missing={
          value !== null && t('There is no such decision, or it is so old that it is not kept any more.')
        }
      />
    );
  }
  return (
    <div className={classes.thing}>
      <h1 className={classes.name}>
        {t('Decision')} {id}
      </h1>
      <DecisionList decisions={[decision]} openId={id} />
      <p>
        <a href={hrefOf({ view: 'scheduler' })}>{t('All decisions')}</a>
      </p>
    </div>
  );
}
