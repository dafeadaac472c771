/** What is told of an interface that was away. */
import { expect, test } from '@jest/globals';
import { Outages } from '../../../src/capture/live/outages.js';

test('nothing happened', () => {
  expect(new Outages('eth0').all).toEqual([]);
});

test('it came back', () => {
  const outages = new Outages('eth0');
  outages.begin(1000, 'went down');
  expect(outages.isOut).toBe(true);
  outages.end(2234.5678);
  expect(outages.isOut).toBe(false);
  expect(outages.all).toEqual([
    { interface: 'eth0', gapSeconds: 1.235, message: 'eth0 went down and was captured again 1.235 s later' },
  ]);
});

test('it did not', () => {
  const outages = new Outages('eth0');
  outages.begin(1000, 'went away');
  expect(outages.all).toEqual([
    { interface: 'eth0', gapSeconds: null, message: 'eth0 went away and was not captured again' },
  ]);
});

test('what is said first counts, and an end without a beginning is none', () => {
  const outages = new Outages('eth0');
  outages.end(1);
  outages.begin(1000, 'went down');
  outages.begin(1500, 'went away');
  outages.end(2000);
  outages.end(3000);
  expect(outages.all.map(({ message }) => message)).toEqual(['eth0 went down and was captured again 1 s later']);
});

test('a clock that stands still', () => {
  const outages = new Outages('eth0');
  outages.begin(1000, 'went down');
  outages.end(999);
  expect(outages.all[0]?.gapSeconds).toBe(0);
});

test('what flaps is summed up, and the last one is still told', () => {
  const outages = new Outages('eth0');
  for (let i = 0; i < 1000; i++) {
    outages.begin(i * 1000, 'went down');
    outages.end(i * 1000 + 100);
  }
  outages.begin(2_000_000, 'went away');
  const { all } = outages;
  expect(all.length).toBeLessThan(50);
  const [sum, last] = all.slice(-2);
  expect(sum?.message).toBe(
    `eth0 went away ${String(1000 - (all.length - 2))} more times, for ${String(sum?.gapSeconds)} s in all`,
  );
  expect(last).toEqual({ interface: 'eth0', gapSeconds: null, message: 'eth0 went away and was not captured again' });
  const seconds = all.reduce((total, { gapSeconds }) => total + (gapSeconds ?? 0), 0);
  expect(seconds).toBeCloseTo(100, 6);
});
