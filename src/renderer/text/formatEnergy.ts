import { JOULES_PER_KWH } from '../../domain/units.ts';
import { locale } from '../i18n/t.ts';

/** `0.35 Wh`, `120 Wh`, `1.4 kWh`. */
export function formatEnergy(joules: number): string {
  const kwh = joules / JOULES_PER_KWH;
  const [value, unit] = kwh < 0.5 ? [1000 * kwh, 'Wh'] : [kwh, 'kWh'];
  return `${value.toLocaleString(locale, { maximumSignificantDigits: 3 })} ${unit}`;
}
