import type { JobView } from '../../../contract/messages.ts';
import { attemptsOf } from '../../../domain/attempts.ts';
import { ConflictError, FieldError } from '../../../domain/errors.ts';
import { isTerminal, type Job } from '../../../domain/job.ts';
import { forAll } from '../../jobs/all.ts';
import type { EngineParts } from '../../parts.ts';
import { preflight } from '../../preflight/preflight.ts';
import { admitted, checkMemory, withSecrets } from '../admission.ts';
import { searchJobs } from '../searchJobs.ts';
import { withSnapshot } from '../withSnapshot.ts';
import type { Implementer } from './base.ts';

export function jobHandlers(os: Implementer, parts: EngineParts) {
  const { ledger, executors, scheduling } = parts;
  const { people } = scheduling;
  return os.jobs.router({
    submit: os.jobs.submit.handler(async ({ input: { secretsFrom, ...given } }) => {
      const spec = admitted(given, secretsFrom, parts);
      const job = await withSnapshot(spec, parts, (within) => ledger.submit(spec, 'person', within));
      return parts.view(job);
    }),
    preflight: os.jobs.preflight.handler(async ({ input: { secretsFrom, ...spec } }) => ({
      // What is there on other machines, this one cannot tell.
      obstacles:
        spec.executor === null ? await preflight(withSecrets(spec, secretsFrom, parts), parts.env) : [],
    })),
    list: os.jobs.list.handler(({ input }) => listJobs(input, parts)),
    search: os.jobs.search.handler(({ input }) => {
      const { jobs, next } = searchJobs(input, ledger, parts.stores.search);
      return { jobs: jobs.map(parts.view), next };
    }),
    get: os.jobs.get.handler(({ input }) => parts.view(ledger.get(input.id))),
    pause: os.jobs.pause.handler(async ({ input: { id, ...wanted } }) =>
      parts.view(await executors.of(id).pause(id, wanted)),
    ),
    resume: os.jobs.resume.handler(async ({ input: { id } }) =>
      parts.view(await executors.of(id).resume(id)),
    ),
    cancel: os.jobs.cancel.handler(async ({ input: { id } }) =>
      parts.view(await executors.of(id).cancel(id)),
    ),
    throttle: os.jobs.throttle.handler(async ({ input: { id, share, by } }) =>
      parts.view(await executors.of(id).throttle(id, share, by)),
    ),
    start: os.jobs.start.handler(({ input }) => parts.view(people.start(input.id, input.deviceIds))),
    preempt: os.jobs.preempt.handler(async ({ input: { id } }) =>
      parts.view(await executors.of(id).preempt(id)),
    ),
    hold: os.jobs.hold.handler(async ({ input: { id } }) => parts.view(await executors.of(id).hold(id))),
    release: os.jobs.release.handler(async ({ input: { id } }) =>
      parts.view(await executors.of(id).release(id)),
    ),
    holdAll: os.jobs.holdAll.handler(async () => ({
      ids: await forAll(ledger, 'held', (id) => executors.of(id).hold(id)),
    })),
    releaseAll: os.jobs.releaseAll.handler(async () => ({
      ids: await forAll(ledger, 'released', (id) => executors.of(id).release(id)),
    })),
    retry: os.jobs.retry.handler(({ input }) => {
      scheduling.checkStartable(ledger.get(input.id));
      parts.secrets.reveal(ledger.get(input.id));
      parts.snapshots.directoryOf(ledger.get(input.id));
      const { vramMib, alone, timeLimitS } = input;
      const { gpus, minGpus, executor } = ledger.get(input.id);
      if (executor !== null) executors.checkChoice(executor);
      else if (vramMib !== undefined) checkMemory(vramMib, minGpus ?? gpus, parts);
      const change = {
        ...(vramMib === undefined ? {} : { vramMib }),
        ...(alone === undefined ? {} : { exclusive: alone }),
        ...(timeLimitS === undefined ? {} : { timeLimitS }),
      };
      return parts.view(ledger.append(input.id, { kind: 'retried', ...change }, 'person'));
    }),
    undo: os.jobs.undo.handler(({ input }) => {
      parts.secrets.reveal(ledger.get(input.id));
      parts.snapshots.directoryOf(ledger.get(input.id));
      return parts.view(scheduling.undo.job(input.id));
    }),
    code: os.jobs.code.handler(async ({ input }) => {
      const job = ledger.get(input.id);
      const { pending, code } = await parts.code.of(job);
      const snapshot = parts.snapshots.pathOf(job);
      return {
        pending,
        snapshot,
        record: code?.record ?? null,
        diff: input.diff ? (code?.diff ?? null) : null,
      };
    }),
    memory: os.jobs.memory.handler(({ input }) => {
      const job = ledger.get(input.id);
      return {
        ...parts.memory.knowledgeOf(job),
        reservedMib: parts.memory.reservationMib(job),
        suggestedMib: parts.memory.suggestedMib(job),
      };
    }),
    attempts: os.jobs.attempts.handler(({ input }) => {
      ledger.get(input.id);
      return attemptsOf(ledger.read.events(input.id));
    }),
    prioritise: os.jobs.prioritise.handler(({ input }) =>
      parts.view(ledger.append(input.id, { kind: 'prioritised', priority: input.priority }, 'person')),
    ),
    move: os.jobs.move.handler(({ input }) => parts.view(move(input.id, input.beforeId, parts))),
    pin: os.jobs.pin.handler(({ input }) => parts.view(people.pin(input.id, input.deviceIds))),
    metrics: os.jobs.metrics.handler(({ input }) => {
      const over = isTerminal(ledger.get(input.id).status);
      const { metrics } = parts.stores;
      return { series: metrics.series(input.id), complete: over && metrics.isComplete(input.id) };
    }),
    events: os.jobs.events.handler(({ input }) => {
      ledger.get(input.id);
      return ledger.read.events(input.id);
    }),
  });
}

function listJobs(
  input: { statuses?: Job['status'][] | undefined; limit: number; offset: number },
  parts: EngineParts,
): { jobs: JobView[]; total: number } {
  const { read } = parts.ledger;
  const { limit, offset } = input;
  const wanted = input.statuses ? new Set(input.statuses) : null;
  const all = parts.ledger.inOrder();
  const matching = wanted === null ? all : all.filter((job) => wanted.has(job.status));
  const waits = (job: Job): boolean => job.status === 'queued' || job.status === 'held';
  const current = [...matching.filter((job) => !waits(job)), ...matching.filter(waits)];
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
    .inOrder()
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
