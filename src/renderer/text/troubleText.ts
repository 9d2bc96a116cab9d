import { messageOf } from '../../domain/errors.ts';
import { t } from '../i18n/t.ts';

/** True if the line broke while the call waited for its answer: the link aborts what is under way. */
export const isCutOff = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.message.startsWith('[AsyncIdQueue]'));

/** Why a call did not work, for people. */
export const troubleText = (error: unknown): string =>
  isCutOff(error) ? t('the connection was lost before the engine answered') : messageOf(error);
