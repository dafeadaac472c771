/**
 * The only unchecked reads in the program: callers have checked the length.
 *
 * An out-of-range index of a typed array reads `undefined` and would silently become 0, so every caller proves its
 * bounds first; nothing else in the program may index bytes with a non-null assertion.
 */

/** One byte. */
export function u8(b: Uint8Array, o: number): number {
  return b[o]!;
}

/** Two bytes, network order. */
export function u16(b: Uint8Array, o: number): number {
  return (b[o]! << 8) | b[o + 1]!;
}

/** Four bytes, network order, unsigned. */
export function u32(b: Uint8Array, o: number): number {
  return ((b[o]! << 24) | (b[o + 1]! << 16) | (b[o + 2]! << 8) | b[o + 3]!) >>> 0;
}

/** Two bytes, little-endian. */
export function u16le(b: Uint8Array, o: number): number {
  return b[o]! | (b[o + 1]! << 8);
}

/** Four bytes, little-endian, unsigned. */
export function u32le(b: Uint8Array, o: number): number {
  return (b[o]! | (b[o + 1]! << 8) | (b[o + 2]! << 16) | (b[o + 3]! << 24)) >>> 0;
}

/** An element of a column of words, for hot loops: a function that has met one type of array only is compiled for it. */
export function word(column: Uint32Array, i: number): number {
  return column[i]!;
}

/** An element of a column of signed words: links of a table, -1 for none. As `word`, for hot loops. */
export function link(column: Int32Array, i: number): number {
  return column[i]!;
}

/** An element of a column of numbers. As `word`, for hot loops. */
export function value(column: Float64Array, i: number): number {
  return column[i]!;
}

/** An element of any numeric column; the index is below the column's count. Not for hot loops: see `word`. */
export function num(column: Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array, i: number): number {
  return column[i]!;
}
