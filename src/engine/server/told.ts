import type { EngineParts } from '../parts.ts';
import { contractError } from './errors.ts';

/** The stream, with what goes wrong in it as the contract says it: that passes by the middleware. */
export async function* told<Message>(
  stream: AsyncGenerator<Message>,
  input: unknown,
  { log, secrets }: Pick<EngineParts, 'log' | 'secrets'>,
): AsyncGenerator<Message> {
  try {
    yield* stream;
  } catch (error) {
    throw contractError(error, input, log, secrets.own());
  }
}
