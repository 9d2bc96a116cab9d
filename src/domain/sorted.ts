/** How many of the ascending values are at most `most`. O(log n). */
export function countUpTo(values: ArrayLike<number>, most: number): number {
  return firstWhere(values, (value) => value > most);
}

/** How many of the ascending values are below `limit`. O(log n). */
export function countBelow(values: ArrayLike<number>, limit: number): number {
  return firstWhere(values, (value) => value >= limit);
}

/** Index of the first value of which something holds that holds of all after it; the length if there is none. O(log n). */
export function firstWhere<T>(values: ArrayLike<T>, holds: (value: T) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(values[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
