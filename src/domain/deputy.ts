import { z } from 'zod';

/**
 * Through whom a person acted, where it was not by the person's own hand: an agent over `stint mcp`, as it calls itself, or
 * a program with a token, by the token's name.
 */
export const deputySchema = z.object({ kind: z.enum(['agent', 'token']), name: z.string() });
export type Deputy = z.output<typeof deputySchema>;

/** An agent may call itself anything; a line of history has room for this. */
const MOST_NAME = 100;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is not wanted.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** The agent by the name that it gives itself, as it may be kept and shown. */
export function agentCalled(name: string): Deputy {
  const shown = name.replace(INVISIBLE, ' ').trim().slice(0, MOST_NAME);
  return { kind: 'agent', name: shown || 'unknown' };
}
