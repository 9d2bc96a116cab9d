import { showValue } from '../domain/errors.ts';
import { TraceError } from '../domain/trace.ts';
import { CliError, STATUS } from './cliError.ts';
import { printable } from './table.ts';

/** For what is wrong with a trace, which is the caller's to mend: wrong usage, with the place. Throws anything else as it is. */
export function asUsage(error: unknown): never {
  if (!(error instanceof TraceError)) throw error;
  const place = `${error.file}, line ${error.line}${error.column === null ? '' : `, column ${error.column}`}`;
  const problem = `${place}: ${showValue(error.value)} is not usable`;
  throw new CliError(STATUS.badUsage, printable(problem), printable(`expected ${error.expected}`));
}
