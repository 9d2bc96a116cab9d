import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function schedulerHandlers(os: Implementer, parts: EngineParts) {
  const { brain, stores, dispatcher, hub } = parts;
  return os.scheduler.router({
    status: os.scheduler.status.handler(() => parts.scheduler()),
    setPolicy: os.scheduler.setPolicy.handler(({ input }) => {
      brain.setPolicy(input.policy);
      stores.settings.set('policy', input.policy);
      dispatcher.request();
      const scheduler = parts.scheduler();
      hub.publish({ type: 'scheduler', scheduler });
      return scheduler;
    }),
    decisions: os.scheduler.decisions.handler(({ input }) =>
      stores.decisions.list(input.limit, input.jobId, input.beforeId),
    ),
    episodes: os.scheduler.episodes.handler(({ input }) => {
      const current = parts.episodes.current;
      return stores.episodes
        .list(input.limit)
        .map((episode) => (episode.id === current?.id ? current : episode));
    }),
  });
}
