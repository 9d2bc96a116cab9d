/**
 * Characters that a name or a log may hold to fool a reader: controls, and marks that reorder or hide text
 * (bidirectional overrides and isolates, zero-width characters, line separators, tags).
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the point.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * Text from outside, made harmless to look at: a control character becomes its picture (`␛`), any other
 * invisible mark its code (`‹U+202E›`). It is still only ever rendered as text.
 * @param keep characters to let through, such as a tab in a log.
 */
export function visibleText(text: string, keep = ''): string {
  return text.replace(INVISIBLE, (character) => {
    if (keep.includes(character)) return character;
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return '␡';
    return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
  });
}
