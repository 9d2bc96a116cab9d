import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from './contract.ts';
import type { WatchMessage } from './messages.ts';

/** The contract as a client calls it. Transports make one from their link. */
export type StintClient = ContractRouterClient<Contract>;

export interface WatchOptions {
  /** Last sequence number already known; left out: from now on. */
  readonly since?: number;
  readonly signal: AbortSignal;
  onMessage(message: WatchMessage): void;
  /** false when the connection is lost, true when it works (again). */
  onConnection?(connected: boolean): void;
  /** Waits before the next attempt; rejects or resolves early when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * Follows the machine until aborted, across lost connections: after each it resumes from the last sequence
 * number seen, so that no event is missed and none is seen twice. Waits 0.25 s, doubling up to 5 s, between
 * attempts.
 * @param connect gives a client that works; called again after each failure.
 */
export async function watchForever(
  connect: () => Promise<StintClient>,
  options: WatchOptions,
): Promise<void> {
  let since = options.since;
  let delayMs = 250;
  while (!options.signal.aborted) {
    try {
      const client = await connect();
      const stream = await client.watch(since === undefined ? {} : { since }, { signal: options.signal });
      options.onConnection?.(true);
      for await (const message of stream) {
        delayMs = 250;
        since = Math.max(since ?? 0, message.seq);
        options.onMessage(message);
      }
    } catch (error) {
      if (options.signal.aborted) return;
      options.onConnection?.(false);
      if (isRefusal(error)) throw error;
    }
    if (!options.signal.aborted) {
      options.onConnection?.(false);
      await options.sleep(delayMs, options.signal);
      delayMs = Math.min(5000, delayMs * 2);
    }
  }
}

/** An answer that trying again will not change. */
function isRefusal(error: unknown): boolean {
  const status = (error as { status?: unknown }).status;
  return status === 400 || status === 401 || status === 403;
}
