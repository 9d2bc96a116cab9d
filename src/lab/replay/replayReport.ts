import { renderReport } from '../report/renderReport.ts';
import type { ReportRun } from '../report/report.ts';
import { reportRunOf } from '../report/reportRun.ts';
import type { Replay } from './replay.ts';
import type { ReplayRun } from './replayRun.ts';
import { bestOf, REPLAY_TITLES, replayCells, replayRows, signed } from './replayTable.ts';

/**
 * What happened beside one of the replays, as one HTML file: the one with the least mean completion time among those that
 * could be had live, else the first.
 * @param period for people, such as `from 2026-11-16 until now`.
 */
export function replayReport(replay: Replay, period: string): string {
  const { jobs, rejected, gpus, happened, trust, limits } = replay;
  const shown = bestOf(replay) ?? replay.runs[0]!;
  const { open, clairvoyant } = replayRows(replay);
  const names = new Map(jobs.map(({ id, name }) => [id, name]));
  const runOf = ({ row, outcomes, spans }: ReplayRun): ReportRun =>
    reportRunOf(row, outcomes, spans, (id) => names.get(id) ?? null);
  return renderReport({
    title: `What happened, and ${shown.row.policy}`,
    facts: [
      ['Jobs', `${jobs.length} that arrived ${period}${rejected > 0 ? `; ${rejected} were left out` : ''}`],
      ['Machine', gpus === 1 ? '1 GPU' : `${gpus} GPUs`],
      ['In charge', Object.keys(replay.inCharge).join(', ')],
      ...(trust === null
        ? []
        : [
            [
              'Replay of what happened',
              `${trust.policy}: mean JCT ${signed(trust.mean_jct_change)}`,
            ] as const,
          ]),
    ],
    gpus: Math.max(gpus, ...happened.spans.flatMap(({ devices }) => devices.map((index) => index + 1))),
    runs: [runOf(happened), runOf(shown)],
    table: {
      columns: REPLAY_TITLES,
      rows: [...open, ...clairvoyant].map(replayCells),
      notes: [
        ...(clairvoyant.length > 0
          ? [`${clairvoyant.map(({ policy }) => policy).join(', ')}: knowing true durations, a bound.`]
          : []),
        ...limits,
      ],
    },
  });
}
