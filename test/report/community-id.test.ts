/** Community IDs against those that the specification's baseline publishes. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { communityId } from '../../src/base/community-id.js';
import { addressPair, port } from '../support/arbitraries.js';

describe('the community ID', () => {
  test.each([
    ['128.232.110.120', 34855, '66.35.250.204', 80, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
    ['66.35.250.204', 80, '128.232.110.120', 34855, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
    ['2001:470:e5bf:dead:4957:2174:e82c:4887', 63943, '2607:f8b0:400c:c03::1a', 25, '1:/qFaeAR+gFe1KYjMzVDsMv+wgU4='],
  ])('%s:%i %s:%i', (src, srcPort, dst, dstPort, expected) => {
    expect(communityId(src, srcPort, dst, dstPort)).toBe(expected);
  });

  test('is the same from both ends', () => {
    fc.assert(
      fc.property(addressPair(), port(), port(), ({ src, dst }, a, b) => {
        expect(communityId(src, a, dst, b)).toBe(communityId(dst, b, src, a));
      }),
    );
  });
});
