import type { EngineParts } from '../../parts.ts';
import { usageBy } from '../usage.ts';
import type { Implementer } from './base.ts';

export function historyHandlers(os: Implementer, parts: EngineParts) {
  const { stores } = parts;
  return os.history.router({
    jobs: os.history.jobs.handler(({ input }) =>
      stores.history.jobs(input.fromMs, input.toMs, input.limit, input.after),
    ),
    usage: os.history.usage.handler(({ input }) => usageBy(parts, input.by, input.fromMs, input.toMs)),
  });
}
