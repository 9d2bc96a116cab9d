import type { Diagnosis } from '../../../domain/diagnosis.ts';
import type { Job } from '../../../domain/job.ts';
import type { JobEvent } from '../../../domain/lifecycle.ts';
import { retryAtMs } from '../../../domain/retries.ts';
import { diagnoseEnd } from '../../jobs/diagnoseEnd.ts';
import { describeExit } from '../../jobs/endRecorder.ts';
import type { Ledger } from '../../jobs/ledger.ts';
import type { RunDirectory } from '../../jobs/runDirectory.ts';
import type { Log } from '../../ports.ts';

/** Exit codes of resources/slurmJob.sh itself. */
const SUPERVISOR_KILLED = 94;
const NOT_SHARED = 95;

export interface SlurmOutcome {
  /** As Slurm has it; `FORGOTTEN`: it knows nothing of it any more. */
  readonly state: string;
  readonly reason: string;
  readonly exitCode: number | null;
  /** Its own supervisor wrote that code down. */
  readonly seen: boolean;
  readonly run: RunDirectory;
  /** Why it could not start any more; null: it could. */
  readonly never: string | null;
  readonly executor: string;
  readonly atMs: number;
  readonly ledger: Ledger;
  readonly log: Log;
}

type Ended = Extract<JobEvent, { kind: 'ended' }>;

/** How a job that ran in Slurm ended, from its own exit code and what Slurm says. */
export function endOf(job: Job, outcome: SlurmOutcome): Ended {
  const { exitCode, seen } = outcome;
  const [ended, cause] = judged(outcome);
  const diagnosis =
    ended === 'succeeded'
      ? null
      : ((job.status === 'stopping' ? null : ownDiagnosis(ended, cause, outcome)) ??
        fromLog(job, ended, cause, outcome));
  const tried = ended === 'failed' || ended === 'lost';
  const at = tried
    ? retryAtMs(
        job,
        { exitCode: ended === 'lost' ? null : exitCode, diagnosis: diagnosis?.code ?? null },
        outcome.atMs,
      )
    : null;
  const kept =
    ended === 'lost' ||
    (!seen && exitCode !== null && exitCode >= SUPERVISOR_KILLED && exitCode <= NOT_SHARED);
  return {
    kind: 'ended',
    outcome: ended,
    exitCode: kept ? null : exitCode,
    cause: job.status === 'stopping' ? null : (outcome.run.cause() ?? cause),
    diagnosis,
    ...(at === null ? {} : { retryAtMs: at }),
  };
}

function judged({
  state: said,
  reason,
  exitCode,
  seen,
  run,
  never,
  executor,
}: SlurmOutcome): [Ended['outcome'], string | null] {
  // A node that failed, or could not say so, after the command had ended by itself is nothing to the job.
  const before = seen && exitCode !== null && exitCode < 128 && /^(NODE|BOOT)_FAIL$/.test(said);
  const state = before ? (exitCode === 0 ? 'COMPLETED' : 'FAILED') : said;
  switch (state) {
    case 'CANCELLED':
      return ['cancelled', never ?? `cancelled in ${executor}${wordOf(reason)}`];
    case 'TIMEOUT':
      return ['timed-out', `${executor} ended it: over its time limit`];
    case 'DEADLINE':
      return ['timed-out', `${executor} ended it: over its deadline`];
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return ['lost', `a node of ${executor} failed while it ran`];
    case 'PREEMPTED':
      return ['lost', `${executor} ended it for another job`];
    case 'FORGOTTEN':
      return ['lost', `${executor} knows nothing of it any more, and nobody saw how it ended`];
    case 'OUT_OF_MEMORY':
      return ['failed', `${executor} ended it: out of host memory`];
  }
  if (!seen && exitCode === SUPERVISOR_KILLED)
    return ['lost', 'its supervisor was killed, so nobody saw how it ended'];
  if (!seen && exitCode === NOT_SHARED && run.supervisor() === null)
    return [
      'failed',
      `the nodes of ${executor} do not see ${run.path}: give the executor a --directory that they share`,
    ];
  if (exitCode === 0) {
    return state === 'COMPLETED'
      ? ['succeeded', null]
      : ['failed', `${executor} says ${state}${wordOf(reason)}`];
  }
  if (exitCode === null)
    return ['lost', `${executor} says ${state}${wordOf(reason)}, and nobody saw an exit code`];
  return ['failed', describeExit(exitCode)];
}

const wordOf = (reason: string): string => (reason === '' || reason === 'None' ? '' : ` (${reason})`);

/** What Slurm did; its log need not be read for that. */
function ownDiagnosis(
  ended: Ended['outcome'],
  cause: string | null,
  { state, executor }: SlurmOutcome,
): Diagnosis | null {
  const plain = (code: Diagnosis['code'], summary: string, remedy: string): Diagnosis => ({
    code,
    summary,
    line: null,
    remedy,
  });
  if (state === 'OUT_OF_MEMORY')
    return plain(
      'host-memory',
      `out of host memory: ${executor} ended it`,
      'Ask for more of it, such as --slurm --mem=32G, or have it take less.',
    );
  if (ended === 'timed-out') return plain('timed-out', cause!, 'Give it a longer limit, or less to do.');
  if (ended === 'cancelled') return plain('cancelled', cause!, 'Submit it again if that was not meant.');
  return null;
}

function fromLog(
  job: Job,
  ended: Ended['outcome'],
  cause: string | null,
  outcome: SlurmOutcome,
): Diagnosis | null {
  const { exitCode, run, ledger, log } = outcome;
  const lost = ended === 'lost';
  const trouble = lost ? cause : run.cause();
  return diagnoseEnd(
    job,
    { exitCode: lost ? null : exitCode, trouble, lost },
    { ledger, run, log, faultOf: () => undefined },
  );
}
