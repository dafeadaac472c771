/**
 * Text from strangers, made safe to show: names, comments and payloads may carry escape sequences, line breaks and
 * bidirectional controls that would let a capture write to the reader's terminal.
 */

// Controls, format characters (bidirectional, zero-width), line and paragraph separators, lone surrogates.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Every character that could steer a terminal becomes "·"; at most `limit` characters are kept. */
export function printable(text: string, limit = 256): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(UNSAFE, '·');
}

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** UTF-8 bytes as text; what is not UTF-8 becomes U+FFFD. The first NUL ends the text, as options in the wild have it. */
export function utf8(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return decoder.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
}

/** 1234567 → "1,234,567". */
export function grouped(n: number): string {
  return Math.trunc(n)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** "1 reset", "2 resets", "1,203 resets". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}
