import type { Attempt } from './attempt.ts';
import type { JobEvent } from './lifecycle.ts';

/** The attempts that a job's events tell of, oldest first. @param entries all of its events, in order. */
export function attemptsOf(
  entries: readonly { readonly atMs: number; readonly event: JobEvent }[],
): Attempt[] {
  const attempts: Attempt[] = [];
  let stopping: { readonly outcome: Attempt['outcome']; readonly reason: string } | null = null;
  const change = (more: Partial<Attempt>): void => {
    const last = attempts.pop();
    if (last !== undefined) attempts.push({ ...last, ...more });
  };
  const end = (outcome: Attempt['outcome'], finishedAtMs: number, more: Partial<Attempt>): void => {
    const cause = stopping?.reason ?? more.cause ?? null;
    change({ ...more, outcome: stopping?.outcome ?? outcome, cause, finishedAtMs });
    stopping = null;
  };
  for (const { atMs, event } of entries) {
    switch (event.kind) {
      case 'launching':
      case 'handed':
        attempts.push({
          attempt: event.attempt,
          devices: event.kind === 'launching' ? event.devices : [],
          startedAtMs: null,
          finishedAtMs: null,
          exitCode: null,
          outcome: 'open',
          cause: null,
        });
        break;
      case 'started':
      case 'began':
        change({ startedAtMs: atMs });
        break;
      case 'stopping':
        stopping = event;
        break;
      case 'preempting':
        stopping = { outcome: 'preempted', reason: event.reason };
        break;
      case 'exited': {
        const { exitCode, cause } = event;
        if (event.untold && stopping?.outcome === 'preempted') stopping = null;
        end(exitCode === 0 ? 'succeeded' : 'failed', atMs, { exitCode, cause });
        break;
      }
      case 'lost':
        end('lost', atMs, { cause: event.reason });
        break;
      case 'launch-failed':
        end('failed', atMs, { cause: event.reason });
        break;
      case 'ended':
        end(event.outcome, atMs, { exitCode: event.exitCode, cause: event.cause });
        break;
      case 'handed-back':
      case 'launch-abandoned':
        end('not-started', atMs, { cause: event.reason });
        break;
      default:
        // What happens to a job between its attempts.
        break;
    }
  }
  return attempts;
}
