/** Which traced reset is which captured one: by tuple, by time, in whatever order they come, and quickly in a flood. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SendMatch, type CapturedSend, type TracedSend } from '../../src/health/send-match.js';
import { bestOf } from '../support/stopwatch.js';

/** Seconds: numbers whose sums are exact. */
const EARLY = 1 / 128;
const LATE = 2;
const AT = 1_772_366_400;

const TUPLE = '10.0.0.1 443 10.0.0.9 50000';

function traced(at = 0, tuple = TUPLE, netns: number | null = null): TracedSend {
  return { tuple, at: AT + at, mono: at * 1e9, netns, manner: 'passive' };
}

function captured(at = 0, tuples: string | readonly string[] = TUPLE, netns: number | null = 1): CapturedSend {
  return {
    tuples: typeof tuples === 'string' ? [tuples] : tuples,
    at: AT + at,
    netns,
    mayBeCopy: false,
    isOwn: true,
    manners: ['passive'],
  };
}

type Step = { readonly trace: TracedSend } | { readonly capture: CapturedSend };

function run(...steps: readonly Step[]): SendMatch {
  const match = new SendMatch({ early: EARLY, late: LATE, listener: 0 });
  for (const step of steps) {
    if ('trace' in step) match.trace(step.trace);
    else match.capture(step.capture);
  }
  return match;
}

/** What was matched, what was sent and not captured, what was captured and not sent: whichever of the two came first. */
function bothWays(traces: readonly TracedSend[], captures: readonly CapturedSend[]): [number, number, number] {
  const sent = traces.map((trace) => ({ trace }));
  const seen = captures.map((capture) => ({ capture }));
  const [one, other] = [run(...sent, ...seen), run(...seen, ...sent)];
  const counts = ({ matched, unseen, unsent }: SendMatch): [number, number, number] => [
    ...([matched, unseen.length, unsent.length] as const),
  ];
  expect(counts(other)).toEqual(counts(one));
  return counts(one);
}

describe('one reset', () => {
  test('that was traced and captured is neither unseen nor unsent', () => {
    expect(bothWays([traced()], [captured()])).toEqual([1, 0, 0]);
  });

  test('that is only one of the two is left, as it is', () => {
    const { unseen, unsent, matched } = run({ trace: traced(1) }, { capture: captured(2, '10.0.0.1 80 10.0.0.9 1') });
    expect([unseen, unsent, matched]).toEqual([[traced(1)], [captured(2, '10.0.0.1 80 10.0.0.9 1')], 0]);
    expect(run().unseen).toEqual([]);
  });

  test('of another port, address, or the other direction is another one', () => {
    for (const other of [
      '10.0.0.1 443 10.0.0.9 50001',
      '10.0.0.1 444 10.0.0.9 50000',
      '10.0.0.2 443 10.0.0.9 50000',
      '10.0.0.1 443 10.0.0.8 50000',
      '10.0.0.9 50000 10.0.0.1 443',
    ])
      expect(bothWays([traced(0, other)], [captured()])).toEqual([0, 1, 1]);
  });

  test('is stamped a little before the trace, or up to two seconds behind it', () => {
    expect(bothWays([traced(0)], [captured(-EARLY)])).toEqual([1, 0, 0]);
    expect(bothWays([traced(0)], [captured(LATE)])).toEqual([1, 0, 0]);
    expect(bothWays([traced(0)], [captured(-EARLY - 1 / 1024)])).toEqual([0, 1, 1]);
    expect(bothWays([traced(0)], [captured(LATE + 1 / 1024)])).toEqual([0, 1, 1]);
  });

  test('counts for the namespace that has its source address, else for the one that the trace knows', () => {
    const { matchedByNetns } = run(
      ...[{ trace: traced(0, TUPLE, 99) }, { capture: captured(0, TUPLE, 5) }],
      ...[{ capture: captured(9, TUPLE, 5) }, { trace: traced(9) }],
      ...[{ trace: traced(20) }, { capture: captured(20, TUPLE, null) }],
      ...[{ trace: traced(30) }, { capture: captured(40, TUPLE, 7) }],
    );
    expect([...matchedByNetns]).toEqual([
      [5, 2],
      [null, 1],
    ]);
  });
});

describe('several of one tuple', () => {
  test('find each the one that lies nearest', () => {
    const traces = [0, 0.25, 0.5].map((at) => ({ trace: traced(at) }));
    expect(run(...traces, { capture: captured(0.25) }).unseen.map(({ at }) => at - AT)).toEqual([0, 0.5]);
    expect(run(...traces, { capture: captured(0.5625) }).unseen.map(({ at }) => at - AT)).toEqual([0, 0.25]);
    const captures = [0, 0.25, 0.5].map((at) => ({ capture: captured(at) }));
    expect(run(...captures, { trace: traced(0.25) }).unsent.map(({ at }) => at - AT)).toEqual([0, 0.5]);
    // The one before is nearer, and too early.
    expect(run(...captures, { trace: traced(0.25 + 2 * EARLY) }).unsent.map(({ at }) => at - AT)).toEqual([0, 0.25]);
  });

  test('are as many as there are, also at one moment', () => {
    expect(bothWays([traced(), traced(), traced()], [captured(), captured()])).toEqual([2, 1, 0]);
    expect(bothWays([traced(), traced()], [captured(), captured(), captured()])).toEqual([2, 0, 1]);
  });

  test('what waits in vain is not taken later', () => {
    expect(bothWays([traced(0), traced(10)], [captured(10), captured(13)])).toEqual([1, 1, 1]);
  });

  test('come a little out of order, as frames of several interfaces do', () => {
    const order = [0.25, 0, 0.5, 0.375, 0.75];
    const traces = order.map((at) => traced(at));
    expect(
      bothWays(
        traces,
        [...order].sort((a, b) => a - b).map((at) => captured(at)),
      ),
    ).toEqual([5, 0, 0]);
  });
});

describe('what a NAT made of it', () => {
  test('is found under whichever tuple the trace has', () => {
    const masqueraded = '192.0.2.1 61000 10.0.0.9 50000';
    const both = [captured(0, [TUPLE, masqueraded])];
    expect(bothWays([traced()], both)).toEqual([1, 0, 0]);
    expect(bothWays([traced(0, masqueraded)], both)).toEqual([1, 0, 0]);
    // It is one reset, whatever is traced.
    expect(bothWays([traced(), traced(0, masqueraded)], both)).toEqual([1, 1, 0]);
  });
});

describe("a listener's answer, of which the trace has one end", () => {
  const at443 = (ip: string): string => `10.0.0.1 443 ${ip} 50000`;

  test.each(['10.0.0.1 443 0.0.0.0 0', '0.0.0.0 443 0.0.0.0 0', ':: 443 :: 0', ':: 443 0.0.0.0 0'])(
    '%s',
    (listener) => {
      expect(bothWays([traced(0, listener)], [captured()])).toEqual([1, 0, 0]);
      expect(bothWays([traced(0, listener)], [captured(0, '10.0.0.1 444 10.0.0.9 50000')])).toEqual([0, 1, 1]);
      // Nor what comes to the port.
      expect(bothWays([traced(0, listener)], [captured(0, '10.0.0.9 50000 10.0.0.1 443')])).toEqual([0, 1, 1]);
    },
  );

  test('of IPv6', () => {
    expect(bothWays([traced(0, 'fd00::1 443 :: 0')], [captured(0, 'fd00::1 443 fd00::9 50000')])).toEqual([1, 0, 0]);
    expect(bothWays([traced(0, ':: 443 :: 0')], [captured(0, 'fd00::1 443 fd00::9 50000')])).toEqual([1, 0, 0]);
  });

  test('of another address of this machine is another one', () => {
    expect(bothWays([traced(0, '10.0.0.2 443 0.0.0.0 0')], [captured()])).toEqual([0, 1, 1]);
  });

  test('many peers, one listener: as many as were answered', () => {
    const answers = [1, 2, 3, 4].map((i) => traced(i / 1024, '10.0.0.1 443 0.0.0.0 0'));
    const frames = [1, 2, 3, 4, 5].map((i) => captured(i / 1024, at443(`10.0.1.${i}`)));
    expect(bothWays(answers, frames)).toEqual([4, 0, 1]);
    expect(bothWays(answers, frames.slice(0, 3))).toEqual([3, 1, 0]);
  });

  test('its own tuple comes before that of a listener', () => {
    const both = [{ trace: traced(0, '10.0.0.1 443 0.0.0.0 0') }, { trace: traced(0.5) }];
    expect(run(...both, { capture: captured(0.5) }).unseen).toEqual([traced(0, '10.0.0.1 443 0.0.0.0 0')]);
    expect(run(...both, { capture: captured(0) }).unseen).toHaveLength(1);
  });
});

describe('the room', () => {
  const FULL = 200_000;

  test('is for 200,000 that wait, of each kind; the oldest goes, and it is said', () => {
    const match = new SendMatch({ early: EARLY, late: LATE, listener: 0 });
    for (let i = 0; i < FULL; i++) match.trace(traced(0, closedPort(i)));
    for (let i = 0; i < FULL; i++) match.capture(captured(0, closedPort(i + 1_000_000)));
    expect(match.overflowed).toBe(false);
    match.trace(traced(0, closedPort(FULL)));
    expect(match.overflowed).toBe(true);
    expect(match.unseen).toHaveLength(FULL);
    expect(match.unseen[0]?.tuple).toBe(closedPort(1));
    // It is not found any more, and others are.
    match.capture(captured(0, closedPort(0)));
    expect(match.matched).toBe(0);
    match.capture(captured(0, closedPort(1)));
    expect(match.matched).toBe(1);
  });

  test('is not taken by those that found each other', () => {
    const match = new SendMatch({ early: EARLY, late: LATE, listener: 0 });
    for (let i = 0; i < 2 * FULL; i++) {
      match.trace(traced(i / 1024));
      match.capture(captured(i / 1024));
    }
    expect([match.matched, match.overflowed, match.unseen.length]).toEqual([2 * FULL, false, 0]);
  });
});

const FLOOD = 200_000;
const FLOOD_MS = 2000;

/** So many a second, each captured 400 ms after it was traced. */
function flood(perSecond: number, tuple: (i: number) => string): void {
  const match = new SendMatch({ early: EARLY, late: LATE, listener: 0 });
  const behind = Math.round(0.4 * perSecond);
  for (let i = 0; i < FLOOD + behind; i++) {
    if (i < FLOOD) match.trace(traced(i / perSecond, tuple(i)));
    const j = i - behind;
    if (j >= 0) match.capture(captured(j / perSecond, closedPort(j)));
  }
  expect([match.matched, match.unseen.length, match.unsent.length, match.overflowed]).toEqual([FLOOD, 0, 0, false]);
}

function closedPort(i: number): string {
  return `10.0.0.1 443 10.${i >> 16}.${(i >> 8) & 255}.${i & 255} 50000`;
}

test('a flood of 200,000 answers, each of its own tuple, 100,000 a second, takes less than 2 s', () => {
  expect(bestOf(FLOOD_MS, () => flood(100_000, closedPort))).toBeLessThan(FLOOD_MS);
});

/** Of one tuple within the time in which all may belong together: moments of the trace, and of the capture. */
const moment = fc.nat(230).map((n) => n / 128);
const group = fc.record({ sent: fc.array(moment, { maxLength: 8 }), seen: fc.array(moment, { maxLength: 8 }) });

/** As many pairs as there can be: each captured one, in order, with the earliest that is left of those it may be. */
function mostPairs(sent: readonly number[], seen: readonly number[]): number {
  const left = [...sent].sort((a, b) => a - b);
  let pairs = 0;
  for (const at of [...seen].sort((a, b) => a - b)) {
    const found = left.findIndex((one) => at >= one - EARLY && at <= one + LATE);
    if (found < 0) continue;
    left.splice(found, 1);
    pairs++;
  }
  return pairs;
}

test('in whatever order trace and capture come, each in its own, as many are left of each', () => {
  fc.assert(
    fc.property(fc.array(group, { minLength: 1, maxLength: 5 }), fc.infiniteStream(fc.boolean()), (groups, order) => {
      // Each other tuple twice, far apart in time.
      const all = groups.map(({ sent, seen }, i) => ({
        ...{ sent, seen, start: 10 * (i >> 1), tuple: `10.0.0.1 443 10.0.0.9 ${1000 + (i & 1)}` },
      }));
      const traces = all
        .flatMap(({ sent, start, tuple }) => sent.map((at) => traced(start + at, tuple)))
        .sort((a, b) => a.at - b.at);
      const captures = all
        .flatMap(({ seen, start, tuple }) => seen.map((at) => captured(start + at, tuple)))
        .sort((a, b) => a.at - b.at);
      const match = new SendMatch({ early: EARLY, late: LATE, listener: 0 });
      const [sents, seens] = [[...traces], [...captures]];
      while (sents.length + seens.length > 0) {
        const isTrace = seens.length === 0 || (sents.length > 0 && order.next().value);
        if (isTrace) match.trace(sents.shift()!);
        else match.capture(seens.shift()!);
      }
      const pairs = all.reduce((sum, { sent, seen }) => sum + mostPairs(sent, seen), 0);
      expect([match.matched, match.unseen.length, match.unsent.length]).toEqual([
        ...[pairs, traces.length - pairs, captures.length - pairs],
      ]);
      expect(match.overflowed).toBe(false);
    }),
    { numRuns: 500 },
  );
});

describe('an answer of a listener', () => {
  const tolerance = { early: EARLY, late: LATE, listener: 1 / 2048 };
  const ANSWER = '10.0.0.1 80 0.0.0.0 0';
  const answered = '10.0.0.1 80 10.0.0.9 50000';
  const other = '10.0.0.1 80 10.0.0.7 4444';

  test('is sure where it is stamped at once, and nobody else answers for the port', () => {
    const match = new SendMatch(tolerance);
    match.trace(traced(0, ANSWER));
    match.capture(captured(1 / 4096, answered));
    match.settle();
    expect([match.matched, match.doubts.listeners]).toEqual([1, 0]);
  });

  test('is in doubt where it is stamped later', () => {
    const match = new SendMatch(tolerance);
    match.trace(traced(0, ANSWER));
    match.capture(captured(1 / 1024, answered));
    match.settle();
    expect([match.matched, match.doubts.listeners]).toEqual([1, 1]);
  });

  test('is in doubt where somebody else sends resets from its port', () => {
    const match = new SendMatch(tolerance);
    match.trace(traced(0, ANSWER));
    match.capture(captured(1 / 4096, answered));
    match.capture(captured(1, other));
    match.settle();
    expect([match.matched, match.unsent.length, match.doubts.listeners]).toEqual([1, 1, 1]);
  });
});
