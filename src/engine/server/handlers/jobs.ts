import type { JobView } from '../../../contract/messages.ts';
import { ConflictError, FieldError } from '../../../domain/errors.ts';
import { isTerminal, type Job, type JobSpec } from '../../../domain/job.ts';
import { formatMib } from '../../../domain/units.ts';
import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function jobHandlers(os: Implementer, parts: EngineParts) {
  const { ledger, runner } = parts;
  return os.jobs.router({
    submit: os.jobs.submit.handler(({ input }) => {
      checkAgainstMachine(input, parts);
      return parts.view(ledger.submit(input));
    }),
    list: os.jobs.list.handler(({ input }) => listJobs(input, parts)),
    get: os.jobs.get.handler(({ input }) => parts.view(ledger.get(input.id))),
    pause: os.jobs.pause.handler(({ input }) => parts.view(runner.pause(input.id))),
    resume: os.jobs.resume.handler(({ input }) => parts.view(runner.resume(input.id))),
    cancel: os.jobs.cancel.handler(({ input }) => parts.view(runner.cancel(input.id))),
    hold: os.jobs.hold.handler(({ input }) =>
      parts.view(ledger.append(input.id, { kind: 'held' }, 'person')),
    ),
    release: os.jobs.release.handler(({ input }) =>
      parts.view(ledger.append(input.id, { kind: 'released' }, 'person')),
    ),
    prioritise: os.jobs.prioritise.handler(({ input }) =>
      parts.view(ledger.append(input.id, { kind: 'prioritised', priority: input.priority }, 'person')),
    ),
    move: os.jobs.move.handler(({ input }) => parts.view(move(input.id, input.beforeId, parts))),
    events: os.jobs.events.handler(({ input }) => {
      ledger.get(input.id);
      return ledger.read.events(input.id);
    }),
  });
}

/** Refuses what this machine could never run, now rather than after a long wait. */
function checkAgainstMachine(spec: JobSpec, parts: EngineParts): void {
  const devices = parts.devices().filter((device) => device.health !== 'gone');
  if (spec.gpus > devices.length) {
    const has = devices.length === 1 ? '1 GPU' : `${devices.length} GPUs`;
    throw new FieldError('gpus', spec.gpus, `this machine has ${has}; ask for at most ${devices.length}`);
  }
  const { vramMib } = spec;
  if (vramMib === null || spec.gpus === 0) return;
  const enough = devices.filter((device) => device.memoryTotalMib >= vramMib).length;
  if (enough < spec.gpus) {
    const largest = devices.map((device) => device.memoryTotalMib).sort((a, b) => b - a)[spec.gpus - 1] ?? 0;
    const remedy =
      spec.gpus === 1
        ? `the largest GPU here has ${formatMib(largest)}; ask for no more`
        : `${spec.gpus} GPUs here have no more than ${formatMib(largest)} each; ask for less memory or fewer GPUs`;
    throw new FieldError('vramMib', vramMib, remedy);
  }
}

function listJobs(
  input: { statuses?: Job['status'][] | undefined; limit: number; offset: number },
  parts: EngineParts,
): { jobs: JobView[]; total: number } {
  const { read } = parts.ledger;
  const { limit, offset } = input;
  const wanted = input.statuses ? new Set(input.statuses) : null;
  const current = parts.ledger.current().filter((job) => wanted === null || wanted.has(job.status));
  const order = (job: Job): number => (job.status === 'queued' || job.status === 'held' ? 1 : 0);
  current.sort((a, b) => order(a) - order(b) || a.rank - b.rank || a.id - b.id);
  const page = current.slice(offset, offset + limit);
  const rest = { limit: limit - page.length, offset: Math.max(0, offset - current.length) };
  const over = wanted ? [...wanted].filter(isTerminal) : null;
  const past =
    over === null
      ? { jobs: read.finished(rest.limit, rest.offset), total: read.countFinished() }
      : over.length === 0
        ? { jobs: [], total: 0 }
        : read.finishedByStatus(over, rest.limit, rest.offset);
  return { jobs: [...page, ...past.jobs].map(parts.view), total: current.length + past.total };
}

/** Gives the job a rank between its new neighbours. */
function move(id: number, beforeId: number | null, parts: EngineParts): Job {
  const { ledger } = parts;
  if (beforeId === id) throw new FieldError('beforeId', id, 'give another job than the one to move');
  const waiting = ledger
    .current()
    .filter((job) => (job.status === 'queued' || job.status === 'held') && job.id !== id);
  const at = beforeId === null ? waiting.length : waiting.findIndex((job) => job.id === beforeId);
  if (at < 0) {
    const status = ledger.get(beforeId!).status;
    throw new ConflictError(
      `job ${beforeId} does not wait (it is ${status})`,
      'choose a job that is queued or held',
    );
  }
  const before = waiting[at - 1]?.rank;
  const after = waiting[at]?.rank;
  const rank =
    before === undefined
      ? (after ?? id) - 1
      : after === undefined
        ? Math.max(before + 1, id)
        : (before + after) / 2;
  return ledger.append(id, { kind: 'moved', rank }, 'person');
}
