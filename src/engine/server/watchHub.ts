import type { WatchMessage } from '../../contract/messages.ts';
import type { StoredEvent } from '../store/jobStore.ts';

/** A message before it is numbered for its reader. */
export type Ephemeral =
  Exclude<WatchMessage, { type: 'event' }> extends infer M
    ? M extends { seq: number }
      ? Omit<M, 'seq'>
      : never
    : never;

export interface WatchSource {
  /** The last event's number. */
  lastSeq(): number;
  /** Events with after < seq ≤ upTo, in order, at most `limit`. */
  eventsAfter(after: number, upTo: number, limit: number): StoredEvent[];
  /** The event with the job as it is now. */
  asMessage(entry: StoredEvent): WatchMessage;
  /** How everything stands that is not a fact of a job: what a reader starts from. */
  greeting(): Ephemeral[];
}

interface Reader {
  /** What holds now and was not told yet; the next of a kind replaces the last, except decisions and episodes. */
  readonly pending: Map<string, Ephemeral>;
  wake: (() => void) | null;
}

const EVENTS_A_READ = 256;
/** Decisions that a reader is behind with beyond this many are dropped, oldest first: the list has them. */
const MOST_PENDING = 64;

/**
 * Serves the event stream. Facts are read from the store from where each reader is, so none is missed, none is
 * sent twice, and a slow reader costs no memory; what merely holds now is kept once per reader.
 */
export class WatchHub {
  private readonly source: WatchSource;
  private readonly readers = new Set<Reader>();
  private closed = false;

  constructor(source: WatchSource) {
    this.source = source;
  }

  /** True if anybody listens: spares computing what nobody would see. */
  get watched(): boolean {
    return this.readers.size > 0;
  }

  /** There are new events in the store. */
  eventsAppended(): void {
    for (const reader of this.readers) reader.wake?.();
  }

  /** Says how something stands now. */
  publish(message: Ephemeral): void {
    const key = keyOf(message);
    for (const reader of this.readers) {
      const before = reader.pending.get(key);
      reader.pending.delete(key);
      reader.pending.set(
        key,
        message.type === 'reasons' && before?.type === 'reasons'
          ? { ...message, reasons: { ...before.reasons, ...message.reasons } }
          : message,
      );
      if (reader.pending.size > MOST_PENDING) reader.pending.delete(reader.pending.keys().next().value!);
      reader.wake?.();
    }
  }

  /** The stream of one reader, from `since` (now, when left out) until aborted. */
  async *watch(since: number | undefined, signal: AbortSignal | undefined): AsyncGenerator<WatchMessage> {
    const reader: Reader = { pending: new Map(), wake: null };
    const onAbort = (): void => reader.wake?.();
    signal?.addEventListener('abort', onAbort);
    for (const message of this.source.greeting()) reader.pending.set(keyOf(message), message);
    this.readers.add(reader);
    // A number from the future (a database that was restored from a backup) means: from now on.
    let seq = Math.min(since ?? this.source.lastSeq(), this.source.lastSeq());
    try {
      while (!signal?.aborted && !this.closed) {
        const upTo = this.source.lastSeq();
        if (seq < upTo) {
          for (const entry of this.source.eventsAfter(seq, upTo, EVENTS_A_READ)) {
            seq = entry.seq;
            yield this.source.asMessage(entry);
          }
        } else if (reader.pending.size > 0) {
          const messages = [...reader.pending.values()];
          reader.pending.clear();
          for (const message of messages) yield { ...message, seq } as WatchMessage;
        } else {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
            if (signal?.aborted || this.closed || this.source.lastSeq() > seq || reader.pending.size > 0)
              resolve();
          });
          reader.wake = null;
        }
      }
    } finally {
      this.readers.delete(reader);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends every stream; readers see a regular end and connect again. */
  close(): void {
    this.closed = true;
    for (const reader of this.readers) reader.wake?.();
  }
}

function keyOf(message: Ephemeral): string {
  if (message.type === 'decision') return `decision ${message.decision.id}`;
  if (message.type === 'episode') return `episode ${message.episode.id}`;
  return message.type;
}
