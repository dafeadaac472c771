/** What is told of resets that escaped a capture: as many as there are reasons for, each with its own. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { reasonsFor, type Hindrances, type Reason } from '../../src/health/hindrances.js';
import { FREE } from './made-up.js';

const LO = '127.0.0.1 80 127.0.0.1 50000';
const AWAY = '10.0.0.1 80 10.0.0.9 50000';

function reasons(left: number, more: Partial<Hindrances> = {}, failed = 0, tuples: readonly string[] = []): Reason[] {
  return reasonsFor(left, failed, tuples, { ...FREE, ...more });
}

/** "3 of …" without the sentence's end. */
function told(all: readonly Reason[]): [number, string][] {
  return all.map(({ resets, message }) => [resets, message.split(':')[0]!]);
}

describe('why resets were not captured', () => {
  test('nothing hindered: nothing is told', () => {
    expect(reasons(5)).toEqual([]);
    expect(reasons(0, { filter: 'port 80', interfaces: ['eth0'], dropped: 9, lost: true }, 9)).toEqual([]);
    expect(reasons(-3, { filter: 'port 80', interfaces: ['eth0'], dropped: 9, lost: true }, 9)).toEqual([]);
  });

  test('what TCP could not send comes first, and no more than that', () => {
    expect(reasons(5, {}, 2)).toEqual([
      {
        resets: 2,
        message:
          '2 resets that TCP counted and could not send (TCPAbortFailed): refused by a packet filter on the way out, no memory or no route',
        nextStep: 'sudo nft list ruleset',
      },
    ]);
    expect(told(reasons(1, {}, 7))).toEqual([[1, '1 reset that TCP counted and could not send (TCPAbortFailed)']]);
    expect(told(reasons(5, { filter: 'port 80' }, 2))).toEqual([
      [2, '2 resets that TCP counted and could not send (TCPAbortFailed)'],
      [3, '3 resets more counted'],
    ]);
  });

  test("the user's filter explains all that is left, in the user's words, made safe", () => {
    expect(reasons(5, { filter: 'port 80' })).toEqual([
      {
        resets: 5,
        message: '5 resets more counted: not captured, as by the filter "port 80"',
        nextStep: 'sudo rstscope live',
      },
    ]);
    expect(reasons(5, { filter: 'port 80\x1b[2J' })[0]?.message).toContain('"port 80·[2J"');
    expect(reasons(5, { filter: 'x'.repeat(500) })[0]?.message.length).toBeLessThan(200);
  });

  test('interfaces that were picked explain all that is left', () => {
    expect(reasons(1200, { interfaces: ['eth0', 'br0'] })).toEqual([
      {
        resets: 1200,
        message:
          '1,200 resets more counted: not captured, as by an interface that was not listened to (only eth0, br0 was)',
        nextStep: 'sudo rstscope live -i any',
      },
    ]);
    expect(reasons(1, { interfaces: ['e\x07'] })[0]?.message).toContain('(only e· was)');
  });

  test('how many of them were on lo is said where lo was not among the interfaces', () => {
    const message = (interfaces: string[], tuples: string[]): string =>
      reasons(3, { interfaces }, 0, tuples)[0]?.message ?? '';
    expect(message(['eth0'], [LO, LO, AWAY])).toMatch(/; 2 of them on lo$/);
    expect(message(['eth0'], ['::1 80 ::1 5', '10.0.0.1 80 10.0.0.1 5', AWAY])).toMatch(/; 2 of them on lo$/);
    expect(message(['eth0', 'lo'], [LO, LO, LO])).not.toContain('of them on lo');
    expect(message(['eth0'], [AWAY])).not.toContain('of them on lo');
  });

  test('a lost interface explains all, dropped packets as many as were dropped', () => {
    expect(told(reasons(5, { lost: true }))).toEqual([[5, '5 resets more counted']]);
    expect(reasons(5, { dropped: 2 })).toEqual([
      { resets: 2, message: '2 resets more counted: 2 packets dropped while capturing', nextStep: null },
    ]);
    expect(reasons(5, { dropped: 4000 })).toEqual([
      { resets: 5, message: '5 resets more counted: 4,000 packets dropped while capturing', nextStep: null },
    ]);
    expect(reasons(5, { dropped: 1 })[0]?.message).toBe('1 reset more counted: 1 packet dropped while capturing');
  });

  test('each reset has one reason, none has two', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5, max: 50 }),
        fc.nat(20),
        fc.record({
          filter: fc.option(fc.string()),
          interfaces: fc.option(fc.array(fc.constantFrom('lo', 'eth0'), { minLength: 1 })),
          dropped: fc.nat(30),
          lost: fc.boolean(),
        }),
        (left, failed, hindrances) => {
          const all = reasonsFor(left, failed, [LO], hindrances);
          const sum = all.reduce((total, { resets }) => total + resets, 0);
          const { filter, interfaces, lost, dropped } = hindrances;
          const explainsAll = filter !== null || interfaces !== null || lost;
          expect(sum).toBe(explainsAll ? Math.max(left, 0) : Math.min(Math.max(left, 0), failed + dropped));
          expect(all.every(({ resets }) => resets > 0)).toBe(true);
        },
      ),
    );
  });
});
