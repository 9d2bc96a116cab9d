/** Entry of the process that replays a stretch of the record under other policies, once, and ends. Started by the engine. */
import type { PastReplay, ReplayedPolicy, ReplayTask } from '../../domain/pastReplay.ts';
import { answerOnce } from '../answerOnce.ts';
import { DEFAULT_CONTESTANTS } from '../policies.ts';
import { replay } from './replay.ts';
import type { ReplayRow } from './replayRun.ts';

answerOnce<ReplayTask, PastReplay>(async (task, onProgress) => {
  const { fromMs, toMs, gpus, policies, ...rest } = task;
  const found = await replay({
    ...rest,
    arrived: ({ readyAtMs }) => readyAtMs >= fromMs && readyAtMs < toMs,
    policies: policies ?? DEFAULT_CONTESTANTS,
    onProgress: ({ fraction }) => onProgress(fraction),
    ...(gpus === null ? {} : { gpus }),
  });
  if (found === null) return null;
  const { trust, happened, runs } = found;
  return {
    fromMs,
    toMs,
    gpus: found.gpus,
    jobs: found.jobs.length,
    inCharge: found.inCharge,
    trust: trust && {
      policy: trust.policy,
      meanCompletionChange: trust.mean_jct_change,
      medianStartErrorS: trust.median_start_error_s,
    },
    rows: [happened, ...runs].map(({ row }) => replayedPolicy(row)),
    limits: [...found.limits],
  };
});

const replayedPolicy = (row: ReplayRow): ReplayedPolicy => ({
  policy: row.policy,
  clairvoyant: row.clairvoyant,
  meanCompletionS: row.mean_jct_s,
  meanCompletionChange: row.mean_jct_change,
  p99CompletionS: row.p99_jct_s,
  p99CompletionChange: row.p99_jct_change,
  meanSlowdown: row.mean_slowdown,
  meanSlowdownChange: row.mean_slowdown_change,
  maxWaitS: row.max_wait_s,
  maxWaitChange: row.max_wait_change,
  utilisation: row.utilisation,
  preemptions: row.preemptions,
});
