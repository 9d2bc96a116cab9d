import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function historyHandlers(os: Implementer, { stores }: EngineParts) {
  return os.history.router({
    jobs: os.history.jobs.handler(({ input }) =>
      stores.history.jobs(input.fromMs, input.toMs, input.limit, input.after),
    ),
  });
}
