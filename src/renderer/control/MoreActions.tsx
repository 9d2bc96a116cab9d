import { Button, Kbd } from '@mantine/core';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';
import { MemoryRemedies } from '../job/MemoryRemedies.tsx';
import {
  act,
  isMovable,
  isPossible,
  isThrottlable,
  type JobAction,
  moveToEdge,
  needsRestartable,
} from '../jobActions.ts';
import { useMachine } from '../store/store.ts';
import { blankForm, formOfJob } from '../submit/jobForm.ts';
import { openSubmit } from '../submit/openSubmit.ts';
import classes from './MoreActions.module.css';
import { PauseRungs } from './PauseRungs.tsx';
import { PinChoice } from './PinChoice.tsx';
import { PriorityField } from './PriorityField.tsx';
import { ThrottleSlider } from './ThrottleSlider.tsx';

const ACTIONS: readonly (readonly [action: JobAction, label: string, does: string, key: string | null])[] = [
  ['start', t('Start now'), t('whosever turn it is, if there is room'), null],
  ['pause', t('Pause'), t('stands still; its GPU memory stays held'), 'p'],
  ['resume', t('Resume'), t('goes on at once'), 'p'],
  [
    'park',
    t('Pause and free its GPU memory'),
    t('by its own checkpoint, or by CUDA’s where that works'),
    null,
  ],
  ['preempt', t('Let others go first'), t('ends at its checkpoint and waits for its next turn'), null],
  ['hold', t('Hold back'), t('does not start until it is released'), 'h'],
  ['release', t('Release'), t('starts when its turn comes'), 'h'],
  ['retry', t('Retry'), t('another attempt of the same job'), 'r'],
  ['cancel', t('Cancel'), t('is withdrawn, or told to end'), 'c'],
];

/** Everything that can be done to these jobs now, each with what it does. */
export function MoreActions(props: {
  jobs: readonly JobView[];
  title: string;
  arrayId: number | undefined;
  onDone(): void;
}) {
  const { jobs, title, arrayId, onDone } = props;
  const system = useMachine((machine) => machine.system);
  const [only] = jobs.length === 1 ? jobs : [];
  const possible = ACTIONS.filter(([action]) => jobs.some((job) => isPossible(action, job)));
  const barred = ACTIONS.filter(
    ([action]) =>
      jobs.some((job) => needsRestartable(action, job)) && !jobs.some((job) => isPossible(action, job)),
  );
  const doing = (run: () => void) => () => {
    onDone();
    run();
  };
  return (
    <div className={classes.panel}>
      <h2 className={`${classes.title} cut`}>{title}</h2>
      {jobs.some(isThrottlable) && <ThrottleSlider jobs={jobs.filter(isThrottlable)} />}
      <ul className={classes.list}>
        {possible.map(([action, label, does, key]) => (
          <li key={action}>
            <button type="button" className={classes.item} onClick={doing(() => act(action, jobs, arrayId))}>
              <span className={classes.label}>{label}</span>
              {key !== null && <Kbd size="xs">{key}</Kbd>}
              <span className={classes.does}>{does}</span>
            </button>
          </li>
        ))}
        {jobs.some(({ status }) => isMovable(status)) &&
          (['first', 'last'] as const).map((edge) => (
            <li key={edge}>
              <button
                type="button"
                className={classes.item}
                onClick={doing(() => void moveToEdge(jobs, edge))}
              >
                <span className={classes.label}>
                  {edge === 'first' ? t('First in the queue') : t('Last in the queue')}
                </span>
                <Kbd size="xs">{edge === 'first' ? t('Alt Home') : t('Alt End')}</Kbd>
              </button>
            </li>
          ))}
        {only !== undefined && (
          <li>
            <button
              type="button"
              className={classes.item}
              onClick={doing(() => openSubmit(formOfJob(only, blankForm(system))))}
            >
              <span className={classes.label}>{t('Run again with changes')}</span>
              <span className={classes.does}>{t('opens the dialog with what this one was given')}</span>
            </button>
          </li>
        )}
      </ul>
      {jobs.some(({ status }) => !isTerminal(status)) && (
        <PriorityField jobs={jobs} arrayId={arrayId} onDone={onDone} />
      )}
      {jobs.some(({ status, gpus }) => isMovable(status) && gpus > 0) && (
        <PinChoice jobs={jobs.filter(({ status, gpus }) => isMovable(status) && gpus > 0)} />
      )}
      {arrayId === undefined && jobs.some((job) => isPossible('pause', job)) && (
        <PauseRungs jobs={jobs} onDone={onDone} />
      )}
      {only !== undefined && only.gpus > 0 && <MemoryRemedies jobId={only.id} withField />}
      {barred.length > 0 && (
        <p className={classes.barred}>
          {barred.map(([, label]) => label).join(', ')}
          {t(': only for jobs submitted with')} <code className="mono">--restartable</code>.
        </p>
      )}
      {possible.length === 0 && jobs.length > 0 && <p className={classes.barred}>{t('It is ending.')}</p>}
      {jobs.length === 0 && (
        <Button size="compact-sm" variant="default" onClick={onDone}>
          {t('Close')}
        </Button>
      )}
    </div>
  );
}
