import { type ImplementerInternalWithMiddlewares, implement } from '@orpc/server';
import { type Contract, contract } from '../../../contract/contract.ts';
import type { EngineParts } from '../../parts.ts';
import { contractError } from '../errors.ts';

type NoContext = Record<never, never>;

/** Named, because written out it would be longer than the compiler puts into a declaration. */
export type Implementer = ImplementerInternalWithMiddlewares<Contract, NoContext, NoContext>;

/**
 * The contract, ready to be implemented over an engine's parts. Errors of the domain become the contract's; the
 * middleware stands outside the validation, so that a malformed request names its field as well.
 */
export function implementer(parts: EngineParts): Implementer {
  return implement(contract)
    .$config({ initialInputValidationIndex: Number.POSITIVE_INFINITY })
    .use(async ({ next }, input) => {
      try {
        return await next();
      } catch (error) {
        throw contractError(error, input, parts.log, parts.secrets.own());
      }
    });
}
