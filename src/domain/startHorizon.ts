/** How far ahead an estimate looked: by its median. */
const HORIZONS = [
  { name: 'under 1 min', toS: 60 },
  { name: '1 to 10 min', toS: 600 },
  { name: '10 to 60 min', toS: 3600 },
  { name: '1 to 6 h', toS: 6 * 3600 },
  { name: 'over 6 h', toS: Number.POSITIVE_INFINITY },
] as const;
export const HORIZON_NAMES = HORIZONS.map(({ name }) => name);
export type HorizonName = (typeof HORIZON_NAMES)[number];

/** @param aheadMs from when an estimate was made to its median. */
export const horizonOf = (aheadMs: number): HorizonName =>
  HORIZONS.find(({ toS }) => aheadMs < 1000 * toS)?.name ?? 'over 6 h';
