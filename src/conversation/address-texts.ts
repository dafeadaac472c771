/** Addresses as text, with those used last kept: most resets of a capture are between few hosts. */

import { ipv4Text, ipv6Text } from '../base/address.js';
import { word } from '../base/bytes.js';

const BITS = 14;
const SLOTS = 1 << BITS;

export class AddressTexts {
  private readonly words = new Uint32Array(SLOTS * 5);
  private readonly texts = new Array<string>(SLOTS).fill('');

  /** The address in row `i` of a column of four words a row. */
  text(column: Uint32Array, i: number, version: number): string {
    const at = i * 4;
    const a = word(column, at);
    const b = word(column, at + 1);
    const c = word(column, at + 2);
    const d = word(column, at + 3);
    const mixed = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 1031) ^ d, 0x9e3779b1) >>> 0;
    const slot = mixed >>> (32 - BITS);
    const { words, texts } = this;
    const s = slot * 5;
    const same =
      words[s] === a && words[s + 1] === b && words[s + 2] === c && words[s + 3] === d && words[s + 4] === version;
    if (same) return texts[slot] ?? '';
    const text = version === 4 ? ipv4Text(d) : ipv6Text(a, b, c, d);
    words[s] = a;
    words[s + 1] = b;
    words[s + 2] = c;
    words[s + 3] = d;
    words[s + 4] = version;
    texts[slot] = text;
    return text;
  }
}
