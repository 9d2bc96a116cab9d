import { implement } from '@orpc/server';
import { contract } from '../../../contract/contract.ts';
import type { EngineParts } from '../../parts.ts';
import { contractError } from '../errors.ts';

/**
 * The contract, ready to be implemented over an engine's parts. Errors of the domain become the contract's; the
 * middleware stands outside the validation, so that a malformed request names its field as well.
 */
export function implementer(parts: EngineParts) {
  return implement(contract)
    .$config({ initialInputValidationIndex: Number.POSITIVE_INFINITY })
    .use(async ({ next }, input) => {
      try {
        return await next();
      } catch (error) {
        throw contractError(error, input, parts.log);
      }
    });
}
export type Implementer = ReturnType<typeof implementer>;
