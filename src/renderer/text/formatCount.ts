import { locale } from '../i18n/t.ts';

const counts = new Intl.NumberFormat(locale);

/** A number of things: `10,000`, as the reader writes it. */
export const formatCount = (count: number): string => counts.format(count);
