import { formatDuration as inEnglish } from '../../domain/units.ts';
import { durationInChinese } from '../i18n/durationText.ts';
import { language } from '../i18n/t.ts';

/** `850 ms`, `12 s`, `3 min 20 s`, `2 h`: in the console's language. */
export const formatDuration = (ms: number): string => inOurWords(inEnglish(ms));

/** A duration as the domain writes it, in the console's language. */
export const inOurWords = (text: string): string =>
  language === 'zh-CN' ? (durationInChinese(text) ?? text) : text;
