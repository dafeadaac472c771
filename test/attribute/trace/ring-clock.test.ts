/** The ring's clock against a wall clock that is told in whole milliseconds, is set and runs unevenly. */
import { describe, expect, test } from '@jest/globals';
import { RingClock } from '../../../src/attribute/trace/ring-clock.js';

const MS = 1e6;
const SECOND = 1e9;
const START = 5000 * SECOND;
const EPOCH = 1_790_000_000;

/** Two clocks; `ahead` is what the wall clock is ahead, in nanoseconds. */
class Clocks {
  readonly clock = new RingClock();
  mono = START;
  ahead = EPOCH * SECOND - START;
  /** Nanoseconds a nanosecond. */
  slew = 0;
  private seed = 1;

  /** Looks as a poll does: about every 10 ms, `late` nanoseconds between the one clock and the other. */
  poll(seconds: number, late: () => number = () => 200): void {
    for (const end = this.mono + seconds * SECOND; this.mono < end;) {
      this.pass(9 * MS + this.random() * 2 * MS);
      const wall = Math.floor((this.mono + this.ahead) / MS);
      this.pass(late());
      this.clock.look(wall, this.mono);
    }
  }

  /** What it says is wrong by, in microseconds. */
  get wrong(): number {
    return (this.clock.epoch(this.mono) * SECOND - (this.mono + this.ahead)) / 1000;
  }

  random(): number {
    this.seed = (this.seed * 48_271) % 2_147_483_647;
    return this.seed / 2_147_483_647;
  }

  private pass(ns: number): void {
    this.mono += ns;
    this.ahead += ns * this.slew;
  }
}

test('the first look is right within a millisecond', () => {
  const clocks = new Clocks();
  clocks.poll(0.005);
  expect(Math.abs(clocks.wrong)).toBeLessThan(1001);
});

test('many looks are right within 50 µs, and stay so', () => {
  const clocks = new Clocks();
  clocks.poll(1.5);
  for (let i = 0; i < 40; i++) {
    clocks.poll(0.25);
    expect(Math.abs(clocks.wrong)).toBeLessThan(50);
  }
});

test('looks that were interrupted make nothing worse', () => {
  const clocks = new Clocks();
  const late = () => (clocks.random() < 0.3 ? clocks.random() * 100 * MS : 200);
  clocks.poll(2, late);
  for (let i = 0; i < 20; i++) {
    clocks.poll(0.25, late);
    expect(Math.abs(clocks.wrong)).toBeLessThan(150);
  }
});

describe('the wall clock is set', () => {
  test.each([3600, 0.3, 0.01])('%d s ahead: at once', (by) => {
    const clocks = new Clocks();
    clocks.poll(3);
    clocks.ahead += by * SECOND;
    clocks.poll(0.005);
    expect(Math.abs(clocks.wrong)).toBeLessThan(1001);
    clocks.poll(2.5);
    expect(Math.abs(clocks.wrong)).toBeLessThan(50);
  });

  test.each([3600, 0.3, 0.01, 0.0005])('%d s back: within a few seconds', (by) => {
    const clocks = new Clocks();
    clocks.poll(3);
    clocks.ahead -= by * SECOND;
    clocks.poll(3);
    expect(Math.abs(clocks.wrong)).toBeLessThan(50);
  });
});

describe('the wall clock is slewed', () => {
  test.each([20e-6, -20e-6, 500e-6, -500e-6])('by %d: what it is wrong by is bounded', (slew) => {
    const clocks = new Clocks();
    clocks.poll(3);
    clocks.slew = slew;
    for (let i = 0; i < 40; i++) {
      clocks.poll(0.25);
      expect(Math.abs(clocks.wrong)).toBeLessThan(50 + Math.abs(slew) * 2.1e6);
    }
    clocks.slew = 0;
    clocks.poll(3);
    expect(Math.abs(clocks.wrong)).toBeLessThan(50);
  });
});
