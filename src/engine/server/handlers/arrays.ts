import type { Member } from '../../../domain/array.ts';
import { ConflictError, FieldError, NotFoundError } from '../../../domain/errors.ts';
import { defaultName, isTerminal, type Job, type JobSpec, jobSpecSchema } from '../../../domain/job.ts';
import { mayHappen } from '../../../domain/lifecycle.ts';
import { filledJob } from '../../../domain/placeholders.ts';
import { forEach } from '../../jobs/all.ts';
import type { NewMember } from '../../jobs/ledger.ts';
import type { EngineParts } from '../../parts.ts';
import { admitted } from '../admission.ts';
import { withSnapshot } from '../withSnapshot.ts';
import type { Implementer } from './base.ts';

export function arrayHandlers(os: Implementer, parts: EngineParts) {
  const { ledger, executors, scheduling } = parts;
  const jobsOf = (id: number): Job[] => {
    const jobs = ledger.read.arrayJobs(id);
    if (jobs.length === 0) {
      throw new NotFoundError(
        'array',
        id,
        'give the number of its first job; stint ls shows which there are',
      );
    }
    return jobs;
  };
  /** Does something to those jobs of an array to which it can be done now. */
  const each = async (
    id: number,
    what: string,
    may: (job: Job) => boolean,
    change: (id: number) => unknown,
  ): Promise<{ ids: number[] }> => {
    const ids = await forEach(
      jobsOf(id).map((job) => job.id),
      (one) => may(ledger.get(one)),
      change,
    );
    if (ids.length > 0) return { ids };
    throw new ConflictError(`no job of array ${id} can be ${what} now`, `look with stint ls --array ${id}`);
  };
  return os.arrays.router({
    submit: os.arrays.submit.handler(async ({ input }) => {
      const spec = admitted(input.spec, input.secretsFrom, parts);
      const members = membersOf(spec, input.members, input.atMost);
      const jobs = await withSnapshot(spec, parts, (within) => ledger.submitArray(members, 'person', within));
      return { id: jobs[0]!.id, ids: jobs.map(({ id }) => id) };
    }),
    get: os.arrays.get.handler(({ input }) => ({ jobs: jobsOf(input.id).map(parts.view) })),
    cancel: os.arrays.cancel.handler(({ input }) => {
      const together = parts.clock.nowMs();
      return each(
        input.id,
        'cancelled',
        ({ status }) => !isTerminal(status) && status !== 'stopping',
        (id) => executors.of(id).cancel(id, together),
      );
    }),
    undo: os.arrays.undo.handler(({ input }) => ({ ids: scheduling.undo.array(jobsOf(input.id)) })),
    hold: os.arrays.hold.handler(({ input }) =>
      each(
        input.id,
        'held',
        ({ status }) => mayHappen(status, 'held'),
        (id) => executors.of(id).hold(id),
      ),
    ),
    release: os.arrays.release.handler(({ input }) =>
      each(
        input.id,
        'released',
        ({ status }) => mayHappen(status, 'released'),
        (id) => executors.of(id).release(id),
      ),
    ),
    pause: os.arrays.pause.handler(({ input }) =>
      each(
        input.id,
        'paused',
        ({ status }) => mayHappen(status, 'paused'),
        (id) => executors.of(id).pause(id),
      ),
    ),
    resume: os.arrays.resume.handler(({ input }) =>
      each(
        input.id,
        'resumed',
        ({ status }) => mayHappen(status, 'resumed'),
        (id) => executors.of(id).resume(id),
      ),
    ),
    preempt: os.arrays.preempt.handler(({ input }) =>
      each(
        input.id,
        'preempted',
        ({ restartable, status }) => restartable && mayHappen(status, 'preempting'),
        (id) => executors.of(id).preempt(id),
      ),
    ),
    retry: os.arrays.retry.handler(({ input }) => {
      for (const job of jobsOf(input.id).filter(endedBadly)) {
        parts.scheduling.checkStartable(job);
        parts.secrets.reveal(job);
      }
      return each(input.id, 'retried', endedBadly, (id) => ledger.append(id, { kind: 'retried' }, 'person'));
    }),
    prioritise: os.arrays.prioritise.handler(({ input }) =>
      each(
        input.id,
        'given a priority',
        ({ status }) => mayHappen(status, 'prioritised'),
        (id) => ledger.append(id, { kind: 'prioritised', priority: input.priority }, 'person'),
      ),
    ),
  });
}

const endedBadly = ({ status }: Job): boolean => isTerminal(status) && status !== 'succeeded';

/** The jobs of an array, each filled in and checked. @throws {FieldError} that names the member and its field. */
function membersOf(spec: JobSpec, members: readonly Member[], atMost: number | null): NewMember[] {
  const name = spec.name ?? defaultName(spec.command);
  return members.map(({ index, values }, at) => {
    const checked = jobSpecSchema.safeParse(filledJob(spec, { ...values, index: String(index) }));
    if (!checked.success) {
      const issue = checked.error.issues[0]!;
      throw new FieldError(`members.${at}, as ${issue.path.join('.')}`, values, issue.message);
    }
    return { spec: checked.data, array: { name, index, size: members.length, atMost, values } };
  });
}
