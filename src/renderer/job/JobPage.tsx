import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { JobView, LoggedEvent } from '../../contract/messages.ts';
import { isTerminal, runSeconds } from '../../domain/job.ts';
import { formatMib } from '../../domain/units.ts';
import { act, isPossible, type JobAction } from '../actions.ts';
import { PriorityCell } from '../queue/PriorityCell.tsx';
import { goTo } from '../route.ts';
import { DecisionList } from '../scheduler/DecisionList.tsx';
import { ProgressLine } from '../shell/ProgressLine.tsx';
import { ProjectBar } from '../shell/ProjectBar.tsx';
import { isTrouble, StatusMark } from '../shell/StatusMark.tsx';
import { useKeys } from '../shell/useKeys.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatElapsed, formatExact, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import { ACTORS, eventText } from './eventText.ts';
import classes from './JobPage.module.css';
import { LogTail } from './LogTail.tsx';
import { useJob } from './useJob.ts';

const ACTIONS: readonly (readonly [JobAction, string])[] = [
  ['pause', 'Pause'],
  ['resume', 'Resume'],
  ['hold', 'Hold back'],
  ['release', 'Release'],
  ['cancel', 'Cancel'],
];

/** Everything about one job: what it is, what it writes, what happened to it, and why. */
export function JobPage({ jobId }: { jobId: number }) {
  const { job, events, decisions, trouble } = useJob(jobId);
  const jobs = job === null ? [] : [job];
  useKeys({
    p: () => act(job?.status === 'paused' ? 'resume' : 'pause', jobs),
    h: () => act(job?.status === 'held' ? 'release' : 'hold', jobs),
    c: () => act('cancel', jobs),
    escape: () => goTo({ view: 'queue' }),
  });
  if (job === null) {
    return (
      <section className={classes.missing}>
        <h1 className={classes.name}>Job #{jobId}</h1>
        <p>{trouble === null ? 'Reading it …' : visibleText(trouble)}</p>
        <a href="#/queue">Back to the queue</a>
      </section>
    );
  }
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <ProjectBar project={job.project} />
        <div className={classes.titles}>
          <h1 className={`${classes.name} cut`} title={visibleText(job.name)}>
            #{job.id} {visibleText(job.name)}
          </h1>
          <p className={classes.state}>
            <StatusMark status={job.status} />
            <Standing job={job} />
          </p>
        </div>
        <div className={classes.actions}>
          {ACTIONS.filter(([action]) => isPossible(action, job.status)).map(([action, label]) => (
            <Button key={action} variant="default" size="compact-md" onClick={() => act(action, [job])}>
              {label}
            </Button>
          ))}
        </div>
        <div className={classes.progress}>
          <ProgressLine job={job} />
        </div>
      </header>
      <div className={classes.columns}>
        <div className={classes.main}>
          <LogTail jobId={job.id} />
        </div>
        <div className={classes.side}>
          <Facts job={job} />
          <section>
            <h2 className={classes.title}>Decisions about it</h2>
            <DecisionList decisions={decisions} />
          </section>
          <History events={events} />
        </div>
      </div>
    </div>
  );
}

function Standing({ job }: { job: JobView }) {
  const cause = job.cause === null ? null : visibleText(job.cause);
  if (isTerminal(job.status)) {
    return (
      <>
        {job.exitCode !== null && (
          <span className={isTrouble(job.status) ? 'trouble' : ''}>exit {job.exitCode}</span>
        )}
        {cause && <span className={isTrouble(job.status) ? 'trouble' : ''}>{cause}</span>}
      </>
    );
  }
  return (
    <>
      {job.waitingReason !== null && <span>{visibleText(job.waitingReason)}</span>}
      {cause && <span>{cause}</span>}
      {job.status === 'paused' && <span>{job.holdsVram ? 'VRAM stays held' : 'VRAM is free'}</span>}
      {job.progress !== null && (
        <span>
          {visibleText(job.progress.label)}, <b>{Math.floor(job.progress.fraction * 100)} %</b>
        </span>
      )}
    </>
  );
}

function Facts({ job }: { job: JobView }) {
  const nowMs = useNow();
  const devices = useMachine((machine) => machine.devices);
  const gpus = job.devices.map((id) => {
    const device = devices.find((other) => other.id === id);
    return device ? `GPU ${device.index}, ${visibleText(device.name)}` : id;
  });
  const env = Object.entries(job.env);
  const moment = (atMs: number | null, absent: string) =>
    atMs === null ? <span className="dim">{absent}</span> : formatExact(atMs);
  return (
    <section>
      <h2 className={classes.title}>Facts</h2>
      <dl className={classes.facts}>
        <Fact name="Command">
          <code className={`${classes.command} mono`}>{job.command.map(quoted).join(' ')}</code>
        </Fact>
        <Fact name="Directory">
          <code className="mono">{visibleText(job.cwd)}</code>
        </Fact>
        {env.length > 0 && (
          <Fact name="Environment">
            {env.map(([key, value]) => (
              <code key={key} className={`${classes.command} mono`}>
                {key}={visibleText(value)}
              </code>
            ))}
          </Fact>
        )}
        <Fact name="Project, user">
          {visibleText(job.project)}, {visibleText(job.user)}
        </Fact>
        <Fact name="Needs">
          {job.gpus === 0 ? 'CPU only' : `${job.gpus} ${job.gpus === 1 ? 'GPU' : 'GPUs'}`}
          {job.gpus > 0 && (job.vramMib === null ? ', unshared' : `, ${formatMib(job.vramMib)} on each`)}
        </Fact>
        <Fact name="Devices">{gpus.length > 0 ? gpus.join('; ') : <span className="dim">none</span>}</Fact>
        <Fact name="Priority">
          <PriorityCell job={job} />
        </Fact>
        <Fact name="Submitted">{moment(job.submittedAtMs, '')}</Fact>
        <Fact name="Started">{moment(job.startedAtMs, 'not yet')}</Fact>
        <Fact name="Ended">{moment(job.finishedAtMs, 'not yet')}</Fact>
        <Fact name="Waited">
          {formatElapsed(((job.startedAtMs ?? job.finishedAtMs ?? nowMs) - job.submittedAtMs) / 1000)}
        </Fact>
        <Fact name="Ran">
          {job.startedAtMs === null ? <span className="dim">–</span> : formatElapsed(runSeconds(job, nowMs))}
          {job.pausedMs > 0 && <span className="dim"> and {formatElapsed(job.pausedMs / 1000)} paused</span>}
        </Fact>
        {job.process !== null && !isTerminal(job.status) && <Fact name="Process">pid {job.process.pid}</Fact>}
        {job.attempt > 1 && <Fact name="Attempt">{job.attempt}</Fact>}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** An argument as it would be typed. */
function quoted(argument: string): string {
  const plain = /^[\w@%+=:,./-]+$/.test(argument);
  return plain ? argument : `'${visibleText(argument).replaceAll("'", String.raw`'\''`)}'`;
}

function History({ events }: { events: readonly LoggedEvent[] }) {
  const nowMs = useNow();
  const devices = useMachine((machine) => machine.devices);
  const gpuOf = (id: string) => {
    const device = devices.find((other) => other.id === id);
    return device ? `GPU ${device.index}` : id;
  };
  // Progress is shown as it stands; every step of it would bury the rest.
  const told = events.filter(
    ({ event }, index) => event.kind !== 'progressed' || index === events.length - 1,
  );
  return (
    <section>
      <h2 className={classes.title}>History</h2>
      <ol className={classes.events}>
        {told.toReversed().map((entry) => (
          <li key={entry.seq} className={classes.event}>
            <time title={formatExact(entry.atMs)}>{formatMoment(entry.atMs, nowMs)}</time>
            <span>
              {visibleText(eventText(entry.event, gpuOf))}{' '}
              <span className="dim">by {ACTORS[entry.actor]}</span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
