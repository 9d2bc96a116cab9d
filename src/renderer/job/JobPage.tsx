import { Button } from '@mantine/core';
import { Suspense, useMemo, useRef, useState } from 'react';
import type { JobView, LoggedEvent } from '../../contract/messages.ts';
import { attemptsOf } from '../../domain/attempts.ts';
import { missedText } from '../../domain/deadline.ts';
import { dependencyText } from '../../domain/dependencies.ts';
import { gpuNeedSentence } from '../../domain/gpuNeed.ts';
import { isTerminal } from '../../domain/job.ts';
import { quoted } from '../../domain/quoted.ts';
import { restartText, retryText } from '../../domain/retries.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import { throttleText } from '../../domain/throttleText.ts';
import { openMore } from '../control/moreStore.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { act, isPossible, type JobAction } from '../jobActions.ts';
import type { Span } from '../plot/LineChart.tsx';
import { PriorityCell } from '../queue/PriorityCell.tsx';
import { goTo, hrefOf } from '../route.ts';
import { DecisionList } from '../scheduler/DecisionList.tsx';
import { lazyView } from '../shell/lazyView.tsx';
import { ProgressLine } from '../shell/ProgressLine.tsx';
import { ProjectBar } from '../shell/ProjectBar.tsx';
import { isTrouble, StatusMark } from '../shell/StatusMark.tsx';
import { useKeys } from '../shell/useKeys.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatElapsed, formatExact, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import { Attempts } from './Attempts.tsx';
import { CodeFact } from './CodeFact.tsx';
import { Diagnosis } from './Diagnosis.tsx';
import { EnergyFact } from './EnergyFact.tsx';
import { actorOf, eventText } from './eventText.ts';
import { Fact } from './Fact.tsx';
import { GpuCharts } from './GpuCharts.tsx';
import { type Stretch, stretchesOf } from './gpuLines.ts';
import classes from './JobPage.module.css';
import { LogTail, type Sought } from './LogTail.tsx';
import { MetricCharts } from './MetricCharts.tsx';
import { useJob } from './useJob.ts';

// Whoever looks at a job seldom wants it beside others.
const Compare = lazyView(async () => (await import('./Compare.tsx')).Compare);

const SPAN_STEP_MS = 10_000;
const LEAST_SPAN_MS = 10_000;

const ACTIONS: readonly (readonly [JobAction, string])[] = [
  ['pause', t('Pause')],
  ['resume', t('Resume')],
  ['hold', t('Hold back')],
  ['release', t('Release')],
  ['retry', t('Retry')],
  ['cancel', t('Cancel')],
];

/** Everything about one job: what it is, what it writes, what happened to it, and why. */
export function JobPage({ jobId }: { jobId: number }) {
  const { job, events, decisions, trouble } = useJob(jobId);
  const jobs = job === null ? [] : [job];
  const [sought, setSought] = useState<Sought | null>(null);
  const attempts = useMemo(() => attemptsOf(events), [events]);
  const stretches = useMemo(() => stretchesOf(attempts), [attempts]);
  const span = useSpan(stretches);
  /** Whose log a reader asked for; the latest one's otherwise. */
  const [chosen, setChosen] = useState<number | null>(null);
  const moreRef = useRef<HTMLButtonElement>(null);
  const openMenu = (): void => {
    if (job === null || moreRef.current === null) return;
    openMore(
      { title: `#${job.id} ${visibleText(job.name)}`, ids: [job.id], arrayId: undefined },
      moreRef.current,
    );
  };
  useKeys({
    m: openMenu,
    p: () => act(job?.status === 'paused' ? 'resume' : 'pause', jobs),
    h: () => act(job?.status === 'held' ? 'release' : 'hold', jobs),
    c: () => act('cancel', jobs),
    r: () => act('retry', jobs),
    escape: () => goTo({ view: 'queue' }),
  });
  if (job === null) {
    return (
      <section className={classes.missing}>
        <h1 className={classes.name}>
          {t('Job #')}
          {jobId}
        </h1>
        <p>{trouble === null ? t('Reading it …') : visibleText(trouble)}</p>
        <a href="#/queue">{t('Back to the queue')}</a>
      </section>
    );
  }
  const shown = chosen ?? job.attempt;
  const onShow = (line: Sought): void => {
    // It is a line of the last attempt.
    setChosen(null);
    setSought(line);
  };
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
          {ACTIONS.filter(([action]) => isPossible(action, job)).map(([action, label]) => (
            <Button key={action} variant="default" size="compact-md" onClick={() => act(action, [job])}>
              {label}
            </Button>
          ))}
          <Button ref={moreRef} variant="default" size="compact-md" aria-haspopup="dialog" onClick={openMenu}>
            {t('More')}
          </Button>
        </div>
        {job.diagnosis !== null && isTrouble(job.status) && (
          <Diagnosis jobId={job.id} diagnosis={job.diagnosis} onShow={onShow} />
        )}
        <div className={classes.progress}>
          <ProgressLine job={job} />
        </div>
      </header>
      <div className={classes.columns}>
        <div className={classes.main}>
          <LogTail key={shown} jobId={job.id} attempt={shown} sought={sought} />
        </div>
        <div className={classes.side}>
          <MetricCharts jobId={job.id} attempt={job.attempt} span={span} />
          {span !== null && <GpuCharts jobId={job.id} stretches={stretches} span={span} />}
          <Suspense fallback={null}>{job.startedAtMs !== null && <Compare job={job} />}</Suspense>
          <Facts job={job} />
          <Attempts
            attempts={attempts}
            shown={shown}
            onShow={(attempt) => {
              setSought(null);
              setChosen(attempt === job.attempt ? null : attempt);
            }}
          />
          <section>
            <h2 className={classes.title}>{t('Decisions about it')}</h2>
            <DecisionList decisions={decisions} />
          </section>
          <History events={events} />
        </div>
      </div>
    </div>
  );
}

/** From its first start on a GPU to its end, or a little ahead of now; null: it had none. */
function useSpan(stretches: readonly Stretch[]): Span | null {
  const nowMs = useNow();
  const fromMs = stretches[0]?.fromMs ?? null;
  // Charts are drawn anew when it moves.
  const toMs = stretches.at(-1)?.toMs ?? Math.ceil(nowMs / SPAN_STEP_MS) * SPAN_STEP_MS;
  return useMemo(
    () => (fromMs === null ? null : { fromMs, toMs: Math.max(toMs, fromMs + LEAST_SPAN_MS) }),
    [fromMs, toMs],
  );
}

function Standing({ job }: { job: JobView }) {
  const about = engineText(job.diagnosis?.summary ?? job.cause ?? '') || null;
  const cause = about === null ? null : visibleText(about);
  if (isTerminal(job.status)) {
    return (
      <>
        {job.exitCode !== null && (
          <span className={isTrouble(job.status) ? 'trouble' : ''}>
            {t('exit')} {job.exitCode}
          </span>
        )}
        {cause && <span className={isTrouble(job.status) ? 'trouble' : ''}>{cause}</span>}
      </>
    );
  }
  return (
    <>
      {job.waitingReason !== null && <span>{engineText(visibleText(job.waitingReason))}</span>}
      {cause && <span>{cause}</span>}
      {job.status === 'paused' && <span>{job.holdsVram ? t('VRAM stays held') : t('VRAM is free')}</span>}
      {job.throttle !== null && <span>{engineText(throttleText(job).slice(2))}</span>}
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
  const missed = missedText(job, nowMs);
  const env = Object.entries(job.env);
  const moment = (atMs: number | null, absent: string) =>
    atMs === null ? <span className="dim">{absent}</span> : formatExact(atMs);
  return (
    <section>
      <h2 className={classes.title}>{t('Facts')}</h2>
      <dl className={classes.facts}>
        <Fact name={t('Command')}>
          <code className={`${classes.command} mono`}>{visibleText(job.command.map(quoted).join(' '))}</code>
        </Fact>
        <Fact name={t('Directory')}>
          <code className="mono">{visibleText(job.cwd)}</code>
        </Fact>
        <CodeFact job={job} />
        {env.length > 0 && (
          <Fact name={t('Environment')}>
            {env.map(([key, value]) => (
              <code key={key} className={`${classes.command} mono`}>
                {key}={visibleText(value)}
              </code>
            ))}
          </Fact>
        )}
        <Fact name={t('Project, user')}>
          {visibleText(job.project)}, {visibleText(job.user)}
        </Fact>
        {job.tags.length > 0 && (
          <Fact name={t('Tags')}>
            {job.tags.map((tag) => (
              <a
                key={tag}
                className={classes.tag}
                href={hrefOf({ view: 'history', query: new URLSearchParams({ tag }).toString() })}
              >
                {visibleText(tag)}
              </a>
            ))}
          </Fact>
        )}
        <Fact name={t('Needs')}>{gpuNeedSentence(job)}</Fact>
        {job.executor !== null && (
          <Fact name={t('Runs on')}>
            {[job.executor, job.remote?.id, ...(job.remote?.nodes ?? [])].filter(Boolean).join(' · ')}
          </Fact>
        )}
        <Fact name={t('Devices')}>
          {gpus.length > 0 ? gpus.join('; ') : <span className="dim">{t('none')}</span>}
        </Fact>
        <Fact name={t('Priority')}>
          <PriorityCell job={job} />
        </Fact>
        {job.after.length > 0 && <Fact name={t('Waits for')}>{dependencyText(job.after)}</Fact>}
        {job.beginAtMs !== null && <Fact name={t('Begins')}>{formatExact(job.beginAtMs)}</Fact>}
        {job.timeLimitS !== null && (
          <Fact name={t('Time limit')}>
            {formatDuration(job.timeLimitS * 1000)}
            {t(', pauses not counted')}
          </Fact>
        )}
        {job.retries > 0 && <Fact name={t('Retries')}>{retryText(job)}</Fact>}
        {job.deadlineAtMs !== null && (
          <Fact name={t('Deadline')}>
            {formatExact(job.deadlineAtMs)}
            {missed !== null && <span className="trouble"> {missed}</span>}
          </Fact>
        )}
        {restartText(job) !== '' && <Fact name={t('May be restarted')}>{restartText(job)}</Fact>}
        <Fact name={t('Submitted')}>{moment(job.submittedAtMs, '')}</Fact>
        <Fact name={t('Started')}>{moment(job.startedAtMs, t('not yet'))}</Fact>
        <Fact name={t('Ended')}>{moment(job.finishedAtMs, t('not yet'))}</Fact>
        <Fact name={t('Waited')}>
          {formatElapsed(((job.startedAtMs ?? job.finishedAtMs ?? nowMs) - job.submittedAtMs) / 1000)}
        </Fact>
        <Fact name={t('Ran')}>
          {job.startedAtMs === null ? <span className="dim">–</span> : formatElapsed(runSeconds(job, nowMs))}
          {job.pausedMs > 0 && (
            <span className="dim">
              {' '}
              {t('and')} {formatElapsed(job.pausedMs / 1000)} {t('paused')}
            </span>
          )}
        </Fact>
        {job.gpus > 0 && job.startedAtMs !== null && (
          <EnergyFact jobId={job.id} over={isTerminal(job.status)} />
        )}
        {job.process !== null && !isTerminal(job.status) && (
          <Fact name={t('Process')}>pid {job.process.pid}</Fact>
        )}
        {job.attempt > 1 && <Fact name={t('Attempt')}>{job.attempt}</Fact>}
      </dl>
    </section>
  );
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
      <h2 className={classes.title}>{t('History')}</h2>
      <ol className={classes.events}>
        {told.toReversed().map((entry) => (
          <li key={entry.seq} className={classes.event}>
            <time title={formatExact(entry.atMs)}>{formatMoment(entry.atMs, nowMs)}</time>
            <span>
              {visibleText(eventText(entry.event, gpuOf))}{' '}
              <span className="dim">
                {t('by')} {visibleText(actorOf(entry))}
              </span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
