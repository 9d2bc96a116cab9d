import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function executorHandlers(os: Implementer, { executors }: EngineParts) {
  return os.executors.router({
    add: os.executors.add.handler(({ input }) => executors.add(input)),
    list: os.executors.list.handler(() => executors.list()),
    get: os.executors.get.handler(({ input }) => executors.get(input.name).view),
    test: os.executors.test.handler(({ input }) => executors.test(input.name)),
    order: os.executors.order.handler(({ input }) => executors.get(input.name).order(input.apply)),
    remove: os.executors.remove.handler(async ({ input }) => {
      await executors.remove(input.name);
      return { name: input.name };
    }),
  });
}
