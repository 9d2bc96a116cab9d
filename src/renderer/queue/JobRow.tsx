import { ActionIcon, Button, Checkbox } from '@mantine/core';
import { IconDots, IconGripVertical } from '@tabler/icons-react';
import { memo, useRef } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { remedyIn } from '../../domain/foreignRemedy.ts';
import { gpuNeedText } from '../../domain/gpuNeed.ts';
import { isLive, isTerminal, runSeconds } from '../../domain/job.ts';
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
import { useDue } from '../store/forecast.ts';
import { useMachine, useNow } from '../store/store.ts';
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
import type { HeldWith } from './QueueDrag.tsx';
import { type Grip, Sorting } from './Sorting.tsx';

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
  /** What goes with it when it is dragged; the same function every time. */
  readonly heldWith: HeldWith;
}

/** One job on the board. */
export const JobRow = memo(function JobRow(props: JobRowProps) {
  const { job, cursor, ticked, movable, onTick, onCursor } = props;
  const handle = useRef<HTMLButtonElement>(null);
  const grip = useRef<Grip>(undefined);
  const name = visibleText(job.name);
  const key = `#${job.id}`;
  const about = { title: `${key} ${name}`, ids: [job.id], arrayId: undefined };
  return (
    <GridRow
      aria-rowindex={props.rowIndex}
      aria-selected={ticked}
      tabIndex={cursor ? 0 : -1}
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
        <Checkbox
          size="xs"
          checked={ticked}
          onChange={({ nativeEvent }) =>
            onTick([job], !ticked, 'shiftKey' in nativeEvent && nativeEvent.shiftKey === true)
          }
          aria-label={t('Tick #{{id}}', { id: job.id })}
          tabIndex={cursor ? 0 : -1}
        />
      </GridCell>
      <GridCell>
        {movable && (
          <>
            <button
              type="button"
              ref={handle}
              className={classes.handle}
              onPointerDown={(event) => grip.current?.onPointerDown?.(event)}
              onKeyDown={(event) => grip.current?.onKeyDown?.(event)}
              tabIndex={cursor ? 0 : -1}
              aria-label={t('Move #{{id}} in the queue', { id: job.id })}
              title={t('Drag to move, or Alt with the arrow keys')}
            >
              <IconGripVertical size={16} aria-hidden="true" />
            </button>
            <Sorting id={job.id} heldWith={props.heldWith} handle={handle} grip={grip} />
          </>
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
          tabIndex={cursor ? 0 : -1}
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
            : `${visibleText(job.project)} · ${visibleText(job.user)}`}
        </span>
      </GridCell>
      <TrackCell job={job} />
      <StateCell job={job} />
      <GridCell className={classes.priority}>
        <PriorityCell job={job} tabIndex={cursor ? 0 : -1} />
      </GridCell>
      <TimeCell job={job} />
      <GridCell className={classes.actions}>
        <JobActions jobs={[job]} which={key} tabIndex={cursor ? 0 : -1} />
        <ActionIcon
          variant="subtle"
          size={28}
          tabIndex={cursor ? 0 : -1}
          onClick={(event) => openMore(about, event.currentTarget)}
          aria-label={t('More for {{key}}', { key })}
          title={t('More for {{key}} (m)', { key })}
        >
          <IconDots size={16} />
        </ActionIcon>
      </GridCell>
    </GridRow>
  );
});

/** What tells a job from the others of its array: `3: lr=1e-3, seed=0`. */
function valuesText({ index, values }: NonNullable<JobView['array']>): string {
  const texts = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  return visibleText(texts.length === 0 ? t('index {{index}}', { index }) : `${index}: ${texts.join(', ')}`);
}

/** On which devices it is (or was), else how many it needs, and the memory it declares. */
function TrackCell({ job }: { job: JobView }) {
  const devices = useMachine((machine) => machine.devices);
  const indices = job.devices
    .map((id) => devices.find((device) => device.id === id)?.index ?? '?')
    .join(', ');
  const need =
    gpuNeedText(job) === '0' ? t('CPU only') : `${gpuNeedText(job)} GPU${job.gpus === 1 ? '' : 's'}`;
  const waits = !isLive(job.status) && !isTerminal(job.status);
  const kept = job.pinnedTo?.map((id) => devices.find((device) => device.id === id)?.index ?? '?').join(', ');
  const memory =
    waits && kept !== undefined
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
    <GridCell className={`${classes.reason} ${classes.standing}`} title={said}>
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
  const nowMs = useNow();
  const due = useDue(job.id);
  const [first, second, exact] = isTerminal(job.status)
    ? [
        job.startedAtMs === null ? t('never ran') : formatElapsed(runSeconds(job, nowMs)),
        formatAgo(job.finishedAtMs ?? nowMs, nowMs),
        job.finishedAtMs === null
          ? ''
          : t('ended {{finishedAtMs}}', { finishedAtMs: formatExact(job.finishedAtMs) }),
      ]
    : isLive(job.status)
      ? [
          formatElapsed(runSeconds(job, nowMs)),
          job.startedAtMs === null
            ? t('starting')
            : t('since {{startedAtMs}}', { startedAtMs: formatClockSeconds(job.startedAtMs) }),
          job.startedAtMs === null
            ? ''
            : t('started {{startedAtMs}}', { startedAtMs: formatExact(job.startedAtMs) }),
        ]
      : due !== null
        ? [
            formatAhead(due.start.p50Ms, nowMs),
            `${formatAhead(due.start.p10Ms, nowMs)} – ${formatAhead(due.start.p90Ms, nowMs)}`,
            t('expected to start {{middle}}; eight in ten times between {{early}} and {{late}}', {
              middle: formatExact(due.start.p50Ms),
              early: formatExact(due.start.p10Ms),
              late: formatExact(due.start.p90Ms),
            }),
          ]
        : [
            formatAgo(job.submittedAtMs, nowMs),
            t('submitted'),
            t('submitted {{submittedAtMs}}', { submittedAtMs: formatExact(job.submittedAtMs) }),
          ];
  return (
    <GridCell className={classes.time} title={exact}>
      <span>{first}</span>
      <span className="dim">{second}</span>
    </GridCell>
  );
}
