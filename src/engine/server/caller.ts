import { AsyncLocalStorage } from 'node:async_hooks';
import type { Deputy } from '../../domain/deputy.ts';

/** What a transport says of who calls. Nothing: it is the owner. */
export interface CallContext {
  readonly deputy?: Deputy;
}

const calling = new AsyncLocalStorage<Deputy | null>();

/** Does something on behalf of whoever calls; all that it awaits is that caller's, too. */
export const calledBy = <T>(context: CallContext, act: () => T): T =>
  calling.run(context.deputy ?? null, act);

/** On whose behalf the present call is made; null: the owner's own, or nobody's. */
export const deputyNow = (): Deputy | null => calling.getStore() ?? null;
