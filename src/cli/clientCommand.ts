import type { Command } from 'commander';

/** What every command that asks the engine has. */
export function clientCommand(program: Command, nameAndArgs: string, description: string): Command {
  return program
    .command(nameAndArgs)
    .description(description)
    .option('--data <DIR>', "data directory of the engine (default: $STINT_HOME, else the platform's)")
    .option('--url <URL>', 'an engine elsewhere, with STINT_TOKEN (default: $STINT_URL)')
    .option(
      '--ca <FILE>',
      'who signs its certificate, in PEM (default: $STINT_CA, else those whom all trust)',
    );
}
