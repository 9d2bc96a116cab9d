import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { SECRET, secretArguments, withoutSecrets } from '../../domain/secrets.ts';

/** What an agent asked for, and what became of it. */
export interface AgentAct {
  readonly agent: string;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** asked: it is about to be done. */
  readonly state: 'asked' | 'done' | 'refused';
  /** What it was about, or why it was refused. */
  readonly detail?: string;
}

/**
 * Adds a line to `agent.log` in the data directory, readable by its owner alone. An act is there before it is done, so
 * that none can be missing. Of variables the names alone are kept, and of commands what is no secret.
 */
export function noteAct(home: string, nowMs: number, { input, ...act }: AgentAct): void {
  const env = input.env === undefined ? {} : { env: Object.keys(input.env as object) };
  const command = input.command === undefined ? {} : { command: shown(input.command as string[]) };
  const line = { at: new Date(nowMs).toISOString(), ...act, input: { ...input, ...env, ...command } };
  appendFileSync(join(home, 'agent.log'), `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

function shown(command: readonly string[]): string[] {
  const secret = secretArguments(command);
  return command.map((argument, at) => (secret.has(at) ? SECRET : withoutSecrets(argument)));
}
