#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { describeError } from './cliError.ts';
import { processContext } from './context.ts';
import { createProgram, isCommand } from './program.ts';

// Types are stripped and code is compiled once, not at every start: an engine is there in half the time.
const caches = process.env.XDG_CACHE_HOME;
enableCompileCache(join(caches && isAbsolute(caches) ? caches : join(homedir(), '.cache'), 'stint'));

// `stint ls | head` closes our output early: that is no error, and nobody reads what would follow.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const context = processContext();
try {
  const [first, ...rest] = process.argv.slice(2);
  // `stint help ls` is how many ask.
  const args = first === 'help' && isCommand(rest[0]) ? [...rest, '--help'] : process.argv.slice(2);
  const program = await createProgram(context, args[0]);
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  const { line, status } = describeError(error);
  // An empty line: whatever there was to say has been said (help, version).
  if (line !== '') context.err(line);
  context.exitWith(status);
}
