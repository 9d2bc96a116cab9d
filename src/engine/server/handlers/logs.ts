import { isTerminal } from '../../../domain/job.ts';
import { followLog, readLog } from '../../jobs/logs.ts';
import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function logHandlers(os: Implementer, { ledger, runner }: EngineParts) {
  const isOver = (id: number): boolean => isTerminal(ledger.get(id).status);
  const path = (id: number): string => runner.runOf(ledger.get(id)).logPath;
  return os.logs.router({
    read: os.logs.read.handler(({ input }) =>
      readLog(path(input.id), input.offset, input.limitBytes, isOver(input.id)),
    ),
    follow: os.logs.follow.handler(({ input, signal }) => {
      ledger.get(input.id);
      return followLog(
        () => path(input.id),
        input.offset,
        () => isOver(input.id),
        signal,
      );
    }),
  });
}
