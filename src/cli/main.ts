#!/usr/bin/env node
import { describeError } from './cliError.ts';
import { processContext } from './context.ts';
import { createProgram } from './program.ts';

// `stint ls | head` closes our output early: that is no error, and nobody reads what would follow.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const context = processContext();
try {
  const program = await createProgram(context, process.argv[2]);
  await program.parseAsync(process.argv);
} catch (error) {
  const { line, status } = describeError(error);
  // An empty line: whatever there was to say has been said (help, version).
  if (line !== '') context.err(line);
  context.exitWith(status);
}
