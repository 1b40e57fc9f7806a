/**
 * How long a string is in UTF-8, without making the bytes.
 *
 * Layer: node_ops, pure. A symbolic link's size is that of its target in bytes.
 *
 * @module
 */

/** Length of `text` in UTF-8, in bytes; a lone surrogate counts as its replacement, 3. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    if (isPair(unit, text.charCodeAt(index + 1))) index++;
  }
  return bytes;
}

function isPair(high: number, low: number): boolean {
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
}
