/** The small containers against arrays and sets. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Few } from '../../src/conversation/few.js';
import { Queue } from '../../src/conversation/queue.js';

describe('a queue', () => {
  test('gives back in order what was put in', () => {
    const steps = fc.array(fc.integer({ min: -300, max: 400 }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (bursts) => {
        const queue = new Queue<number>();
        const reference: number[] = [];
        let next = 0;
        for (const burst of bursts) {
          for (let i = 0; i < burst; i++) {
            queue.push(next);
            reference.push(next++);
          }
          for (let i = 0; i > burst; i--) expect(queue.shift()).toBe(reference.shift() ?? null);
          expect(queue.size).toBe(reference.length);
          expect(queue.first).toBe(reference[0] ?? null);
        }
      }),
    );
  });
});

describe('a set of few', () => {
  test('keeps the order of arrival, short or long', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 120 }), (members) => {
        const few = new Few<number>();
        for (const member of members) few.add(member);
        expect(few.members).toEqual([...new Set(members)]);
        for (let i = 0; i < 61; i++) expect(few.has(i)).toBe(members.includes(i));
      }),
    );
  });
});
