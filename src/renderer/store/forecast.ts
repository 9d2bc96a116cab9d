import { useSyncExternalStore } from 'react';
import type { SpreadMs } from '../../domain/expectedStart.ts';
import { client } from '../connection.ts';
import { makeStore, store } from './store.ts';

/** When something is expected: early, as likely before as after, and late. Unix ms. */
export interface Spread {
  readonly p10Ms: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
}

/** A job that waits, as it is expected to be started. */
export interface Due {
  readonly jobId: number;
  /** Where most likely; empty: on no GPU. */
  readonly deviceIds: readonly string[];
  readonly start: Spread;
  readonly end: Spread;
}

/** What is expected of jobs, by number. */
export interface Forecast {
  /** When those that run are expected to be over. */
  readonly ends: ReadonlyMap<number, Spread>;
  /** Those that wait, as far as the engine looks ahead. */
  readonly due: ReadonlyMap<number, Due>;
}

const NOTHING: Forecast = { ends: new Map(), due: new Map() };
const EVERY_MS = 5000;
/** What lies beyond what was looked at is drawn so far away that it is out of sight. */
const FAR_MS = 30 * 86_400_000;

const forecast = makeStore<Forecast>(NOTHING);
let readers = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

const known = ({ p10Ms, p50Ms, p90Ms }: SpreadMs): Spread | null => {
  if (p10Ms === null || p50Ms === null) return null;
  return { p10Ms, p50Ms, p90Ms: p90Ms ?? p50Ms + FAR_MS };
};

async function ask(): Promise<Forecast> {
  const { machine } = store.get();
  const statuses = new Set([...(machine?.jobs.values() ?? [])].map(({ status }) => status));
  const nowMs = Date.now() + (machine?.clockOffsetMs ?? 0);
  const ends = new Map<number, Spread>();
  const due = new Map<number, Due>();
  // What there is nothing to be told of is not asked for.
  if (statuses.has('running')) {
    const { jobs } = await client().jobs.list({ statuses: ['running'], limit: 500 });
    for (const { id, remaining } of jobs) {
      if (remaining === null) continue;
      const at = (seconds: number): number => nowMs + 1000 * seconds;
      const { p10S, p50S, p90S } = remaining;
      ends.set(id, { p10Ms: at(p10S), p50Ms: at(p50S), p90Ms: at(p90S) });
    }
  }
  if (statuses.has('queued')) {
    for (const { jobId, deviceIds, ...told } of (await client().scheduler.expectedStarts({})).jobs) {
      const start = known(told.start);
      if (start === null) continue;
      const end = known(told.end) ?? { p10Ms: start.p10Ms, p50Ms: start.p50Ms + FAR_MS, p90Ms: start.p90Ms };
      due.set(jobId, { jobId, deviceIds, start, end });
    }
  }
  return { ends, due };
}

async function poll(): Promise<void> {
  try {
    const next = await ask();
    forecast.update((before) =>
      before.ends.size + before.due.size + next.ends.size + next.due.size === 0 ? before : next,
    );
  } catch {
    // The connection is lost, and that is told above: what was expected before is as good as anything.
  }
  if (readers > 0) timer = setTimeout(() => void poll(), EVERY_MS);
}

function read(listener: () => void): () => void {
  const leave = forecast.subscribe(listener);
  readers += 1;
  if (readers === 1) timer = setTimeout(() => void poll());
  return () => {
    leave();
    readers -= 1;
    if (readers === 0) clearTimeout(timer);
  };
}

/** What the engine expects, asked again every few seconds for as long as somebody looks. */
export const useForecast = (): Forecast => useSyncExternalStore(read, forecast.get);

/** When a job that waits is expected to start; null: nobody knows. */
export const useDue = (jobId: number): Due | null =>
  useSyncExternalStore(read, () => forecast.get().due.get(jobId) ?? null);
