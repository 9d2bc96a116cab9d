import { lstatSync } from 'node:fs';
import { ConflictError, NotFoundError } from '../../../domain/errors.ts';
import { isLive, isTerminal } from '../../../domain/job.ts';
import type { LogGap } from '../../../domain/logGap.ts';
import { offsetOfLine } from '../../jobs/lineIndex.ts';
import { searchAround } from '../../jobs/logSearch.ts';
import { followLog, readLog } from '../../jobs/logs.ts';
import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

interface LogOf {
  readonly id: number;
  readonly attempt?: number | undefined;
}

export function logHandlers(os: Implementer, { ledger, runner, stores }: EngineParts) {
  /** A named attempt's log ends with it, another's with the job. */
  const isOver = ({ id, attempt }: LogOf): boolean => {
    const job = ledger.get(id);
    return (
      isTerminal(job.status) || (attempt !== undefined && (attempt < job.attempt || !isLive(job.status)))
    );
  };
  const path = ({ id, attempt }: LogOf): string => {
    const job = ledger.get(id);
    if (attempt !== undefined && attempt > job.attempt) {
      const had =
        job.attempt === 0 ? 'no attempt' : job.attempt === 1 ? 'one attempt' : `${job.attempt} attempts`;
      throw new NotFoundError('attempt', attempt, `job ${id} has had ${had} so far`);
    }
    const { logPath } = runner.runOf({ id, attempt: attempt ?? job.attempt });
    // A job may put something else there. Who may read its log may not therefore read whatever its owner may.
    if (lstatSync(logPath, { throwIfNoEntry: false })?.isFile() === false) {
      throw new ConflictError(`the log of job ${id} is no file any more`, `look at ${logPath} yourself`);
    }
    return logPath;
  };
  const gap = ({ id, attempt }: LogOf): LogGap | null =>
    stores.logGaps.of(id, attempt ?? ledger.get(id).attempt);
  return os.logs.router({
    read: os.logs.read.handler(({ input }) =>
      readLog(path(input), input.offset, input.limitBytes, isOver(input), gap(input)),
    ),
    search: os.logs.search.handler(({ input, signal }) =>
      searchAround(path(input), gap(input), { ...input, from: input.offset }, signal),
    ),
    locate: os.logs.locate.handler(async ({ input }) => ({
      offset: await offsetOfLine(path(input), input.line, gap(input)),
    })),
    follow: os.logs.follow.handler(({ input, signal }) => {
      // Refused now rather than in the stream.
      path(input);
      return followLog(
        () => path(input),
        () => gap(input),
        input.offset,
        () => isOver(input),
        signal,
      );
    }),
  });
}
