import { Button, Select } from '@mantine/core';
import { type ReactNode, useCallback, useState } from 'react';
import type { SchedulerStatus } from '../../contract/messages.ts';
import { heedsGoals, POLICY_NAMES, type PolicyName } from '../../domain/policyNames.ts';
import { locale, t } from '../i18n/t.ts';
import { setPolicy } from '../machineActions.ts';
import { goTo } from '../route.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatAgo, formatElapsed } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import { DecisionList } from './DecisionList.tsx';
import { EpisodeTable } from './EpisodeTable.tsx';
import { Goals } from './Goals.tsx';
import { LearningCurves } from './LearningCurves.tsx';
import { ModeSwitch } from './ModeSwitch.tsx';
import { RewardChart } from './RewardChart.tsx';
import { episodeSeconds, formatReward } from './rewardSeries.ts';
import classes from './SchedulerView.module.css';
import { ScoreCalibration } from './ScoreCalibration.tsx';
import { StartCalibration } from './StartCalibration.tsx';
import { Versions } from './Versions.tsx';

/** Live jobs are never stopped for others: of those that could, only the order of starts is seen. */
const POLICIES: Readonly<Record<PolicyName, string>> = {
  fifo: t('fifo: strictly in queue order'),
  'first-fit': t('first-fit: the first that fits'),
  easy: t('easy: who fits, without delaying the head'),
  priority: t('priority: highest priority first'),
  aged: t('aged: by priority and hours waited'),
  las: t('las: least served first (starts only)'),
  tiresias: t('tiresias: two queues by service (starts only)'),
  gittins: t('gittins: likeliest to end soon (starts only)'),
  qssf: t('qssf: least predicted work first'),
  pspt: t('pspt: least predicted total first (starts only)'),
  fair: t('fair: the user who holds least first'),
  tetris: t('tetris: best fit and least work first'),
  pack: t('pack: shares GPUs where that pays'),
  random: t('random: any that fits'),
  bandit: t('bandit: finds out which of eight to follow'),
  'bandit-ucb1': t('bandit-ucb1: the same, by UCB1'),
  'bandit-exp3': t('bandit-exp3: the same, by Exp3'),
  pg: t('pg: the learned actor of a policy gradient'),
  dqn: t('dqn: the learned Q-network'),
};
const LEARNER: Readonly<Record<SchedulerStatus['learner']['state'], string>> = {
  off: t('off'),
  waiting: t('waiting for transitions'),
  starting: t('starting'),
  learning: t('learning'),
  asleep: t('asleep, nothing is new'),
  restarting: t('starting again'),
};

/** Who decides, how well, and why. */
export function SchedulerView() {
  const status = useMachine((machine) => machine.scheduler);
  const decisions = useMachine((machine) => machine.decisions);
  const episodes = useMachine((machine) => machine.episodes);
  const [chosen, setChosen] = useState<readonly number[] | null>(null);
  // One opens at its own address, with all that was decided in it.
  const choose = useCallback((ids: readonly number[]) => {
    if (ids.length === 1) goTo({ view: 'episode', id: ids[0]! });
    else setChosen(ids);
  }, []);
  return (
    <div className={classes.page}>
      <aside className={classes.side} aria-label={t('Scheduler')}>
        <Select
          label={t('Policy in charge')}
          data={POLICY_NAMES.map((name) => ({ value: name, label: POLICIES[name] }))}
          value={status.policy}
          onChange={(policy) => policy !== null && void setPolicy(policy as PolicyName)}
          allowDeselect={false}
          comboboxProps={{ transitionProps: { duration: 0 } }}
        />
        <ModeSwitch status={status} />
        <Goals goals={status.goals} heeded={heedsGoals(status.policy)} />
        <Figures status={status} />
      </aside>
      <div className={classes.main}>
        <section className={classes.rewards} aria-label={t('Reward')}>
          <h2 className={classes.title}>{t('Reward')}</h2>
          {episodes.some((episode) => episode.endedAtMs !== null) ? (
            <RewardChart episodes={episodes} goals={status.goals} onChoose={choose} />
          ) : (
            <p className="dim">
              {t('No episode has ended yet. One ends when nothing runs and nothing waits.')}
            </p>
          )}
        </section>
        <section className={classes.decisions} aria-label={t('Last decisions')}>
          <h2 className={classes.title}>{t('Last decisions')}</h2>
          <DecisionList decisions={decisions} />
        </section>
        <section className={classes.learning} aria-label={t('Learning')}>
          <h2 className={classes.title}>{t('Learning')}</h2>
          <LearningCurves status={status} />
        </section>
        <section className={classes.versions} aria-label={t('Versions of the learned policy')}>
          <h2 className={classes.title}>{t('Versions of the learned policy')}</h2>
          <Versions status={status} />
        </section>
        <section className={classes.calibration} aria-label={t('Expected starts')}>
          <h2 className={classes.title}>{t('Expected starts')}</h2>
          <StartCalibration />
        </section>
        <section className={classes.scores} aria-label={t('Scores against what came')}>
          <h2 className={classes.title}>{t('Scores against what came')}</h2>
          <ScoreCalibration />
        </section>
        <section className={classes.episodes} aria-label={t('Episodes')}>
          <h2 className={classes.title}>{t('Episodes')}</h2>
          {chosen !== null && (
            <p className={classes.note}>
              {t('Those that were chosen above.')}{' '}
              <Button size="compact-xs" variant="default" onClick={() => setChosen(null)}>
                {t('All episodes')}
              </Button>
            </p>
          )}
          <EpisodeTable
            episodes={chosen === null ? episodes : episodes.filter(({ id }) => chosen.includes(id))}
          />
        </section>
      </div>
    </div>
  );
}

function Figures({ status }: { status: SchedulerStatus }) {
  const nowMs = useNow();
  const { learner, lastFallback, currentEpisode } = status;
  return (
    <>
      <Group title={t('Decisions')}>
        <Figure name={t('Taken')} value={status.decisions.toLocaleString(locale)} />
        <Figure
          name={t('As {{heuristic}} would', { heuristic: status.heuristic })}
          value={status.agreement === null ? null : `${Math.round(status.agreement * 100)} %`}
          why={t('Share of the last decisions in which the policy chose what the heuristic would have')}
        />
        <Figure
          name={t('Exploring, ε')}
          value={status.epsilon === null ? null : status.epsilon.toFixed(3)}
          why={t(
            'Share of decisions taken at random to learn from; this policy does not explore when unknown',
          )}
        />
        <Figure
          name={t('Fallbacks')}
          value={status.fallbacks.toLocaleString(locale)}
          why={t('Times that the policy failed and the heuristic decided instead')}
        />
        <Figure name={t('Version')} value={visibleText(status.policyVersion)} />
      </Group>
      {lastFallback !== null && (
        <p className={classes.note}>
          {t('Last fallback')} {formatAgo(lastFallback.atMs, nowMs)}: {visibleText(lastFallback.error)}
        </p>
      )}
      <Group title={t('Learner')}>
        <Figure name={t('State')} value={LEARNER[learner.state]} alarm={learner.state === 'restarting'} />
        <Figure
          name={t('Runs on')}
          value={learner.backend}
          why={t('what the gradients are computed with; unknown until it has started')}
        />
        <Figure
          name={t('May take')}
          value={mayTake(learner)}
          why={t('of one core; the settings change it')}
        />
        <Figure name={t('Train steps')} value={learner.trainSteps.toLocaleString(locale)} />
        <Figure
          name={t('Replay')}
          value={t('{{have}} of {{most}}', {
            have: learner.replaySize.toLocaleString(locale),
            most: learner.replayCapacity.toLocaleString(locale),
          })}
          why={t('Transitions kept to learn from')}
        />
        <Figure
          name={t('Loss')}
          value={learner.loss === null ? null : learner.loss.toPrecision(3)}
          why={t('Huber loss of the last step; unknown before the first')}
        />
      </Group>
      {learner.trouble !== null && (
        <p className={`${classes.note} trouble`} role="alert">
          {visibleText(learner.trouble)}
        </p>
      )}
      <Group title={t('Episode now')}>
        {currentEpisode === null ? (
          <Figure name={t('None')} value={t('the next arrival opens one')} />
        ) : (
          <>
            <Figure
              name={t('Episode {{id}}', { id: currentEpisode.id })}
              value={formatElapsed(episodeSeconds(currentEpisode, nowMs))}
            />
            <Figure
              name={t('Jobs')}
              value={t('{{done}} of {{all}} done', {
                done: currentEpisode.jobsFinished,
                all: currentEpisode.jobsArrived,
              })}
            />
            <Figure name={t('Decisions')} value={currentEpisode.decisions.toLocaleString(locale)} />
            <Figure
              name={t('Mean JCT')}
              value={currentEpisode.meanJctS === null ? null : formatDuration(currentEpisode.meanJctS * 1000)}
              why={t('Mean time from submission to end; unknown until a job of it has finished')}
            />
            <Figure name={t('Reward so far')} value={formatReward(currentEpisode.reward)} />
          </>
        )}
      </Group>
    </>
  );
}

const mayTake = ({ limits, yields }: SchedulerStatus['learner']): string =>
  yields ? t('nothing: you are here') : t('{{cpuPercent}} % of a core', { cpuPercent: limits.cpuPercent });

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.group}>
      <h2 className={classes.groupTitle}>{title}</h2>
      <dl className={classes.figures}>{children}</dl>
    </section>
  );
}

function Figure(props: { name: string; value: string | null; why?: string; alarm?: boolean }) {
  return (
    <div className={classes.figure} title={props.why}>
      <dt>{props.name}</dt>
      <dd className={`cut ${props.alarm ? 'trouble' : ''}`} title={props.value ?? undefined}>
        {props.value ?? <span className="dim">–</span>}
      </dd>
    </div>
  );
}
