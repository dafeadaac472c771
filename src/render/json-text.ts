/**
 * JSON that is safe to look at: what could steer a terminal is written as an escape, so nothing is lost either.
 */

const PLAIN = /^[ -~]*$/;
// As in base/text.ts, but told by number: controls, format characters, separators of lines and paragraphs.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line without a line break. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return PLAIN.test(text) ? text : text.replace(UNSAFE, escaped);
}

function escaped(char: string): string {
  let text = '';
  for (let i = 0; i < char.length; i++) text += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return text;
}
