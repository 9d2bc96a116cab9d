import { type ImplementerInternalWithMiddlewares, implement } from '@orpc/server';
import { type Contract, contract } from '../../../contract/contract.ts';
import type { EngineParts } from '../../parts.ts';
import { type CallContext, calledBy } from '../caller.ts';
import { contractError } from '../errors.ts';

/** Named, because written out it would be longer than the compiler puts into a declaration. */
export type Implementer = ImplementerInternalWithMiddlewares<Contract, CallContext, CallContext>;

/**
 * The contract, ready to be implemented over an engine's parts. Errors of the domain become the contract's; the
 * middleware stands outside the validation, so that a malformed request names its field as well.
 */
export function implementer(parts: EngineParts): Implementer {
  return implement(contract)
    .$context<CallContext>()
    .$config({ initialInputValidationIndex: Number.POSITIVE_INFINITY })
    .use(async ({ context, next }, input) => {
      try {
        return await calledBy(context, () => next());
      } catch (error) {
        throw contractError(error, input, parts.log, parts.secrets.own());
      }
    });
}
