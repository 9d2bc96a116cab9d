import { Button } from '@mantine/core';
import { IconDots, IconGripVertical } from '@tabler/icons-react';
import { type KeyboardEvent, memo, type PointerEvent } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { remedyIn } from '../../domain/foreignRemedy.ts';
import { gpuNeedText } from '../../domain/gpuNeed.ts';
import { isLive, isTerminal } from '../../domain/job.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import { throttleText } from '../../domain/throttleText.ts';
import { formatMib } from '../../domain/units.ts';
import { openMore } from '../control/moreStore.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { applyRemedy } from '../machineActions.ts';
import { hrefOf } from '../route.ts';
import { ProgressLine } from '../shell/ProgressLine.tsx';
import { ProjectBar } from '../shell/ProjectBar.tsx';
import { isTrouble, StatusMark } from '../shell/StatusMark.tsx';
import { type Due, useDue } from '../store/forecast.ts';
import { useClock, useMachine } from '../store/store.ts';
import {
  formatAgo,
  formatAhead,
  formatClockSeconds,
  formatElapsed,
  formatExact,
} from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Board.module.css';
import { GridCell, GridRow } from './Grid.tsx';
import { JobActions } from './JobActions.tsx';
import { PriorityCell } from './PriorityCell.tsx';
import { DRAG_HELP } from './QueueDrag.tsx';
import { RowButton } from './RowButton.tsx';
import { RowTick } from './RowTick.tsx';

const GRIP = <IconGripVertical size={16} aria-hidden="true" />;
const DOTS = <IconDots size={16} aria-hidden="true" />;

export interface JobRowProps {
  readonly job: JobView;
  readonly rowIndex: number;
  readonly cursor: boolean;
  readonly ticked: boolean;
  readonly movable: boolean;
  /** It stands below the row of its array. */
  readonly within: boolean;
  /** @param through also all from the one that was ticked last. */
  onTick(jobs: readonly JobView[], on: boolean, through: boolean): void;
  onCursor(key: string): void;
  /** Somebody takes it by its handle; the same function every time. */
  onGrip(id: number, event: PointerEvent | KeyboardEvent): void;
}

/** One job on the board. */
export const JobRow = memo(function JobRow(props: JobRowProps) {
  const { job, cursor, ticked, movable, onTick, onCursor, onGrip } = props;
  const tabIndex = cursor ? 0 : -1;
  const name = visibleText(job.name);
  const key = `#${job.id}`;
  const about = { title: `${key} ${name}`, ids: [job.id], arrayId: undefined };
  return (
    <GridRow
      aria-rowindex={props.rowIndex}
      aria-selected={ticked}
      tabIndex={tabIndex}
      data-job={job.id}
      data-row={key}
      data-within={props.within || undefined}
      data-cursor={cursor || undefined}
      className={classes.row}
      onFocus={() => onCursor(key)}
      onPointerDown={() => onCursor(key)}
      onContextMenu={(event) => {
        event.preventDefault();
        openMore(about, { x: event.clientX, y: event.clientY });
      }}
    >
      <GridCell className={classes.tick}>
        <RowTick
          ticked={ticked}
          onTick={(through) => onTick([job], !ticked, through)}
          label={t('Tick #{{id}}', { id: job.id })}
          tabIndex={tabIndex}
        />
      </GridCell>
      <GridCell>
        {movable && (
          <button
            type="button"
            className={classes.handle}
            onPointerDown={(event) => onGrip(job.id, event)}
            onKeyDown={(event) => onGrip(job.id, event)}
            tabIndex={tabIndex}
            aria-label={t('Move #{{id}} in the queue', { id: job.id })}
            aria-roledescription="sortable"
            aria-describedby={DRAG_HELP}
            title={t('Drag to move, or Alt with the arrow keys')}
            data-handle
          >
            {GRIP}
          </button>
        )}
      </GridCell>
      <GridCell className={classes.id}>
        <ProjectBar project={job.project} />#{job.id}
      </GridCell>
      <GridCell className={`${classes.lines} ${classes.what}`}>
        <a
          href={hrefOf({ view: 'job', id: job.id })}
          className={`${classes.name} cut`}
          title={name}
          tabIndex={tabIndex}
        >
          {name}
        </a>
        <span
          className="cut dim"
          title={t('project {{project}}, user {{user}}', {
            project: visibleText(job.project),
            user: visibleText(job.user),
          })}
        >
          {props.within && job.array !== null
            ? valuesText(job.array)
            : [job.project, job.user, ...job.tags].map((one) => visibleText(one)).join(' · ')}
        </span>
      </GridCell>
      <TrackCell job={job} />
      <StateCell job={job} />
      <GridCell className={classes.priority}>
        <PriorityCell key={job.id} job={job} tabIndex={tabIndex} />
      </GridCell>
      <TimeCell job={job} />
      <GridCell className={classes.actions}>
        <JobActions jobs={[job]} which={key} tabIndex={tabIndex} />
        <RowButton
          tabIndex={tabIndex}
          onClick={(event) => openMore(about, event.currentTarget)}
          label={t('More for {{key}}', { key })}
          title={t('More for {{key}} (m)', { key })}
        >
          {DOTS}
        </RowButton>
      </GridCell>
    </GridRow>
  );
});

/** What tells a job from the others of its array: `3: lr=1e-3, seed=0`. */
function valuesText({ index, values }: NonNullable<JobView['array']>): string {
  const texts = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  return visibleText(texts.length === 0 ? t('index {{index}}', { index }) : `${index}: ${texts.join(', ')}`);
}

/** The numbers of devices. They stay as they are while readings come, so that rows are not drawn again for those. */
const useIndices = (ids: readonly string[] | null): string | null =>
  useMachine(
    ({ devices }) =>
      ids?.map((id) => devices.find((device) => device.id === id)?.index ?? '?').join(', ') ?? null,
  );

/** On which devices it is (or was), else how many it needs, and the memory it declares. */
function TrackCell({ job }: { job: JobView }) {
  const indices = useIndices(job.devices);
  const need =
    gpuNeedText(job) === '0' ? t('CPU only') : `${gpuNeedText(job)} GPU${job.gpus === 1 ? '' : 's'}`;
  const waits = !isLive(job.status) && !isTerminal(job.status);
  const kept = useIndices(job.pinnedTo);
  const memory =
    waits && kept !== null
      ? t('only GPU {{kept}}', { kept })
      : job.gpus === 0
        ? ''
        : job.vramMib === null
          ? t('whole GPU')
          : `${formatMib(job.vramMib)}${job.gpus > 1 ? t(' each') : ''}`;
  return (
    <GridCell className={`${classes.lines} ${classes.track}`}>
      <span className="cut">
        {job.executor !== null
          ? `${job.executor} · ${need}`
          : job.devices.length > 0 && !waits
            ? `GPU ${indices}`
            : need}
      </span>
      <span
        className="cut dim"
        title={
          job.vramMib === null && job.gpus > 0
            ? t('No memory declared, so it gets its GPUs to itself')
            : undefined
        }
      >
        {memory}
      </span>
    </GridCell>
  );
}

function StateCell({ job }: { job: JobView }) {
  if (isTerminal(job.status)) {
    const code = job.exitCode === null ? '' : t('· exit {{exitCode}}', { exitCode: job.exitCode });
    const cause = engineText(visibleText(job.diagnosis?.summary ?? job.cause ?? ''));
    const { line, remedy } = job.diagnosis ?? {};
    const whole = [cause, line && visibleText(line.text), remedy && engineText(remedy)]
      .filter(Boolean)
      .join('\n');
    return (
      <GridCell className={`${classes.lines} ${classes.standing}`}>
        <span className={`${classes.ended} ${isTrouble(job.status) ? 'trouble' : ''}`}>
          <StatusMark status={job.status} />
          {job.status === 'succeeded' ? '' : code}
        </span>
        <span className="cut dim" title={whole}>
          {cause}
        </span>
      </GridCell>
    );
  }
  if (isLive(job.status)) {
    const held = job.status === 'paused' && job.holdsVram !== null;
    return (
      <GridCell className={`${classes.lines} ${classes.standing}`}>
        <span className={classes.state}>
          <StatusMark status={job.status} />
          {held && (
            <span className="cut dim">{job.holdsVram ? t('VRAM stays held') : t('VRAM is free')}</span>
          )}
          {job.throttle !== null && <span className="cut dim">{engineText(throttleText(job).slice(2))}</span>}
          {job.cause !== null && <span className="cut dim">{engineText(visibleText(job.cause))}</span>}
          {job.progress !== null && (
            <>
              <span className="cut dim" title={visibleText(job.progress.label)}>
                {visibleText(job.progress.label)}
              </span>
              <span className={classes.percent}>{Math.floor(job.progress.fraction * 100)} %</span>
            </>
          )}
        </span>
        {job.progress === null ? (
          <span className="dim">{t('no progress reported')}</span>
        ) : (
          <ProgressLine job={job} />
        )}
      </GridCell>
    );
  }
  const reason = visibleText(job.waitingReason ?? t('the scheduler has not looked at it yet'));
  const remedy = remedyIn(reason);
  const said = engineText(reason);
  return (
    <GridCell className={`${classes.reason} ${classes.standing} words`} title={said}>
      {job.status === 'held' && <StatusMark status="held" />}
      <span className={classes.sentence}>{said}</span>
      {remedy !== null && (
        <Button
          size="compact-xs"
          variant="default"
          title={
            remedy.kind === 'share'
              ? t('Let jobs onto GPU {{index}} beside others where they fit', { index: remedy.index })
              : t('Let jobs onto GPU {{index}} in spite of process {{pid}}', {
                  index: remedy.index,
                  pid: remedy.pid,
                })
          }
          onClick={() => void applyRemedy(remedy)}
        >
          {remedy.kind === 'share' ? t('Share it') : t('Ignore it')}
        </Button>
      )}
    </GridCell>
  );
}

function TimeCell({ job }: { job: JobView }) {
  const due = useDue(job.id);
  const [first, second] = useClock((nowMs) => timesOf(job, due, nowMs).join('\n')).split('\n');
  return (
    <GridCell className={classes.time} title={exactTimeOf(job, due)}>
      <span>{first}</span>
      <span className="dim">{second}</span>
    </GridCell>
  );
}

/** What is told of a job's time, in two lines. */
function timesOf(job: JobView, due: Due | null, nowMs: number): [first: string, second: string] {
  if (isTerminal(job.status))
    return [
      job.startedAtMs === null ? t('never ran') : formatElapsed(runSeconds(job, nowMs)),
      formatAgo(job.finishedAtMs ?? nowMs, nowMs),
    ];
  if (isLive(job.status))
    return [
      formatElapsed(runSeconds(job, nowMs)),
      job.startedAtMs === null
        ? t('starting')
        : t('since {{startedAtMs}}', { startedAtMs: formatClockSeconds(job.startedAtMs) }),
    ];
  if (due === null) return [formatAgo(job.submittedAtMs, nowMs), t('submitted')];
  const { p10Ms, p50Ms, p90Ms } = due.start;
  return [formatAhead(p50Ms, nowMs), `${formatAhead(p10Ms, nowMs)} – ${formatAhead(p90Ms, nowMs)}`];
}

/** The same to the second, in a sentence. */
function exactTimeOf(job: JobView, due: Due | null): string {
  if (isTerminal(job.status))
    return job.finishedAtMs === null
      ? ''
      : t('ended {{finishedAtMs}}', { finishedAtMs: formatExact(job.finishedAtMs) });
  if (isLive(job.status))
    return job.startedAtMs === null
      ? ''
      : t('started {{startedAtMs}}', { startedAtMs: formatExact(job.startedAtMs) });
  if (due === null)
    return t('submitted {{submittedAtMs}}', { submittedAtMs: formatExact(job.submittedAtMs) });
  return t('expected to start {{middle}}; eight in ten times between {{early}} and {{late}}', {
    middle: formatExact(due.start.p50Ms),
    early: formatExact(due.start.p10Ms),
    late: formatExact(due.start.p90Ms),
  });
}
