import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { messageOf } from '../../domain/errors.ts';
import { type Finding, ok } from '../../domain/finding.ts';
import type { JobEventKind } from '../../domain/lifecycle.ts';
import type { Ledger } from '../jobs/ledger.ts';
import { RefusedError, sendRequest } from '../notify/webhook.ts';
import type { Log } from '../ports.ts';
import type { SettingStore } from '../store/settingStore.ts';
import { VERSION } from '../version.ts';
import { jobTrace, type Trace } from './jobTrace.ts';
import { otlpRequest } from './otlp.ts';

export interface TracerOptions {
  readonly ledger: Ledger;
  readonly settings: SettingStore;
  /** The collector; null: nobody is told. */
  readonly url: () => string | null;
  readonly log: Log;
  /** Before the first retry; twice as long before each further one. */
  readonly firstRetryMs?: number;
  /** How long the collector may take. */
  readonly timeoutMs?: number;
}

const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 3_600_000;
const TIMEOUT_MS = 10_000;
/** Jobs that end together are told together. */
const GATHER_MS = 1000;
const EVENTS_AT_ONCE = 500;
const MOST_SPANS = 1000;
/** Up to which event was told. */
const SENT = 'traces.sent';
const SEED = 'traces.seed';
/** A job may be over with them. */
const ENDINGS: ReadonlySet<JobEventKind> = new Set([
  'exited',
  'withdrawn',
  'launch-failed',
  'lost',
  'ended',
  'launch-abandoned',
  'handed-back',
]);

/**
 * Sends the life of each job that is over to a collector of OpenTelemetry. It is made of the log of events, and how far that was
 * told is kept: an engine that dies tells it twice at most, with the same numbers, and a collector that is away gets it later.
 */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #failures = 0;
  #trouble: string | null = null;
  /** Up to which event it was told; null: nobody wants it. */
  #sent: number | null;
  #unlisten: () => void = () => undefined;

  constructor(options: TracerOptions) {
    this.#options = options;
    const sent = options.settings.get(SENT) ?? '';
    this.#sent = sent === '' ? null : Number(sent);
  }

  /** Goes on where an earlier engine ended. */
  start(): void {
    const { ledger, url, log } = this.#options;
    this.#unlisten = ledger.onEvent(({ event, seq }) => {
      try {
        // From here on, and nothing of what was before somebody wanted it.
        if (url() === null) return this.#note(null);
        if (this.#sent === null) this.#note(seq - 1);
      } catch (error) {
        log.warn('how far traces were sent cannot be stored', { error: messageOf(error) });
      }
      if (ENDINGS.has(event.kind)) this.#sendIn(GATHER_MS);
    });
    if (url() !== null && this.#sent !== null) this.#sendIn(GATHER_MS);
  }

  async stop(): Promise<void> {
    this.#unlisten();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#sending;
  }

  /** How it goes, where somebody wants it. */
  findings(): Finding[] {
    const url = this.#options.url();
    if (url === null) return [];
    const about = 'traces';
    if (this.#trouble === null) return [ok(about, `sent to ${url}`)];
    return [
      {
        about,
        severity: 'warning',
        found: `${url} does not take them: ${this.#trouble}`,
        remedy:
          'look at the collector, or name another: stint settings --traces URL; what waits is sent later',
      },
    ];
  }

  #note(sent: number | null): void {
    if (sent === this.#sent) return;
    this.#sent = sent;
    this.#options.settings.set(SENT, String(sent ?? ''));
  }

  /** A wait that is under way stays. */
  #sendIn(ms: number): void {
    if (this.#stopping.signal.aborted || this.#timer !== null || this.#sending !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#sending = this.#sendAll().finally(() => {
        this.#sending = null;
        if (this.#failures > 0) this.#sendIn(this.#retryMs);
      });
    }, ms);
  }

  get #retryMs(): number {
    const first = this.#options.firstRetryMs ?? FIRST_RETRY_MS;
    return Math.min(LONGEST_RETRY_MS, first * 2 ** Math.min(this.#failures - 1, 20));
  }

  /** Sends what waits. Whatever goes wrong is said, and nothing else comes of it. */
  async #sendAll(): Promise<void> {
    const { ledger, url, log } = this.#options;
    try {
      for (;;) {
        const to = url();
        const after = this.#sent;
        if (to === null || after === null || after >= ledger.seq || this.#stopping.signal.aborted) return;
        const { traces, upTo } = this.#gathered(after);
        if (traces.length > 0) await this.#send(to, traces);
        this.#note(upTo);
        this.#failures = 0;
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#failures++;
      this.#trouble = messageOf(error);
      if (this.#failures === 1) log.warn('traces were not taken', { error: this.#trouble });
    }
  }

  async #send(to: string, traces: readonly Trace[]): Promise<void> {
    const sender = { version: VERSION, host: hostname(), instance: this.#seed };
    const body = JSON.stringify(otlpRequest(traces, sender));
    const told = { url: tracesUrl(to), headers: { 'Content-Type': 'application/json' }, body };
    try {
      await sendRequest(told, this.#stopping.signal, this.#options.timeoutMs ?? TIMEOUT_MS);
      this.#trouble = null;
    } catch (error) {
      // As the protocol has it: what is refused for what it is, is not sent again.
      if (!(error instanceof RefusedError) || !error.forGood) throw error;
      this.#trouble = error.message;
      this.#options.log.warn('traces were refused, and are dropped', {
        error: error.message,
        jobs: traces.length,
      });
    }
  }

  /** Of the next jobs that were over, as many as go into a request. */
  #gathered(after: number): { readonly traces: Trace[]; readonly upTo: number } {
    const { read, seq: last } = this.#options.ledger;
    const entries = read.eventsAfter(after, last, EVENTS_AT_ONCE);
    const traces: Trace[] = [];
    let spans = 0;
    for (const { seq, jobId, event } of entries) {
      if (!ENDINGS.has(event.kind)) continue;
      const trace = jobTrace(
        read.events(jobId).filter((entry) => entry.seq <= seq),
        this.#seed,
      );
      if (trace === null) continue;
      traces.push(trace);
      spans += trace.spans.length;
      if (spans >= MOST_SPANS) return { traces, upTo: seq };
    }
    return { traces, upTo: entries.at(-1)?.seq ?? last };
  }

  get #seed(): string {
    const { settings } = this.#options;
    const known = settings.get(SEED);
    if (known !== null) return known;
    const made = randomBytes(16).toString('hex');
    settings.set(SEED, made);
    return made;
  }
}

/** Where OTLP has traces, unless the address has a path of its own. */
function tracesUrl(url: string): string {
  const at = new URL(url);
  if (at.pathname === '/') at.pathname = '/v1/traces';
  return at.href;
}
