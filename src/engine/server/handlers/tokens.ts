import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function tokenHandlers(os: Implementer, { tokens }: EngineParts) {
  return os.tokens.router({
    create: os.tokens.create.handler(({ input }) => tokens.create(input)),
    list: os.tokens.list.handler(() => tokens.list()),
    revoke: os.tokens.revoke.handler(({ input }) => {
      tokens.revoke(input.name);
      return { name: input.name };
    }),
  });
}
