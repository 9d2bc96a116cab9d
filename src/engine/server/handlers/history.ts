import { FieldError } from '../../../domain/errors.ts';
import type { EngineParts } from '../../parts.ts';
import { told } from '../told.ts';
import { usageBy } from '../usage.ts';
import type { Implementer } from './base.ts';

export function historyHandlers(os: Implementer, parts: EngineParts) {
  const { stores, clock, replays } = parts;
  return os.history.router({
    jobs: os.history.jobs.handler(({ input }) =>
      stores.history.jobs(input.fromMs, input.toMs, input.limit, input.after),
    ),
    usage: os.history.usage.handler(({ input }) => usageBy(parts, input.by, input.fromMs, input.toMs)),
    energy: os.history.energy.handler(({ input }) =>
      input.ids
        .map((id) => ({ id, ...stores.energy.ofJob(id) }))
        .filter(({ measuredGpuS }) => measuredGpuS > 0),
    ),
    replay: os.history.replay.handler(({ input, signal }) => {
      const { fromMs, toMs = clock.nowMs(), policies = null, gpus = null, seed } = input;
      if (fromMs >= toMs) throw new FieldError('fromMs', fromMs, 'give a moment before the end');
      return told(replays.replay({ fromMs, toMs, policies, gpus, seed }, signal), input, parts);
    }),
  });
}
