import { Select } from '@mantine/core';
import type { ReactNode } from 'react';
import type { SchedulerStatus } from '../../contract/messages.ts';
import { heedsGoals, POLICY_NAMES, type PolicyName } from '../../domain/policyNames.ts';
import { formatDuration } from '../../domain/units.ts';
import { setPolicy } from '../machineActions.ts';
import { useMachine, useNow } from '../store/store.ts';
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

/** Live jobs are never stopped for others: of those that could, only the order of starts is seen. */
const POLICIES: Readonly<Record<PolicyName, string>> = {
  fifo: 'fifo: strictly in queue order',
  'first-fit': 'first-fit: the first that fits',
  easy: 'easy: who fits, without delaying the head',
  priority: 'priority: highest priority first',
  aged: 'aged: by priority and hours waited',
  las: 'las: least served first (starts only)',
  tiresias: 'tiresias: two queues by service (starts only)',
  gittins: 'gittins: likeliest to end soon (starts only)',
  qssf: 'qssf: least predicted work first',
  pspt: 'pspt: least predicted total first (starts only)',
  fair: 'fair: the user who holds least first',
  tetris: 'tetris: best fit and least work first',
  pack: 'pack: shares GPUs where that pays',
  random: 'random: any that fits',
  bandit: 'bandit: finds out which of eight to follow',
  'bandit-ucb1': 'bandit-ucb1: the same, by UCB1',
  'bandit-exp3': 'bandit-exp3: the same, by Exp3',
  dqn: 'dqn: the learned Q-network',
};
const LEARNER: Readonly<Record<SchedulerStatus['learner']['state'], string>> = {
  off: 'off',
  waiting: 'waiting for transitions',
  starting: 'starting',
  learning: 'learning',
  asleep: 'asleep, nothing is new',
  restarting: 'starting again',
};

/** Who decides, how well, and why. */
export function SchedulerView() {
  const status = useMachine((machine) => machine.scheduler);
  const decisions = useMachine((machine) => machine.decisions);
  const episodes = useMachine((machine) => machine.episodes);
  return (
    <div className={classes.page}>
      <aside className={classes.side} aria-label="Scheduler">
        <Select
          label="Policy in charge"
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
        <section className={classes.rewards} aria-label="Reward">
          <h2 className={classes.title}>Reward</h2>
          {episodes.some((episode) => episode.endedAtMs !== null) ? (
            <RewardChart episodes={episodes} goals={status.goals} />
          ) : (
            <p className="dim">No episode has ended yet. One ends when nothing runs and nothing waits.</p>
          )}
        </section>
        <section className={classes.decisions} aria-label="Last decisions">
          <h2 className={classes.title}>Last decisions</h2>
          <DecisionList decisions={decisions} />
        </section>
        <section className={classes.learning} aria-label="Learning">
          <h2 className={classes.title}>Learning</h2>
          <LearningCurves status={status} />
        </section>
        <section className={classes.episodes} aria-label="Episodes">
          <h2 className={classes.title}>Episodes</h2>
          <EpisodeTable episodes={episodes} />
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
      <Group title="Decisions">
        <Figure name="Taken" value={status.decisions.toLocaleString()} />
        <Figure
          name={`As ${status.heuristic} would`}
          value={status.agreement === null ? null : `${Math.round(status.agreement * 100)} %`}
          why="Share of the last decisions in which the policy chose what the heuristic would have"
        />
        <Figure
          name="Exploring, ε"
          value={status.epsilon === null ? null : status.epsilon.toFixed(3)}
          why="Share of decisions taken at random to learn from; this policy does not explore when unknown"
        />
        <Figure
          name="Fallbacks"
          value={status.fallbacks.toLocaleString()}
          why="Times that the policy failed and the heuristic decided instead"
        />
        <Figure name="Version" value={visibleText(status.policyVersion)} />
      </Group>
      {lastFallback !== null && (
        <p className={classes.note}>
          Last fallback {formatAgo(lastFallback.atMs, nowMs)}: {visibleText(lastFallback.error)}
        </p>
      )}
      <Group title="Learner">
        <Figure name="State" value={LEARNER[learner.state]} alarm={learner.state === 'restarting'} />
        <Figure
          name="Runs on"
          value={learner.backend}
          why="what the gradients are computed with; unknown until it has started"
        />
        <Figure
          name="May take"
          value={mayTake(learner)}
          why="of one core; `stint policy learning` changes it"
        />
        <Figure name="Train steps" value={learner.trainSteps.toLocaleString()} />
        <Figure
          name="Replay"
          value={`${learner.replaySize.toLocaleString()} of ${learner.replayCapacity.toLocaleString()}`}
          why="Transitions kept to learn from"
        />
        <Figure
          name="Loss"
          value={learner.loss === null ? null : learner.loss.toPrecision(3)}
          why="Huber loss of the last step; unknown before the first"
        />
      </Group>
      {learner.trouble !== null && (
        <p className={`${classes.note} trouble`} role="alert">
          {visibleText(learner.trouble)}
        </p>
      )}
      <Group title="Episode now">
        {currentEpisode === null ? (
          <Figure name="None" value="the next arrival opens one" />
        ) : (
          <>
            <Figure
              name={`Episode ${currentEpisode.id}`}
              value={formatElapsed(episodeSeconds(currentEpisode, nowMs))}
            />
            <Figure
              name="Jobs"
              value={`${currentEpisode.jobsFinished} of ${currentEpisode.jobsArrived} done`}
            />
            <Figure name="Decisions" value={currentEpisode.decisions.toLocaleString()} />
            <Figure
              name="Mean JCT"
              value={currentEpisode.meanJctS === null ? null : formatDuration(currentEpisode.meanJctS * 1000)}
              why="Mean time from submission to end; unknown until a job of it has finished"
            />
            <Figure name="Reward so far" value={formatReward(currentEpisode.reward)} />
          </>
        )}
      </Group>
    </>
  );
}

const mayTake = ({ limits, yields }: SchedulerStatus['learner']): string =>
  yields ? 'nothing: you are here' : `${limits.cpuPercent} % of a core`;

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
