import type { Span } from '../../simulator/world.ts';

/** Where a stretch lies within the track of a GPU: in lane `lane` of `lanes`. */
export interface Placed {
  /** Index of the span. */
  readonly span: number;
  readonly lane: number;
  readonly lanes: number;
}

/**
 * Stacks the stretches of one GPU. Those that do not share it get the whole track; in a period of sharing each gets one
 * of as many lanes as are needed at once, and a job that goes on keeps its lane where it can.
 * @param track indices into `spans`, in any order.
 * @returns in the order of time.
 */
export function stackTrack(spans: readonly Span[], track: readonly number[]): Placed[] {
  const inTime = track.toSorted((a, b) => {
    const [one, other] = [spans[a]!, spans[b]!];
    return one.fromS - other.fromS || one.jobId - other.jobId;
  });
  const placed: Placed[] = [];
  let period: { span: number; lane: number }[] = [];
  let laneEndsS: number[] = [];
  let laneOf = new Map<number, number>();
  const close = (): void => {
    for (const { span, lane } of period) placed.push({ span, lane, lanes: laneEndsS.length });
    period = [];
    laneEndsS = [];
    laneOf = new Map();
  };
  for (const index of inTime) {
    const { jobId, fromS, toS } = spans[index]!;
    if (laneEndsS.every((endS) => endS <= fromS)) close();
    const last = laneOf.get(jobId);
    let lane = last !== undefined && laneEndsS[last]! <= fromS ? last : -1;
    if (lane < 0) lane = laneEndsS.findIndex((endS) => endS <= fromS);
    if (lane < 0) lane = laneEndsS.length;
    laneEndsS[lane] = toS;
    laneOf.set(jobId, lane);
    period.push({ span: index, lane });
  }
  close();
  return placed;
}
