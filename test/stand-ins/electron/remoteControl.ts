/**
 * Runs functions that the test sends, as Playwright's `electronApp.evaluate` does: with the module `electron` as
 * the first argument and one value beside it. Results go back as JSON.
 */
import { runInThisContext } from 'node:vm';

interface Order {
  readonly id: number;
  readonly source: string;
  readonly argument: unknown;
}

process.on('message', (order: Order) => {
  const answer = (fields: { value?: unknown; error?: string }): void => {
    process.send?.({ id: order.id, ...fields });
  };
  import('./index.ts')
    .then((electron) => runInThisContext(`(${order.source})`)(electron, order.argument) as unknown)
    .then(
      (value) => answer({ value }),
      (error: unknown) =>
        answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
});
// The channel alone keeps nothing alive, and without the test at its other end there is nothing to do here.
process.channel?.unref();
process.on('disconnect', () => process.exit(1));
