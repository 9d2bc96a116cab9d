import type { Yield } from '../../domain/deviceRules.ts';

/** What jobs may be made to do, as a choice. */
export const YIELD_OPTIONS: readonly { readonly value: Yield; readonly label: string }[] = [
  { value: 'off', label: 'go on' },
  { value: 'throttle', label: 'slow down' },
  { value: 'pause', label: 'stand still' },
];
