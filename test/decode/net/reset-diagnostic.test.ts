/** The diagnostic payload of a reset, alone and on its way to the evidence. */
import { describe, expect, test } from '@jest/globals';
import { resetDiagnostic } from '../../../src/decode/net/reset-diagnostic.js';
import { analyse, classic, frameOf, onlyEvent } from '../../report/analysing.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('a diagnostic payload', () => {
  test('gives a reason and whose list it is of', () => {
    expect(resetDiagnostic(bytes(0x33, 0xaa, 0, 1, 0, 0, 0, 0))).toEqual({ reason: 1, enterprise: 0 });
    expect(resetDiagnostic(bytes(0x33, 0xaa, 4, 210, 0, 0, 0x7e, 0xd9, 1))).toEqual({
      reason: 1234,
      enterprise: 32473,
    });
  });

  test('is none without its magic number, or cut', () => {
    expect(resetDiagnostic(bytes(0x33, 0xab, 0, 1, 0, 0, 0, 0))).toBeNull();
    expect(resetDiagnostic(bytes(0x33, 0xaa, 0, 1, 0, 0, 0))).toBeNull();
    expect(resetDiagnostic(bytes())).toBeNull();
  });

  test('is told as a claim of the sender, and is no sign of forgery', async () => {
    const payload = bytes(0x33, 0xaa, 0, 3, 0, 0, 0, 0);
    const event = onlyEvent(await analyse(classic([[0, frameOf({ payload })]])));
    expect(event.payload_text).toBeNull();
    expect(event.evidence).toContain("its diagnostic payload gives reason 3 of the IETF's list");
    expect(event.cause).not.toBe('injected');
  });
});
