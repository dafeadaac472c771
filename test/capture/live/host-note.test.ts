/** What a saved capture says of its host: read back as it was written, and with distrust. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  interfaceComment,
  readInterfaceComment,
  readSectionComment,
  sectionComment,
} from '../../../src/capture/host-note.js';
import { ipv4Address, ipv6Address } from '../../support/arbitraries.js';

const timestamps = fc.constantFrom('kernel' as const, 'arrival' as const);

describe('what was written is read', () => {
  test('of a section', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(ipv4Address(), ipv6Address()), { maxLength: 50 }), timestamps, (local, clock) => {
        const note = { local, timestamps: clock };
        expect(readSectionComment(sectionComment(note))).toEqual(note);
      }),
    );
  });

  test('of an interface', () => {
    fc.assert(
      fc.property(fc.option(fc.nat({ max: 0xffffffff })), fc.boolean(), (netns, stacked) => {
        expect(readInterfaceComment(interfaceComment({ netns, stacked }))).toEqual({ netns, stacked });
      }),
    );
  });
});

test('of very many addresses, those that an option can hold', () => {
  const local = Array.from(
    { length: 20_000 },
    (_, i) => `10.${String(i >> 16)}.${String((i >> 8) & 255)}.${String(i & 255)}`,
  );
  const comment = sectionComment({ local, timestamps: 'kernel' });
  expect(Buffer.byteLength(comment)).toBeLessThan(65_536);
  const read = readSectionComment(comment)?.local ?? [];
  expect(read.length).toBeGreaterThan(1000);
  expect(read).toEqual(local.slice(0, read.length));
});

describe('what others write', () => {
  test('is no note of ours', () => {
    for (const text of [
      '',
      'a comment',
      'rstscope host: ',
      'rstscope host: {',
      'rstscope host: null',
      'rstscope host: []',
      'rstscope host: {}',
    ]) {
      expect(readSectionComment(text)).toBeNull();
    }
    for (const text of ['', 'a comment', 'rstscope interface: ', 'rstscope interface: 1', 'rstscope interface: {}']) {
      expect(readInterfaceComment(text)).toBeNull();
    }
  });

  test('of the wrong shape is left out', () => {
    const section = (said: unknown): unknown => readSectionComment(`rstscope host: ${JSON.stringify(said)}`);
    expect(section({ timestamps: 'guessed', local: [] })).toBeNull();
    expect(section({ timestamps: 'kernel', local: '10.0.0.1' })).toBeNull();
    const local = ['10.0.0.1', 7, null, 'localhost', '10.0.0.256', `${'0'.repeat(100)}::1`, {}, '::1'];
    expect(section({ timestamps: 'kernel', local, more: 1 })).toEqual({
      timestamps: 'kernel',
      local: ['10.0.0.1', '::1'],
    });
    const one = (said: unknown): unknown => readInterfaceComment(`rstscope interface: ${JSON.stringify(said)}`);
    for (const netns of ['1', 1.5, 1e300, {}, [], true]) expect(one({ netns, stacked: true })).toBeNull();
    expect(one({ netns: 5, stacked: 'yes' })).toEqual({ netns: 5, stacked: false });
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        readSectionComment(`rstscope host: ${text}`);
        readInterfaceComment(`rstscope interface: ${text}`);
      }),
    );
  });
});
