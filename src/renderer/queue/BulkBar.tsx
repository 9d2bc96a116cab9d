import { Button } from '@mantine/core';
import type { JobView } from '../../contract/messages.ts';
import { openMore } from '../control/moreStore.ts';
import { t } from '../i18n/t.ts';
import { act, isPossible, type JobAction } from '../jobActions.ts';
import { formatCount } from '../text/formatCount.ts';
import classes from './Board.module.css';

const ACTIONS: readonly (readonly [JobAction, string])[] = [
  ['pause', t('Pause')],
  ['resume', t('Resume')],
  ['hold', t('Hold back')],
  ['release', t('Release')],
  ['retry', t('Retry')],
  ['cancel', t('Cancel')],
];

/** What can be done to the ticked jobs. */
export function BulkBar({ ticked, onUntick }: { ticked: readonly JobView[]; onUntick(): void }) {
  return (
    <fieldset className={classes.bulk} aria-label={t('With the ticked jobs')}>
      <b>
        {formatCount(ticked.length)} {t('ticked')}
      </b>
      {ACTIONS.filter(([action]) => ticked.some((job) => isPossible(action, job))).map(([action, label]) => (
        <Button key={action} size="compact-sm" variant="default" onClick={() => act(action, ticked)}>
          {label}
        </Button>
      ))}
      <Button
        size="compact-sm"
        variant="default"
        aria-haspopup="dialog"
        onClick={(event) =>
          openMore(
            {
              title:
                ticked.length === 1
                  ? `#${ticked[0]!.id}`
                  : t('{{length}} jobs', { length: formatCount(ticked.length) }),
              ids: ticked.map(({ id }) => id),
              arrayId: undefined,
            },
            event.currentTarget,
          )
        }
      >
        {t('More')}
      </Button>
      <Button size="compact-sm" variant="subtle" onClick={onUntick}>
        {t('Untick')}
      </Button>
    </fieldset>
  );
}
