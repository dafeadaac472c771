/** Addresses as RFC 5952 writes them, read back, and in blocks; judged by Node's own. */
import { BlockList, isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addressTest,
  ipv4Text,
  ipv6Text,
  isLoopback,
  macText,
  parseAddress,
  parseBlock,
} from '../../src/base/address.js';
import * as arbitrary from '../support/arbitraries.js';
import { ipv6Bytes } from '../support/bytes.js';

type Words = [number, number, number, number];

function wordsOf(address: string): Words {
  const view = new DataView(ipv6Bytes(address).buffer);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}

const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });

describe('IPv4', () => {
  test.each([
    [0, '0.0.0.0'],
    [0xffffffff, '255.255.255.255'],
    [0x7f000001, '127.0.0.1'],
    [0xc0000214, '192.0.2.20'],
  ])('%i is %s', (word, text) => {
    expect(ipv4Text(word)).toBe(text);
    expect(parseAddress(text)).toEqual({ version: 4, words: [0, 0, 0xffff, word] });
  });

  test('there and back', () => {
    fc.assert(
      fc.property(arbitrary.uint32(), (word) => {
        expect(isIP(ipv4Text(word))).toBe(4);
        expect(parseAddress(ipv4Text(word))?.words[3]).toBe(word);
      }),
    );
  });
});

describe('IPv6', () => {
  test.each([
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:DB8::AB', '2001:db8::ab'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
    ['0:1:0:1:0:1:0:1', '0:1:0:1:0:1:0:1'],
    ['::1500:7', '::21.0.0.7'],
    ['::1:0', '::0.1.0.0'],
    ['::ffff', '::ffff'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:0:0', '::ffff:0.0.0.0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is %s', (long, short) => {
    expect(ipv6Text(...wordsOf(long))).toBe(short);
    for (const text of [long, short]) expect(parseAddress(text)).toEqual({ version: 6, words: wordsOf(long) });
  });

  test('as Node writes it', () => {
    fc.assert(
      fc.property(groups, (each) => {
        const long = each.map((group) => group.toString(16)).join(':');
        const text = ipv6Text(...wordsOf(long));
        expect(isIP(text)).toBe(6);
        expect(parseAddress(text)?.words).toEqual(wordsOf(long));
        // Node has no dotted form.
        if (!text.includes('.')) expect(text).toBe(new URL(`http://[${long}]`).hostname.slice(1, -1));
      }),
      { numRuns: 1000 },
    );
  });
});

test.each(['', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '::1%eth0', ':::', '1::2::3', '2001:db8'])(
  '%j is no address',
  (text) => {
    expect(parseAddress(text)).toBeNull();
    expect(parseBlock(text)).toBeNull();
  },
);

test.each([
  [0, 0, '00:00:00:00:00:00'],
  [0xffff, 0xffffffff, 'ff:ff:ff:ff:ff:ff'],
  [0x0200, 0x0a, '02:00:00:00:00:0a'],
])('MAC address %i %i', (high, low, text) => {
  expect(macText(high, low)).toBe(text);
});

describe('blocks', () => {
  test.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '::/129',
    '/8',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
  ])('%s is none', (text) => {
    expect(parseBlock(text)).toBeNull();
  });

  test.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['128.0.0.0/1', '255.0.0.1', true],
    ['128.0.0.0/1', '127.255.255.255', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '10.0.0.1', false],
    ['::ffff:0.0.0.0/96', '10.0.0.1', false],
    ['fe80::/10', 'febf::1', true],
    ['fe80::/10', 'fec0::1', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['2001:db8::1/128', '2001:db8::1', true],
    ['2001:db8::1/127', '2001:db8::', true],
  ])('%s and %s: %s', (block, address, expected) => {
    const parsed = parseBlock(block);
    expect(parsed).not.toBeNull();
    const holds = addressTest(parsed === null ? [] : [parsed]);
    expect([holds(address), holds(address)]).toEqual([expected, expected]);
  });

  test('as Node’s BlockList has it', () => {
    const words = fc.tuple(arbitrary.uint32(), arbitrary.uint32(), arbitrary.uint32(), arbitrary.uint32());
    fc.assert(
      fc.property(words, fc.nat(128), fc.nat(127), fc.boolean(), (base, bits, flipped, six) => {
        const limit = six ? 128 : 32;
        const length = Math.min(bits, limit);
        const other: Words = [...base];
        const bit = six ? flipped : 96 + (flipped % 32);
        other[bit >>> 5] = (other[bit >>> 5]! ^ (0x80000000 >>> (bit & 31))) >>> 0;
        const text = (w: Words): string => (six ? ipv6Text(...w) : ipv4Text(w[3]));
        const parsed = parseBlock(`${text(base)}/${length}`);
        const judge = new BlockList();
        judge.addSubnet(text(base), length, six ? 'ipv6' : 'ipv4');
        const holds = addressTest(parsed === null ? [] : [parsed]);
        for (const address of [base, other]) {
          // BlockList takes a mapped address for the IPv4 address in it; here it stays IPv6.
          fc.pre(!text(address).startsWith('::ffff:'));
          expect(holds(text(address))).toBe(judge.check(text(address), six ? 'ipv6' : 'ipv4'));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('no blocks hold nothing, and what is no address is in none', () => {
    expect(addressTest([])('10.0.0.1')).toBe(false);
    expect(addressTest([parseBlock('0.0.0.0/0')!])('nonsense')).toBe(false);
  });

  test('answers stay right past the bound of its memory', () => {
    const holds = addressTest([parseBlock('10.0.0.0/9')!]);
    const wrong = [];
    for (let n = 0; n < 70000; n++) {
      const address = ipv4Text(0x0a7f0000 + n);
      if (holds(address) !== n < 65536) wrong.push(address);
    }
    expect(wrong).toEqual([]);
    expect(holds('10.127.0.0')).toBe(true);
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['::1', true],
  ['128.0.0.1', false],
  ['12.7.0.1', false],
  ['::2', false],
])('%s is loopback: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
