import { FieldError } from './errors.ts';

/** `a, b` as tags, each once. @throws {FieldError} naming `flag`. */
export function parseTags(text: string, flag: string, before: readonly string[] = []): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  if (tags.some((tag) => tag === '')) throw new FieldError(flag, text, 'give tags, such as baseline,v2');
  return [...new Set([...before, ...tags])];
}
