import { FieldError } from '../../../domain/errors.ts';
import type { EngineParts } from '../../parts.ts';
import { told } from '../told.ts';
import type { Implementer } from './base.ts';

const DAY_MS = 86_400_000;

export function goalHandlers(os: Implementer, parts: EngineParts) {
  const { clock, goalsPreviews } = parts;
  return os.goals.router({
    preview: os.goals.preview.handler(({ input, signal }) => {
      const toMs = input.toMs ?? clock.nowMs();
      const fromMs = input.fromMs ?? Math.max(0, toMs - DAY_MS);
      if (fromMs >= toMs) throw new FieldError('fromMs', fromMs, 'give a moment before the end');
      const given = Object.entries(input.goals).filter(([, weight]) => weight !== undefined);
      return told(goalsPreviews.preview(Object.fromEntries(given), fromMs, toMs, signal), input, parts);
    }),
  });
}
