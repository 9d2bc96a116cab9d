import { CommanderError } from 'commander';
import { describeError } from './cliError.ts';
import type { Context } from './context.ts';
import { createProgram, isCommand } from './program.ts';

/**
 * Runs one call of the command line to its end, and says what went wrong as people are told it.
 * @param args what follows the program's name.
 */
export async function runCommandLine(args: readonly string[], context: Context): Promise<void> {
  const [first, ...rest] = args;
  // `stint help ls` is how many ask.
  const meant = first === 'help' && isCommand(rest[0]) ? [...rest, '--help'] : args;
  try {
    const program = await createProgram(context, meant[0]);
    await program.parseAsync(meant, { from: 'user' });
  } catch (error) {
    // Help and version have been printed.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const { line, status } = describeError(error);
    context.err(line);
    context.exitWith(status);
  }
}
