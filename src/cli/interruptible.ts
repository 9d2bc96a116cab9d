import { constants } from 'node:os';
import { CliError } from './cliError.ts';

/**
 * Runs work that Ctrl+C or SIGTERM stops in good order: the work is told through the signal, and rejects once it has
 * cleaned up. A second Ctrl+C ends the process at once.
 * @param remedy what there is to say to whoever stopped it.
 * @throws {CliError} with status 130 or 143 when it was stopped, and whatever the work throws.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  remedy = 'nothing was written',
): Promise<T> {
  const abort = new AbortController();
  const stop = (signal: NodeJS.Signals): void => abort.abort(signal);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await work(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted || (error as Error).name !== 'Interrupted') throw error;
    const status = 128 + constants.signals[abort.signal.reason as NodeJS.Signals];
    throw new CliError(status, 'interrupted', remedy);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
