/** Unchecked reads, in both byte orders, as DataView has them. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { num, u16, u16le, u32, u32le, u8, word } from '../../src/base/bytes.js';

test('as DataView reads', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 16 }), fc.nat(12), (bytes, offset) => {
      const at = Math.min(offset, bytes.length - 4);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      expect([u8(bytes, at), u16(bytes, at), u32(bytes, at), u16le(bytes, at), u32le(bytes, at)]).toEqual([
        view.getUint8(at),
        view.getUint16(at),
        view.getUint32(at),
        view.getUint16(at, true),
        view.getUint32(at, true),
      ]);
    }),
  );
});

test('columns of any kind', () => {
  expect(num(Float64Array.of(0, 0.5), 1)).toBe(0.5);
  expect(num(Int32Array.of(-1), 0)).toBe(-1);
  expect(word(Uint32Array.of(0xffffffff), 0)).toBe(0xffffffff);
});
