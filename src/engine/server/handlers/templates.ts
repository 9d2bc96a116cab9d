import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function templateHandlers(os: Implementer, { templates }: EngineParts) {
  return os.templates.router({
    list: os.templates.list.handler(() => templates.list()),
    get: os.templates.get.handler(({ input }) => templates.get(input.name)),
    save: os.templates.save.handler(({ input: { replace, ...template } }) =>
      templates.save(template, replace),
    ),
    rename: os.templates.rename.handler(({ input }) => templates.rename(input.name, input.to)),
    remove: os.templates.remove.handler(({ input }) => templates.remove(input.name)),
  });
}
