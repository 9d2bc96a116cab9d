import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function storageHandlers(os: Implementer, { keeper }: EngineParts) {
  return os.storage.router({
    usage: os.storage.usage.handler(() => keeper.usage()),
    clean: os.storage.clean.handler(({ input }) => keeper.clean(input)),
  });
}
