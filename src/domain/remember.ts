/**
 * Puts something into a memory that holds so much at most: what was put there longest ago is forgotten, since a map keeps its
 * order. What is put there again is as if it were new.
 */
export function remember<K, V>(memory: Map<K, V>, key: K, value: V, most: number): V {
  memory.delete(key);
  memory.set(key, value);
  if (memory.size > most) memory.delete(memory.keys().next().value!);
  return value;
}
