import type { StintClient } from '../contract/client.ts';
import type { Fared, GoalsPreview } from '../domain/goalsPreview.ts';
import type { GoalWeights } from '../domain/reward.ts';
import { formatDuration } from '../domain/units.ts';
import { CliError, STATUS } from './cliError.ts';
import type { Context } from './context.ts';
import { formatTime } from './formatTime.ts';
import { interruptible } from './interruptible.ts';
import { countOf, type Period } from './period.ts';
import { ProgressBar } from './progressBar.ts';
import { type Column, renderTable } from './table.ts';

/** Jobs that are named; `--json` has more. */
const NAMED = 10;

/** Asks what other goals would have changed, and says how far it is. Ctrl+C ends it. */
export function askPreview(
  context: Context,
  client: StintClient,
  goals: Partial<GoalWeights>,
  period: Period | null,
): Promise<GoalsPreview> {
  const bar = new ProgressBar({
    what: 'replaying',
    lines: false,
    nowMs: () => context.nowMs(),
    stream: process.stderr,
  });
  return interruptible(async (signal) => {
    try {
      for await (const message of await client.goals.preview({ goals, ...period }, { signal })) {
        if (message.type === 'preview') return message.preview;
        bar.update({ done: Math.round(100 * message.fraction), total: 100, fraction: message.fraction });
      }
    } catch (error) {
      if (signal.aborted) throw Object.assign(new Error('interrupted'), { name: 'Interrupted' });
      throw error;
    } finally {
      bar.end();
    }
    throw new CliError(STATUS.failed, 'the preview ended without a result', 'ask for it again');
  }, 'no goal was changed');
}

/** The preview for people. */
export function previewLines(preview: GoalsPreview, width: number): string[] {
  const { policy, heeds, jobs, gpus, fromMs, toMs, earlier, later, same, moved, limits } = preview;
  const when = `arrived between ${formatTime(fromMs)} and ${formatTime(toMs)}`;
  return [
    `${countOf(jobs, 'job')} that ${when}, replayed under ${policy} on ${countOf(gpus, 'GPU')}`,
    ...(heeds ? [] : [`${policy} goes by its own rule and not by goals; dqn and the bandits heed them`]),
    '',
    ...renderTable(FARED, [preview.now, preview.instead], width),
    '',
    `${earlier} would have started earlier, ${later} later, ${same} at the same time`,
    ...(moved.length === 0 ? [] : renderTable(MOVED, moved.slice(0, NAMED), width)),
    ...(moved.length > NAMED ? [`and more (--json names ${moved.length})`] : []),
    '',
    'What it cannot know, and what it assumes:',
    ...limits.map((limit) => `- ${limit}`),
    'Nothing was set: the same without --preview does that.',
  ];
}

const seconds = (s: number): string => formatDuration(1000 * s);

const FARED: readonly Column<Fared>[] = [
  { title: 'GOALS', least: 12, cell: ({ goals }) => weightsText(goals) },
  { title: 'MEAN WAIT', right: true, cell: ({ meanWaitS }) => seconds(meanWaitS) },
  { title: 'MAX WAIT', right: true, cell: ({ maxWaitS }) => seconds(maxWaitS) },
  { title: 'COMPLETION', right: true, cell: ({ meanCompletionS }) => seconds(meanCompletionS) },
  { title: 'SLOWDOWN', right: true, cell: ({ meanSlowdown }) => meanSlowdown.toFixed(2) },
  { title: 'GPU HOURS', right: true, cell: ({ gpuHours }) => gpuHours.toFixed(2) },
  { title: 'KWH', right: true, cell: ({ energyKwh }) => energyKwh.toFixed(2) },
];

const weightsText = (goals: GoalWeights): string =>
  Object.entries(goals)
    .map(([goal, weight]) => `${goal} ${weight}`)
    .join(', ');

const MOVED: readonly Column<GoalsPreview['moved'][number]>[] = [
  { title: 'ID', right: true, cell: ({ jobId }) => String(jobId) },
  { title: 'START', cell: ({ startMs }) => formatTime(startMs) },
  { title: 'INSTEAD', cell: ({ insteadMs }) => formatTime(insteadMs) },
  {
    title: 'BY',
    right: true,
    cell: ({ startMs, insteadMs }) =>
      `${insteadMs < startMs ? '−' : '+'}${formatDuration(Math.abs(insteadMs - startMs))}`,
  },
  { title: 'USER', least: 6, expendable: true, cell: ({ user }) => user },
  { title: 'NAME', least: 12, cell: ({ name }) => name },
];
