import type { Yield } from '../../domain/deviceRules.ts';
import { t } from '../i18n/t.ts';

/** What jobs may be made to do, as a choice. */
export const YIELD_OPTIONS: readonly { readonly value: Yield; readonly label: string }[] = [
  { value: 'off', label: t('go on') },
  { value: 'throttle', label: t('slow down') },
  { value: 'pause', label: t('stand still') },
];
