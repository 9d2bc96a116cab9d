import { modals } from '@mantine/modals';
import type { JobView } from '../contract/messages.ts';
import type { Device } from '../domain/device.ts';
import { isTerminal, type JobStatus, PRIORITY_LIMIT } from '../domain/job.ts';
import type { PauseBy, ThrottleBy } from '../domain/rungSchemas.ts';
import { client } from './connection.ts';
import { t } from './i18n/t.ts';
import { boardOf, withAnswer, withMove } from './store/state.ts';
import { store } from './store/store.ts';
import { cancelQuestion, listJobs } from './text/cancelQuestion.ts';
import { formatCount } from './text/formatCount.ts';
import { say, sayTrouble, sayWithUndo } from './toasts.tsx';

/** What a person can do to a job at once, without saying more. `park`: pause so that its GPU memory is free. */
export type JobAction =
  | 'start'
  | 'pause'
  | 'resume'
  | 'hold'
  | 'release'
  | 'retry'
  | 'park'
  | 'preempt'
  | 'cancel'
  | 'undo';

interface Rule {
  readonly from: readonly JobStatus[];
  /** True: only for jobs that can be stopped and go on from a checkpoint. */
  readonly restartable?: true;
  readonly done: string;
  /** What takes it back, and what the button says that does. */
  readonly undo?: readonly [JobAction, string];
}

const RULES: Readonly<Record<JobAction, Rule>> = {
  start: { from: ['queued'], done: t('started') },
  pause: { from: ['running'], done: t('paused'), undo: ['resume', t('Undo')] },
  resume: { from: ['paused'], done: t('resumed'), undo: ['pause', t('Undo')] },
  hold: { from: ['queued'], done: t('held back'), undo: ['release', t('Undo')] },
  release: { from: ['held'], done: t('released'), undo: ['hold', t('Undo')] },
  retry: {
    from: ['succeeded', 'failed', 'cancelled', 'timed-out', 'lost'],
    done: t('put back into the queue'),
  },
  // By its own checkpoint or CUDA's: which of them works is the engine's to say.
  park: { from: ['running', 'paused'], done: t('told to free its GPU memory') },
  preempt: { from: ['running', 'paused'], restartable: true, done: t('told to let others go first') },
  cancel: {
    from: ['queued', 'held', 'starting', 'running', 'paused'],
    done: t('cancelled'),
    undo: ['undo', t('Put back')],
  },
  undo: { from: ['cancelled'], done: t('put back') },
};

type Subject = Pick<JobView, 'status' | 'restartable'>;

/** True if `action` can be done to the job now. */
export const isPossible = (action: JobAction, job: Subject): boolean =>
  RULES[action].from.includes(job.status) && (job.restartable || !RULES[action].restartable);

/** True if nothing but that it is not restartable keeps `action` from the job. */
export const needsRestartable = (action: JobAction, job: Subject): boolean =>
  RULES[action].restartable === true && !job.restartable && RULES[action].from.includes(job.status);

/** True while the place of the job in the queue means something. */
export const isMovable = (status: JobStatus): boolean => status === 'queued' || status === 'held';

/**
 * Does `action` to those of `jobs` for which it is possible; asks first before it ends what runs.
 * @param arrayId given: to the whole of this array, of which `jobs` are those that the console knows.
 */
export function act(action: JobAction, jobs: readonly JobView[], arrayId?: number): void {
  const those = jobs.filter((job) => isPossible(action, job));
  if (those.length === 0) {
    if (jobs.length > 0)
      say(
        t('nothing to {{action}}: {{jobs}} {{a}}', {
          action,
          jobs: listJobs(jobs),
          a: jobs.length === 1 ? t('is {{status}}', { status: jobs[0]!.status }) : t('are in another state'),
        }),
      );
    return;
  }
  const perform = (): void =>
    void (arrayId === undefined || action === 'park' || action === 'start'
      ? performEach(action, those)
      : performOnArray(action, arrayId));
  const question = action === 'cancel' ? cancelQuestion(those) : null;
  if (question === null) {
    perform();
    return;
  }
  modals.openConfirmModal({
    title: question.title,
    children: question.text,
    labels: { confirm: question.confirm, cancel: question.refuse },
    confirmProps: { color: 'alarm' },
    onConfirm: perform,
  });
}

/** Has running jobs stand still by this rung. */
export async function pauseBy(jobs: readonly JobView[], by: PauseBy): Promise<void> {
  const those = jobs.filter((job) => isPossible('pause', job));
  const done = await forEach(those, t('was not {{done}}', { done: RULES.pause.done }), ({ id }) =>
    client().jobs.pause({ id, by }),
  );
  if (done.length > 0) sayDone('pause', done, listJobs(done));
}

async function performEach(action: JobAction, jobs: readonly Pick<JobView, 'id'>[]): Promise<void> {
  const done = await forEach(jobs, t('was not {{done}}', { done: RULES[action].done }), ({ id }) =>
    action === 'park'
      ? client().jobs.pause({ id, freeVram: true })
      : action === 'undo'
        ? putBack(id)
        : client().jobs[action]({ id }),
  );
  if (done.length > 0) sayDone(action, done, listJobs(done));
}

/** Where it was in the queue; what ran already, or is not to be put there any more, as another attempt. */
async function putBack(id: number): Promise<JobView> {
  const { jobs } = client();
  return jobs.undo({ id }).catch(() => jobs.retry({ id }));
}

async function performOnArray(action: Exclude<JobAction, 'park' | 'start'>, id: number): Promise<void> {
  try {
    const { ids } = await client().arrays[action]({ id });
    sayDone(
      action,
      ids.map((one) => ({ id: one })),
      ids.length === 1
        ? `#${ids[0]}`
        : t('{{length}} jobs of the array #{{id}}', { length: formatCount(ids.length), id }),
    );
  } catch (error) {
    sayTrouble(t('the array #{{id}} was not {{done}}', { id, done: RULES[action].done }), error);
  }
}

function sayDone(action: JobAction, jobs: readonly Pick<JobView, 'id'>[], which: string): void {
  const { done, undo } = RULES[action];
  const message = `${done} ${which}`;
  if (undo === undefined) return say(message);
  const [inverse, label] = undo;
  sayWithUndo(
    message,
    label,
    takesBack(() => void performEach(inverse, jobs)),
  );
}

/** What takes back what was done last; null: nothing can be. */
let takeBack: (() => void) | null = null;

/** From now on this is what is taken back. @returns does it, once. */
function takesBack(run: () => void): () => void {
  const back = (): void => {
    if (takeBack === back) takeBack = null;
    run();
  };
  takeBack = back;
  return back;
}

/** Takes back what was done last, however long ago that was. */
export function undoLast(): void {
  if (takeBack === null) say(t('nothing to take back'));
  else takeBack();
}

/** Calls the engine for one after the other. @returns those for which it worked. */
async function forEach<Of extends Pick<JobView, 'id'>>(
  jobs: readonly Of[],
  trouble: string,
  call: (job: Of) => Promise<JobView>,
): Promise<Of[]> {
  const done: Of[] = [];
  for (const job of jobs) {
    try {
      const answer = await call(job);
      store.update((state) => withAnswer(state, answer));
      done.push(job);
    } catch (error) {
      sayTrouble(`#${job.id} ${trouble}`, error);
    }
  }
  return done;
}

/** True while the job can be held at a share of its speed. */
export const isThrottlable = ({ status }: Subject): boolean => status === 'running' || status === 'paused';

/** Holds running jobs at a share of their speed; null: they run as they can. @param by the owner's choice when left out. */
export async function throttle(
  jobs: readonly JobView[],
  share: number | null,
  by?: ThrottleBy,
): Promise<void> {
  const those = jobs.filter(isThrottlable);
  const done = await forEach(those, t('keeps its speed'), ({ id }) =>
    client().jobs.throttle({ id, share, by }),
  );
  if (done.length === 0) return;
  const which = listJobs(done);
  say(
    share === null
      ? t('{{jobs}}: full speed', { jobs: which })
      : t('{{jobs}}: {{percent}} % of full speed', { jobs: which, percent: Math.round(share * 100) }),
  );
}

/** Priorities that were asked for and not answered yet, by job. */
const asked = new Map<number, number>();

/** Sets a job's priority; answers false when the engine refused. */
export async function prioritise(job: JobView, priority: number): Promise<boolean> {
  if (priority === (asked.get(job.id) ?? job.priority) || isTerminal(job.status)) return true;
  asked.set(job.id, priority);
  try {
    const answer = await client().jobs.prioritise({ id: job.id, priority });
    store.update((state) => withAnswer(state, answer));
    return true;
  } catch (error) {
    sayTrouble(
      t('the priority of #{{id}} stays {{priority}}', { id: job.id, priority: job.priority }),
      error,
    );
    return false;
  } finally {
    if (asked.get(job.id) === priority) asked.delete(job.id);
  }
}

/** One priority for those of `jobs` that are not over. @param arrayId as in {@link act}. */
export async function prioritiseAll(
  jobs: readonly JobView[],
  priority: number,
  arrayId?: number,
): Promise<void> {
  if (arrayId === undefined) {
    for (const job of jobs) await prioritise(job, priority);
    return;
  }
  try {
    const { ids } = await client().arrays.prioritise({ id: arrayId, priority });
    say(
      t('{{length}} jobs of the array #{{arrayId}} have priority {{priority}}', {
        length: formatCount(ids.length),
        arrayId,
        priority,
      }),
    );
  } catch (error) {
    sayTrouble(t('the priorities of the array #{{arrayId}} stay as they are', { arrayId }), error);
  }
}

/** Changes a job's priority by `by`, within the limits; presses that come before an answer add up. */
export function raise(job: JobView, by: number): void {
  const wanted = (asked.get(job.id) ?? job.priority) + by;
  void prioritise(job, Math.max(-PRIORITY_LIMIT, Math.min(PRIORITY_LIMIT, wanted)));
}

/** Puts a waiting job directly before another (null: last). Shown at once, put back if the engine refuses: then it answers false. */
async function move(job: JobView, beforeId: number | null): Promise<boolean> {
  store.update((state) => withMove(state, job.id, beforeId));
  try {
    const answer = await client().jobs.move({ id: job.id, beforeId });
    store.update((state) => withAnswer(state, answer));
    return true;
  } catch (error) {
    store.update((state) => withAnswer(state, job));
    sayTrouble(t('#{{id}} was not moved', { id: job.id }), error);
    return false;
  }
}

/** The moves that are taken back together, and what does that: of the same jobs, one after the other, as by a key that is held. */
let moved: { readonly ids: string; times: number; readonly back: () => void } | null = null;

/** Puts waiting jobs directly before another (null: last), in the order in which they are given. */
export async function moveAll(jobs: readonly JobView[], beforeId: number | null): Promise<void> {
  const done: JobView[] = [];
  for (const job of jobs) if (await move(job, beforeId)) done.push(job);
  if (done.length === 0) return;
  const ids = done.map(({ id }) => id).join();
  if (moved?.ids === ids && moved.back === takeBack) {
    moved.times += 1;
  } else {
    const these = {
      ids,
      times: 1,
      back: takesBack(async () => {
        for (let i = 0; i < these.times; i++)
          await forEach(done.toReversed(), t('was not put back'), ({ id }) => client().jobs.undo({ id }));
      }),
    };
    moved = these;
  }
  sayWithUndo(t('{{jobs}}: moved in the queue', { jobs: listJobs(done) }), t('Undo'), moved.back, 'moved');
}

/** Keeps waiting jobs to these devices; null: they may start anywhere. */
export async function pin(
  jobs: readonly JobView[],
  devices: readonly Pick<Device, 'id' | 'index'>[] | null,
): Promise<void> {
  const those = jobs.filter(({ status, gpus }) => isMovable(status) && gpus > 0);
  const deviceIds = devices?.map(({ id }) => id) ?? null;
  const done = await forEach(those, t('may start where it might before'), ({ id }) =>
    client().jobs.pin({ id, deviceIds }),
  );
  if (done.length === 0) {
    if (those.length === 0) say(t('only jobs that wait for GPUs can be kept to one'));
    return;
  }
  const which = listJobs(done);
  const message =
    devices === null
      ? t('{{jobs}}: anywhere', { jobs: which })
      : t('{{jobs}}: only on GPU {{gpus}}', {
          jobs: which,
          gpus: devices.map(({ index }) => index).join(', '),
        });
  const back = takesBack(
    () =>
      void forEach(done, t('stays where it is kept'), ({ id, pinnedTo }) =>
        client().jobs.pin({ id, deviceIds: pinnedTo }),
      ),
  );
  sayWithUndo(message, t('Undo'), back);
}

/** Puts those of `jobs` that wait before all others, or behind them, in the order that they have. */
export async function moveToEdge(jobs: readonly JobView[], edge: 'first' | 'last'): Promise<void> {
  const machine = store.get().machine;
  if (machine === null) return;
  const ids = new Set(jobs.map(({ id }) => id));
  const { waiting } = boardOf(machine.jobs);
  const before = edge === 'last' ? null : (waiting.find(({ id }) => !ids.has(id))?.id ?? null);
  await moveAll(
    waiting.filter(({ id }) => ids.has(id)),
    before,
  );
}

/** Puts a job that is over back into the queue, with its GPUs to itself or with more memory. */
export async function retryWith(
  jobId: number,
  change: { alone?: true; vramMib?: number; timeLimitS?: number },
): Promise<void> {
  const { done } = RULES.retry;
  await forEach([{ id: jobId }], t('was not {{done}}', { done }), ({ id }) =>
    client().jobs.retry({ id, ...change }),
  ).then((those) => those.length > 0 && say(t('#{{jobId}} is {{done}}', { jobId, done })));
}
