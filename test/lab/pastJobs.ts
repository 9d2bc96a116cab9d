import type { PastJob } from '../../src/domain/pastJob.ts';

/** The first moment of the record. */
export const ORIGIN_MS = 1_795_000_000_000;

/** A job of the record. `arrives`, `starts` and `runS` in seconds from the origin. */
export function past(
  id: number,
  arrives: number,
  starts: number | null,
  runS: number,
  more: Partial<PastJob> = {},
): PastJob {
  const at = (s: number): number => ORIGIN_MS + 1000 * s;
  return {
    id,
    name: `job ${id}`,
    user: 'ada',
    command: 'train',
    gpus: 1,
    devices: ['virtual-0'],
    vramMib: null,
    exclusive: false,
    priority: 0,
    moved: false,
    estimateS: null,
    status: 'succeeded',
    exitCode: 0,
    submittedAtMs: at(arrives),
    readyAtMs: at(arrives),
    startedAtMs: starts === null ? null : at(starts),
    finishedAtMs: at((starts ?? arrives) + runS),
    runS: starts === null ? 0 : runS,
    pausedS: 0,
    peakMib: null,
    policy: 'fifo',
    ...more,
  };
}
