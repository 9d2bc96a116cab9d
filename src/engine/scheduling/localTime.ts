/** A moment as the clock on the wall of this machine shows it, `2026-11-23 14:05:09`. */
export function localTime(unixMs: number): string {
  const at = new Date(unixMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
