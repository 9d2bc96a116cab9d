/**
 * Distribution function of the standard normal, by Hart's rational approximation of the tail as given in West 2005, "Better
 * approximations to cumulative normal functions": absolute error below 1e-14.
 */
export function normalCdf(z: number): number {
  const a = Math.abs(z);
  if (a > 37) return z > 0 ? 1 : 0;
  const density = Math.exp((-a * a) / 2);
  let tail: number;
  if (a < 7.07106781186547) {
    const above = NUMERATOR.reduce((sum, c) => sum * a + c, 0);
    const below = DENOMINATOR.reduce((sum, c) => sum * a + c, 0);
    tail = (density * above) / below;
  } else {
    tail = density / (a + 1 / (a + 2 / (a + 3 / (a + 4 / (a + 0.65))))) / 2.506628274631;
  }
  return z > 0 ? 1 - tail : tail;
}

const NUMERATOR = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
  221.213596169931, 220.206867912376,
];
const DENOMINATOR = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674,
  637.333633378831, 793.826512519948, 440.413735824752,
];

/**
 * Inverse of {@link normalCdf}: Acklam's rational approximation (2003), relative error below 1.2e-9.
 * @param p within (0, 1); ∓Infinity at its ends.
 */
export function normalQuantile(p: number): number {
  if (p <= 0) return Number.NEGATIVE_INFINITY;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p < 0.02425) return tailQuantile(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tailQuantile(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  return (
    (q * CENTRE_ABOVE.reduce((sum, c) => sum * r + c, 0)) / CENTRE_BELOW.reduce((sum, c) => sum * r + c, 0)
  );
}

function tailQuantile(q: number): number {
  return TAIL_ABOVE.reduce((sum, c) => sum * q + c, 0) / TAIL_BELOW.reduce((sum, c) => sum * q + c, 0);
}

const CENTRE_ABOVE = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
];
const CENTRE_BELOW = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
];
const TAIL_ABOVE = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BELOW = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
