import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function notifyHandlers(os: Implementer, { notifier }: EngineParts) {
  return os.notify.router({
    add: os.notify.add.handler(({ input: { target, ...rule } }) => notifier.add(rule, target)),
    list: os.notify.list.handler(() => notifier.list()),
    test: os.notify.test.handler(({ input }) => notifier.test(input.name)),
    remove: os.notify.remove.handler(({ input }) => {
      notifier.remove(input.name);
      return { name: input.name };
    }),
  });
}
