import { IconChevronDown, IconChevronRight, IconDots } from '@tabler/icons-react';
import { memo } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { openMore } from '../control/moreStore.ts';
import { projectColour } from '../hue.ts';
import { t } from '../i18n/t.ts';
import { ProjectBar } from '../shell/ProjectBar.tsx';
import { useClock, useMachine } from '../store/store.ts';
import { formatCount } from '../text/formatCount.ts';
import { formatAgo, formatExact } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import { arraySummary } from './arraySummary.ts';
import classes from './Board.module.css';
import { GridCell, GridRow } from './Grid.tsx';
import { JobActions } from './JobActions.tsx';
import { RowButton } from './RowButton.tsx';
import { RowTick } from './RowTick.tsx';

export interface ArrayRowProps {
  readonly id: number;
  readonly jobs: readonly JobView[];
  readonly rowIndex: number;
  readonly cursor: boolean;
  /** null: some of its jobs are. */
  readonly ticked: boolean | null;
  readonly open: boolean;
  onTick(jobs: readonly JobView[], on: boolean): void;
  onCursor(key: string): void;
  onToggle(id: number): void;
}

const DOTS = <IconDots size={16} aria-hidden="true" />;

/** All jobs of an array or a sweep in one line. */
export const ArrayRow = memo(function ArrayRow(props: ArrayRowProps) {
  const { id, jobs, cursor, ticked, open, onTick, onCursor, onToggle } = props;
  const first = jobs[0]!;
  const name = visibleText(first.array?.name ?? first.name);
  const current = jobs.filter(({ status }) => !isTerminal(status));
  const submittedAtMs = Math.min(...jobs.map((job) => job.submittedAtMs));
  const ago = useClock((nowMs) => formatAgo(submittedAtMs, nowMs));
  const priorities = new Set((current.length > 0 ? current : jobs).map(({ priority }) => priority));
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const tabIndex = cursor ? 0 : -1;
  const about = {
    title: t('Array #{{id}}: {{name}}', { id, name }),
    ids: jobs.map((job) => job.id),
    arrayId: id,
  };
  return (
    <GridRow
      aria-rowindex={props.rowIndex}
      aria-selected={ticked === true}
      tabIndex={tabIndex}
      data-array={id}
      data-row={`array ${id}`}
      data-cursor={cursor || undefined}
      className={classes.row}
      onFocus={() => onCursor(`array ${id}`)}
      onPointerDown={() => onCursor(`array ${id}`)}
      onContextMenu={(event) => {
        event.preventDefault();
        openMore(about, { x: event.clientX, y: event.clientY });
      }}
    >
      <GridCell className={classes.tick}>
        <RowTick
          ticked={ticked}
          onTick={() => onTick(current.length > 0 ? current : jobs, ticked !== true)}
          label={t('Tick the jobs of array #{{id}}', { id })}
          tabIndex={tabIndex}
        />
      </GridCell>
      <GridCell>
        <button
          type="button"
          className={classes.unfold}
          onClick={() => onToggle(id)}
          aria-expanded={open}
          aria-label={t('Jobs of array #{{id}}', { id })}
          tabIndex={tabIndex}
        >
          <Chevron size={16} aria-hidden="true" />
        </button>
      </GridCell>
      <GridCell className={classes.id}>
        <ProjectBar project={first.project} />#{id}
      </GridCell>
      <GridCell className={`${classes.lines} ${classes.what}`}>
        <span className={`${classes.name} cut`} title={name}>
          {name}
        </span>
        <span className="cut dim">
          {formatCount(first.array?.size ?? jobs.length)} {t('jobs')}
          {first.array?.atMost != null && t(', {{atMost}} at once', { atMost: first.array.atMost })} ·{' '}
          {visibleText(first.project)} · {visibleText(first.user)}
        </span>
      </GridCell>
      <Tracks jobs={current} />
      <Standing jobs={jobs} />
      <GridCell className={classes.priority}>
        <span className="dim">{priorities.size === 1 ? [...priorities][0] : t('differ')}</span>
      </GridCell>
      <GridCell
        className={classes.time}
        title={t('submitted {{submittedAtMs}}', { submittedAtMs: formatExact(submittedAtMs) })}
      >
        <span>{ago}</span>
        <span className="dim">{t('submitted')}</span>
      </GridCell>
      <GridCell className={classes.actions}>
        <JobActions jobs={jobs} arrayId={id} which={`array #${id}`} tabIndex={tabIndex} />
        <RowButton
          tabIndex={tabIndex}
          onClick={(event) => openMore(about, event.currentTarget)}
          label={t('More for array #{{id}}', { id })}
          title={t('More for array #{{id}} (m)', { id })}
        >
          {DOTS}
        </RowButton>
      </GridCell>
    </GridRow>
  );
});

function Tracks({ jobs }: { jobs: readonly JobView[] }) {
  const devices = useMachine((machine) => machine.devices);
  const held = new Set(jobs.flatMap((job) => job.devices));
  const indices = devices.filter(({ id }) => held.has(id)).map(({ index }) => index);
  return (
    <GridCell className={`${classes.lines} ${classes.track}`}>
      <span className="cut">{indices.length > 0 ? `GPU ${indices.join(', ')}` : ''}</span>
    </GridCell>
  );
}

function Standing({ jobs }: { jobs: readonly JobView[] }) {
  const { size, running, waiting, over, failed } = arraySummary(jobs);
  const parts = [
    ...(running > 0 ? [t('{{running}} running', { running: formatCount(running) })] : []),
    ...(waiting > 0 ? [t('{{waiting}} waiting', { waiting: formatCount(waiting) })] : []),
    t('{{over}} of {{size}} over', { over: formatCount(over), size: formatCount(size) }),
  ];
  const percent = Math.floor((100 * over) / size);
  return (
    <GridCell className={`${classes.lines} ${classes.standing}`}>
      <span className={classes.state}>
        <span className="cut">{parts.join(' · ')}</span>
        {failed > 0 && (
          <span className="trouble">
            {formatCount(failed)} {t('failed')}
          </span>
        )}
        <span className={classes.percent}>{percent} %</span>
      </span>
      <div
        className={classes.share}
        role="progressbar"
        aria-label={t('Jobs of the array that are over')}
        aria-valuenow={percent}
        aria-valuetext={t('{{over}} of {{size}}', { over, size })}
      >
        <div style={{ width: `${percent}%`, background: projectColour(jobs[0]!.project) }} />
      </div>
    </GridCell>
  );
}
