import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Device } from '../../domain/device.ts';
import { ConflictError, messageOf as errorText, NotFoundError } from '../../domain/errors.ts';
import {
  concerns,
  type NotifyItem,
  type NotifyRule,
  type NotifyTarget,
  type NotifyView,
} from '../../domain/notifyRule.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Clock, Log } from '../ports.ts';
import type { NotifyStore } from '../store/notifyStore.ts';
import { sendMail } from './mail.ts';
import { type Message, messageOf } from './message.ts';
import { deviceLost, jobOccurrences } from './occurrences.ts';
import type { TargetFiles } from './targetFiles.ts';
import { requestOf, sendRequest } from './webhook.ts';

export interface NotifierOptions {
  readonly ledger: Ledger;
  readonly store: NotifyStore;
  readonly targets: TargetFiles;
  readonly clock: Clock;
  readonly log: Log;
  /** Before the first retry; twice as long before each further one. */
  readonly firstRetryMs?: number;
  /** How long a service may take. */
  readonly timeoutMs?: number;
}

const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 3_600_000;
/** What could not be told for so long is not told any more. */
const GIVE_UP_MS = 86_400_000;
/** Of what waits for one rule, the oldest beyond these are dropped. */
const MOST_WAITING = 1000;
/** Told in one message. */
const MOST_TOGETHER = 100;
const EVENTS_AT_ONCE = 500;
/** Jobs that end together are told together. */
const GATHER_MS = 250;
/** A service that works hears from a rule no oftener. */
const LEAST_BETWEEN_MS = 1000;

/**
 * Tells people and programs what they asked to be told. What is to be told is in the outbox before anything is sent, in
 * one transaction with how far the log of events was looked at: no engine can die in between, so that nothing is
 * forgotten. It may be told twice, with the same number, if an engine dies between sending and noting that.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #host = hostname();
  readonly #stopping = new AbortController();
  readonly #sending = new Map<string, Promise<void>>();
  readonly #health = new Map<string, Device['health']>();
  #rules: (NotifyView & { seq: number })[] = [];
  #gathering: NodeJS.Timeout | null = null;
  #waking: NodeJS.Timeout | null = null;
  #unlisten: () => void = () => undefined;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier engine left, and listens from now on. */
  start(): void {
    const { ledger, targets } = this.#options;
    this.#reload();
    targets.keepOnly(new Set(this.#rules.map(({ name }) => name)));
    this.#unlisten = ledger.onEvent(() => {
      if (this.#rules.length > 0) this.#gatherSoon();
    });
    if (this.#rules.length > 0) this.#gatherSoon();
  }

  async stop(): Promise<void> {
    this.#unlisten();
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    if (this.#waking !== null) clearTimeout(this.#waking);
    this.#stopping.abort();
    await Promise.all(this.#sending.values());
  }

  /**
   * @returns the rule, and the secret that was made for a webhook that was given none: nobody can be told it again.
   * @throws {ConflictError} if the name is taken.
   */
  add(rule: NotifyRule, given: NotifyTarget): { readonly rule: NotifyView; readonly secret: string | null } {
    const { store, targets, clock, ledger } = this.#options;
    if (this.#rules.some(({ name }) => name === rule.name)) throw taken(rule.name);
    const made =
      given.kind === 'webhook' && given.secret === null ? randomBytes(32).toString('base64url') : null;
    const target: NotifyTarget = made === null ? given : ({ ...given, secret: made } as NotifyTarget);
    // First the file: without its row it is rubbish, which the next start removes.
    targets.write(rule.name, target);
    const to = target.kind === 'mail' ? target.to.join(', ') : new URL(target.url).host;
    if (!store.add({ ...rule, kind: target.kind, to }, clock.nowMs(), ledger.seq)) throw taken(rule.name);
    this.#reload();
    return { rule: this.#named(rule.name), secret: made };
  }

  list(): NotifyView[] {
    return this.#options.store.list().map(({ seq: _seq, ...view }) => view);
  }

  /** @throws {NotFoundError} */
  remove(name: string): void {
    this.#named(name);
    this.#options.store.remove(name);
    this.#options.targets.remove(name);
    this.#reload();
  }

  /** Sends a message now, whatever waits. @throws {NotFoundError} */
  async test(name: string): Promise<{ readonly ok: boolean; readonly detail: string }> {
    this.#named(name);
    const atMs = this.#options.clock.nowMs();
    const text = `This is what rule ${name} sends. Nothing happened.`;
    const items: NotifyItem[] = [{ event: 'test', atMs, text, job: null, device: null }];
    try {
      await this.#send(name, messageOf(name, this.#host, items, null));
      return { ok: true, detail: 'it was taken' };
    } catch (error) {
      return { ok: false, detail: errorText(error) };
    }
  }

  /** Tells of those that could be read until now. */
  observe(devices: readonly Device[]): void {
    const lost = devices.filter(({ id, health }) => health !== 'ok' && this.#health.get(id) === 'ok');
    for (const { id, health } of devices) this.#health.set(id, health);
    if (lost.length === 0 || this.#rules.length === 0) return;
    const atMs = this.#options.clock.nowMs();
    this.#guarded(() =>
      this.#queue(
        lost.map((device) => deviceLost(device, atMs)),
        null,
      ),
    );
    this.#deliver();
  }

  #reload(): void {
    this.#rules = this.#options.store.list();
  }

  #named(name: string): NotifyView {
    const found = this.list().find((rule) => rule.name === name);
    if (found === undefined) throw new NotFoundError('rule', name, '`stint notify ls` lists them');
    return found;
  }

  #gatherSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#guarded(() => this.#gather());
      this.#deliver();
    }, GATHER_MS);
  }

  /** The engine goes on whatever the disk does: what was not looked at is looked at with the next event. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.warn('what is to be told cannot be stored', { error: errorText(error) });
    }
  }

  /** Looks at the events since the last look. */
  #gather(): void {
    const { ledger } = this.#options;
    for (;;) {
      if (this.#rules.length === 0) return;
      const after = Math.min(...this.#rules.map(({ seq }) => seq));
      const entries = ledger.read.eventsAfter(after, ledger.seq, EVENTS_AT_ONCE);
      const last = entries.at(-1);
      if (last === undefined) return;
      for (const entry of entries) {
        const items = jobOccurrences(entry, (jobId) => ledger.read.events(jobId));
        if (items.length > 0) this.#queue(items, entry.seq);
      }
      // Kept in memory alone where there was nothing to tell: after a restart these are passed over again.
      for (const rule of this.#rules) rule.seq = Math.max(rule.seq, last.seq);
      if (entries.length === EVENTS_AT_ONCE)
        for (const { name, seq } of this.#rules) this.#options.store.queue(name, [], seq, MOST_WAITING);
    }
  }

  #queue(items: readonly NotifyItem[], seq: number | null): void {
    for (const rule of this.#rules) {
      if (seq !== null && seq <= rule.seq) continue;
      const wanted = items.filter((item) => concerns(rule, item));
      // That it failed says that it is over.
      const once = wanted.length > 1 && seq !== null ? wanted.slice(0, 1) : wanted;
      if (once.length > 0) this.#options.store.queue(rule.name, once, seq, MOST_WAITING);
      if (seq !== null) rule.seq = seq;
    }
  }

  /** Sends what is due, one message at a time to each, and sees to being woken for the rest. */
  #deliver(): void {
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#options.clock.nowMs();
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const { name, waiting, nextAtMs, lastSentAtMs } of this.list()) {
      if (waiting === 0 || this.#sending.has(name)) continue;
      // A clock that was set back keeps nobody waiting for longer than the longest wait.
      const dueAtMs = Math.max(nextAtMs ?? 0, (lastSentAtMs ?? 0) + LEAST_BETWEEN_MS);
      const dueMs = Math.min(dueAtMs - nowMs, LONGEST_RETRY_MS);
      if (dueMs > 0) wakeMs = Math.min(wakeMs, dueMs);
      else {
        const sending = this.#deliverTo(name)
          .catch((error) =>
            this.#options.log.warn('a message cannot be noted', { rule: name, error: errorText(error) }),
          )
          .finally(() => {
            this.#sending.delete(name);
            this.#wakeIn(LEAST_BETWEEN_MS);
          });
        this.#sending.set(name, sending);
      }
    }
    if (wakeMs < Number.POSITIVE_INFINITY) this.#wakeIn(wakeMs);
  }

  #wakeIn(ms: number): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#waking !== null) clearTimeout(this.#waking);
    this.#waking = setTimeout(() => {
      this.#waking = null;
      this.#guarded(() => this.#deliver());
    }, ms);
  }

  async #deliverTo(name: string): Promise<void> {
    const { store, clock, log } = this.#options;
    const given = store.dropBefore(name, clock.nowMs() - GIVE_UP_MS);
    if (given > 0) log.warn('nobody could be told for a day', { rule: name, events: given });
    const waiting = store.waiting(name, MOST_TOGETHER);
    const [first, last] = [waiting[0], waiting.at(-1)];
    if (first === undefined || last === undefined) return;
    const items = waiting.map(({ item }) => item);
    try {
      await this.#send(name, messageOf(name, this.#host, items, first.id));
      store.told(name, last.id, clock.nowMs());
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const attempts = this.list().find((rule) => rule.name === name)?.attempts ?? 0;
      const waitMs = Math.min(
        LONGEST_RETRY_MS,
        (this.#options.firstRetryMs ?? FIRST_RETRY_MS) * 2 ** Math.min(attempts, 20),
      );
      store.failed(name, errorText(error), clock.nowMs() + waitMs);
      if (attempts === 0) log.warn('a message was not taken', { rule: name, error: errorText(error) });
    }
  }

  async #send(name: string, message: Message): Promise<void> {
    const { targets, clock, timeoutMs } = this.#options;
    const target = targets.read(name);
    const { signal } = this.#stopping;
    if (target.kind === 'mail') return sendMail(target, message, signal, timeoutMs);
    return sendRequest(requestOf(target.kind, target, message, clock.nowMs()), signal, timeoutMs);
  }
}

const taken = (name: string): ConflictError =>
  new ConflictError(
    `there is a rule named ${name} already`,
    `choose another name, or remove that one first with \`stint notify rm ${name}\``,
  );
