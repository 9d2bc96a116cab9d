import { Button } from '@mantine/core';
import type { JobView } from '../../contract/messages.ts';
import { openMore } from '../control/moreStore.ts';
import { act, isPossible, type JobAction } from '../jobActions.ts';
import classes from './Board.module.css';

const ACTIONS: readonly (readonly [JobAction, string])[] = [
  ['pause', 'Pause'],
  ['resume', 'Resume'],
  ['hold', 'Hold back'],
  ['release', 'Release'],
  ['retry', 'Retry'],
  ['cancel', 'Cancel'],
];

/** What can be done to the ticked jobs. */
export function BulkBar({ ticked, onUntick }: { ticked: readonly JobView[]; onUntick(): void }) {
  return (
    <fieldset
      className={classes.bulk}
      style={{ border: 0, margin: 0, padding: 0 }}
      aria-label="With the ticked jobs"
    >
      <b>{ticked.length} ticked</b>
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
              title: ticked.length === 1 ? `#${ticked[0]!.id}` : `${ticked.length} jobs`,
              ids: ticked.map(({ id }) => id),
              arrayId: undefined,
            },
            event.currentTarget,
          )
        }
      >
        More
      </Button>
      <Button size="compact-sm" variant="subtle" onClick={onUntick}>
        Untick
      </Button>
    </fieldset>
  );
}
