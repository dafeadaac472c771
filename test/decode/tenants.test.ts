/** Numbers of tenants stay bounded, however many a capture has. */
import { expect, test } from '@jest/globals';
import { Tenants } from '../../src/decode/tenants.js';

test('past the limit numbers are made by hash, never 0, the same for the same', () => {
  const tenants = new Tenants();
  const tags = (n: number): { vlan: number[]; outer: []; interfaceName: null } => ({
    vlan: [n & 0xfff, n >>> 12],
    outer: [],
    interfaceName: null,
  });
  const limit = 1 << 16;
  const wrong = Array.from({ length: limit }, (_, n) => n).filter((n) => tenants.number(tags(n)) !== n + 1);
  expect(wrong).toEqual([]);
  const late = tenants.number(tags(limit));
  expect(late).toBeGreaterThanOrEqual(0x80000000);
  expect(tenants.number(tags(limit))).toBe(late);
  expect(tenants.number(tags(limit + 1))).not.toBe(late);
  expect(tenants.number(tags(0))).toBe(1);
});
