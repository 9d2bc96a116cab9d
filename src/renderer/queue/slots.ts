/** A row's place in the page, which it keeps for as long as it is in sight. */
export interface Slot {
  readonly place: number;
  readonly key: string;
}

/**
 * Which row stands in which place. A row that comes into sight takes the place of one that went, and is drawn by changing what
 * differs: making its elements anew costs several times as much, and a scroll does it at each step.
 * @param before how it was, in the order in which the places follow each other in the page.
 * @param keys of the rows in sight, from top to bottom.
 * @param own whose place is given to no other: what has the focus must not become another row.
 * @param settled puts them in order from top to bottom, as those read who go by what follows what; while it scrolls they stay.
 */
export function placeRows(
  before: readonly Slot[],
  keys: readonly string[],
  own: string | null,
  settled: boolean,
): readonly Slot[] {
  const there = new Set(before.map(({ key }) => key));
  const inSight = new Set(keys);
  const coming = keys.filter((key) => !there.has(key));
  const slots = before.flatMap(({ place, key }): Slot[] => {
    if (inSight.has(key)) return [{ place, key }];
    const next = key === own ? undefined : coming.shift();
    return next === undefined ? [] : [{ place, key: next }];
  });
  const free = 1 + Math.max(-1, ...before.map(({ place }) => place));
  slots.push(...coming.map((key, index) => ({ place: free + index, key })));
  if (!settled) return slots;
  const at = new Map(keys.map((key, index) => [key, index]));
  return slots.sort((a, b) => at.get(a.key)! - at.get(b.key)!);
}
