import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { messageOf } from '../../domain/errors.ts';
import type { Job, ProcessIdentity } from '../../domain/job.ts';
import { shellUlimits } from '../../domain/ulimits.ts';
import { RUN_VARIABLE } from '../devices/processOwners.ts';
import { resourcePath } from '../packageRoot.ts';
import { activationScripts } from './activation.ts';
import { jobEnvironment } from './environment.ts';
import { linkOutput } from './linkOutput.ts';
import { noteOomKills } from './oomKills.ts';
import { identityOf } from './processes.ts';
import type { RunDirectory } from './runDirectory.ts';

export type Launch =
  | { readonly ok: true; readonly process: ProcessIdentity }
  | { readonly ok: false; readonly reason: string };

/**
 * bash can also close descriptors above 9, and with -p it takes no orders (BASH_ENV, SHELLOPTS) from what is the
 * job's environment; where it is missing any POSIX shell does.
 */
const BASH = ['/bin/bash', '/usr/bin/bash'].find((path) => existsSync(path));
const SHELL: readonly [string, ...string[]] = BASH === undefined ? ['/bin/sh'] : [BASH, '-p'];

/**
 * Starts a job's supervisor in a session and process group of its own, detached: it outlives the engine.
 * @param known the job with its secrets, and where it runs; each throws where that is not kept.
 * @param onExit called when the supervisor has ended; only a hint to look, since an adopted job has no such call.
 */
export function launch(
  job: Job,
  run: RunDirectory,
  engineEnv: Readonly<Record<string, string | undefined>>,
  known: { readonly reveal: (job: Job) => Job; readonly directoryOf: (job: Job) => string },
  onExit: () => void,
): Launch {
  try {
    const revealed = known.reveal(job);
    const directory = known.directoryOf(job);
    run.create();
    linkOutput(job, run);
    noteOomKills(run.path);
    const [shell, ...flags] = SHELL;
    const child = spawn(
      shell,
      [...flags, resourcePath('supervisor.sh'), run.path, directory, ...revealed.command],
      {
        cwd: '/',
        detached: true,
        stdio: 'ignore',
        env: {
          ...jobEnvironment(revealed, engineEnv, run.checkpointPath),
          [RUN_VARIABLE]: run.path,
          ...forSupervisor(revealed),
        },
      },
    );
    // Reported through the missing pid; without a listener Node would throw it.
    child.on('error', onExit);
    child.on('exit', onExit);
    child.unref();
    if (child.pid === undefined)
      return refused(
        run,
        'the supervisor could not be started: the machine is out of processes or memory, or the command is too long',
      );
    const identity = identityOf(child.pid);
    if (identity === null) return refused(run, 'the supervisor ended at once');
    return { ok: true, process: identity };
  } catch (error) {
    return refused(run, `the job could not be started: ${messageOf(error)}`);
  }
}

/** For the supervisor alone, which takes them out again. Always there: a job's own must not pass for them. */
const forSupervisor = ({ preCommand, postCommand, ulimits, conda }: Job): Record<string, string> => ({
  STINT_SUPERVISOR_ACTIVATE: activationScripts({ conda }),
  STINT_SUPERVISOR_PRE: preCommand ?? '',
  STINT_SUPERVISOR_POST: postCommand ?? '',
  STINT_SUPERVISOR_ULIMITS: shellUlimits(ulimits),
});

/** Says why, unless the launch turns out to have happened after all. */
function refused(run: RunDirectory, reason: string): Launch {
  const process = run.supervisor();
  return process === null ? { ok: false, reason } : { ok: true, process };
}
