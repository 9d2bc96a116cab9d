import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './SchedulerView.module.css';

/** In place of what an address names, while it is read or where there is none. @param missing why there is none. */
export function MissingThing(props: { name: string; trouble: string | null; missing: string | false }) {
  const { name, trouble, missing } = props;
  return (
    <section className={classes.thing}>
      <h1 className={classes.name}>{name}</h1>
      <p>{trouble === null ? missing || t('Reading it …') : visibleText(trouble)}</p>
      <a href={hrefOf({ view: 'scheduler' })}>{t('To the scheduler')}</a>
    </section>
  );
}
