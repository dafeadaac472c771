/**
 * The alerts over a run, second by second, against tables worked out by hand. A table's row is one evaluation of
 * Netdata's: `recent` of [t-10, t], `minute` of [t-70, t-10], the limit that follows, the state. The sums are written
 * out; nothing of them was computed by what is tested.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AlertWatch } from '../../src/health/alert-watch.js';
import { increaseOf } from '../../src/health/increase.js';
import type { AlertRow, AlertState } from '../../src/report/types.js';
import { Run, timeAt } from './alerting.js';

/** One evaluation: the ten seconds until it at `perSecond`, and what is said then. */
type Evaluation = readonly [
  until: number,
  perSecond: number,
  value: number,
  threshold: number,
  state: AlertState,
  since: number,
];

/** A quiet 70 s, 1 reset a second; then the table. */
function follow(run: Run, table: readonly Evaluation[], row: () => AlertRow): void {
  for (const [until, perSecond, value, threshold, state, since] of table) {
    const [sent, failed] = row().id === 'netdata_resets_sent' ? [perSecond, 0] : [0, perSecond];
    for (let i = 1; i <= 10; i++) {
      const before = row();
      run.read(1, sent, failed);
      // Between two evaluations nothing changes.
      if (i < 10) expect(row()).toEqual(before);
    }
    expect([run.seconds, row()]).toMatchObject([until, { value, threshold, state, since: timeAt(since) }]);
  }
}

/** After a quiet 70 s: minute 60 × 1 / 60 = 1, taken as 5, × 10 = 50; recent 10 × 1 / 10 = 1. */
const QUIET = { state: 'clear', value: 1, threshold: 50, since: timeAt(70) };

// 100 a second from second 70 on, for good.
const BURST_THAT_STAYS: readonly Evaluation[] = [
  // [10, 70]: 60 × 1 = 60; 60 / 60 = 1 → 5; × 10 = 50. 100 > 50.
  [80, 100, 100, 50, 'warning', 80],
  // [20, 80]: 50 × 1 + 10 × 100 = 1050; / 60 = 17.5; × 1. 100 > 17.5.
  [90, 100, 100, 17.5, 'warning', 80],
  // [30, 90]: 40 + 20 × 100 = 2040; / 60 = 34.
  [100, 100, 100, 34, 'warning', 80],
  // [40, 100]: 30 + 3000 = 3030; / 60 = 50.5.
  [110, 100, 100, 50.5, 'warning', 80],
  // [50, 110]: 20 + 4000 = 4020; / 60 = 67.
  [120, 100, 100, 67, 'warning', 80],
  // [60, 120]: 10 + 5000 = 5010; / 60 = 83.5.
  [130, 100, 100, 83.5, 'warning', 80],
  // [70, 130]: 6000; / 60 = 100. 100 > 100 is false: the minute has caught up.
  [140, 100, 100, 100, 'clear', 140],
  // [80, 140]: 6000; / 60 = 100; clear again, so × 10.
  [150, 100, 100, 1000, 'clear', 140],
];

// 100 a second for ten seconds, then 20 a second.
const BURST_THAT_EBBS: readonly Evaluation[] = [
  [80, 100, 100, 50, 'warning', 80],
  // [20, 80]: 50 + 1000 = 1050; / 60 = 17.5. 20 > 17.5.
  [90, 20, 20, 17.5, 'warning', 80],
  // [30, 90]: 40 + 1000 + 200 = 1240; / 60 = 20.667. 20 > 20.667 is false.
  [100, 20, 20, 20.667, 'clear', 100],
  // [40, 100]: 30 + 1000 + 400 = 1430; / 60 = 23.833; × 10 = 238.333.
  [110, 20, 20, 238.333, 'clear', 100],
  // [50, 110]: 20 + 1000 + 600 = 1620; / 60 = 27; × 10.
  [120, 20, 20, 270, 'clear', 100],
];

// One burst, and nothing more.
const BURST_AND_SILENCE: readonly Evaluation[] = [
  [80, 100, 100, 50, 'warning', 80],
  // [20, 80]: 50 + 1000 = 1050; / 60 = 17.5. 0 > 17.5 is false.
  [90, 0, 0, 17.5, 'clear', 90],
  // [30, 90]: 40 + 1000 + 0 = 1040; / 60 = 17.333; × 10 = 173.333.
  [100, 0, 0, 173.333, 'clear', 90],
  // [40, 100]: 30 + 1000 = 1030; / 60 = 17.167; × 10 = 171.667.
  [110, 0, 0, 171.667, 'clear', 90],
  // A second burst of the same size: 100 > 170 is false. [50, 110]: 20 + 1000 = 1020; / 60 = 17; × 10 = 170.
  [120, 100, 100, 170, 'clear', 90],
  // [60, 120]: 10 + 1000 + 1000 = 2010; / 60 = 33.5; × 10 = 335. 335 > 335 is false, 336 would be.
  [130, 335, 335, 335, 'clear', 90],
  // [70, 130]: 1000 + 1000 + 3350 = 5350; / 60 = 89.167; × 10 = 891.667.
  [140, 892, 892, 891.667, 'warning', 140],
];

const TABLES: [string, readonly Evaluation[]][] = [
  ['a burst that stays', BURST_THAT_STAYS],
  ['a burst that ebbs', BURST_THAT_EBBS],
  ['bursts between silence', BURST_AND_SILENCE],
];

describe.each(TABLES)('%s', (_, table) => {
  test('of resets sent', () => {
    const run = new Run().each(70, 1);
    expect(run.sent).toMatchObject(QUIET);
    follow(run, table, () => run.sent);
    expect(run.failed).toMatchObject({ state: 'clear', value: 0, since: timeAt(70) });
  });
  test('of failed connections, which are judged alike', () => {
    const run = new Run().each(70, 0, 1);
    expect(run.failed).toMatchObject(QUIET);
    follow(run, table, () => run.failed);
    expect(run.sent).toMatchObject({ state: 'clear', value: 0, since: timeAt(70) });
  });
});

test('the two of Netdata are independent: one warns, falls and warns while the other does otherwise', () => {
  const run = new Run().each(70, 1, 1);
  const states = (): AlertState[] => [run.sent.state, run.failed.state];
  expect(states()).toEqual(['clear', 'clear']);
  // Sent as in the table above: 100 > 50. Failed stay 1 < 50.
  expect([run.each(10, 100, 1), states()][1]).toEqual(['warning', 'clear']);
  // Sent: 0 < 17.5. Failed: [20, 80] 60 × 1 / 60 = 1 → 50; 60 > 50.
  expect([run.each(10, 0, 60), states()][1]).toEqual(['clear', 'warning']);
  // Failed: [30, 90] 50 × 1 + 10 × 60 = 650; / 60 = 10.83; 11 > 10.83. Sent: 0.
  expect([run.each(10, 0, 11), states()][1]).toEqual(['clear', 'warning']);
  expect(run.failed.since).toBe(timeAt(90));
  expect(run.sent.since).toBe(timeAt(90));
});

describe('before 70 s of readings', () => {
  test('a burst is no warning; how far it is is said at each reading', () => {
    const run = new Run();
    expect(run.sent).toMatchObject({ state: 'undefined', value: null, threshold: null, since: timeAt(0) });
    for (let second = 1; second < 70; second++) {
      run.read(1, 1000);
      expect(run.sent).toMatchObject({ state: 'undefined', threshold: null, since: timeAt(0), value: 1000 });
      expect(run.sent.reason).toMatch(new RegExp(`^needs 70 s, has ${String(second)}$`));
    }
    run.read(1, 1000);
    // Minute and ten seconds are both 1000: × 10.
    expect(run.sent).toMatchObject({ state: 'clear', value: 1000, threshold: 10_000, since: timeAt(70) });
  });

  test('a burst of the first seconds is in the minute', () => {
    // [0, 60]: 10 × 100 + 50 × 1 = 1050; / 60 = 17.5; × 10 = 175. Recent: 176.
    const run = new Run().each(10, 100).each(50, 1).each(10, 176);
    expect(run.sent).toMatchObject({ state: 'warning', value: 176, threshold: 175, since: timeAt(70) });
  });
});

describe('silence', () => {
  test('after minutes without a reset the minute counts as 5: 50/s is clear', () => {
    // [.., ..]: 0 → 5; × 10 = 50. 10 × 50 / 10 = 50: not above.
    const run = new Run().each(600, 0);
    expect(run.sent).toMatchObject({ state: 'clear', value: 0, threshold: 50 });
    expect(run.each(10, 50).sent).toMatchObject({ state: 'clear', value: 50, threshold: 50, since: timeAt(70) });
  });
  test('and 50.1/s is a warning, which lasts while there are more than 5', () => {
    // (9 × 50 + 51) / 10 = 501 / 10 = 50.1.
    const run = new Run().each(600, 0).each(9, 50).each(1, 51);
    expect(run.sent).toMatchObject({ state: 'warning', value: 50.1, threshold: 50, since: timeAt(610) });
    // [550, 610]: 501 / 60 = 8.35. 8 > 8.35 is false.
    expect(run.each(10, 8).sent).toMatchObject({ state: 'clear', value: 8, threshold: 8.35, since: timeAt(620) });
  });
  test('a small burst that goes out: the floor is the limit of the fall, too', () => {
    // One second of 501, then 0 but one reset: [20, 80] is 501 / 60 = 8.35 at first.
    const run = new Run().each(79, 0).each(1, 501);
    expect(run.sent).toMatchObject({ state: 'warning', value: 50.1, threshold: 50, since: timeAt(80) });
    expect(run.each(9, 0).each(1, 84).sent).toMatchObject({ state: 'warning', value: 8.4, threshold: 8.35 });
    expect(run.each(10, 0).sent).toMatchObject({ state: 'clear', value: 0, since: timeAt(100) });
  });
});

describe('a host that was just started', () => {
  test('does not warn while it is up for 60 s or less', () => {
    // Up for second − 20. At 80: up 60. At 90: up 70; [20, 80]: 50 × 1 + 10 × 100 = 1050; / 60 = 17.5; × 10 = 175.
    const run = new Run({}, (second) => second - 20).each(70, 1).each(10, 100);
    expect(run.sent).toMatchObject({ state: 'clear', value: 100, threshold: 50, since: timeAt(70) });
    expect(run.sent.reason).toContain("no warning in the host's first minute (up 60 s;");
    expect(run.each(10, 176).sent).toMatchObject({ state: 'warning', value: 176, threshold: 175, since: timeAt(90) });
  });
  test('whose uptime nobody tells warns', () => {
    const run = new Run({}, () => null).each(70, 1).each(10, 100);
    expect(run.sent.state).toBe('warning');
  });
  test('the uptime is that of the evaluation, not of the late reading', () => {
    // Due at 80, when the host was up for 59.5 s; read at 80.9, when it is up for 60.4.
    const run = new Run({}, (second) => second - 20.5).each(79, 1).read(1.9, 1900);
    // At 80: [70, 80] 9 × 1 + 1000 = 1009; / 10 = 100.9.
    expect(run.sent).toMatchObject({ state: 'clear', value: 100.9, threshold: 50 });
  });
  test('counters that begin anew are no burst', () => {
    // OutRsts of a host that was started again: by the totals.
    const totals = [...Array.from({ length: 75 }, (_, i) => 4_000_000 + i), 0, 1, 2, 3, 4, 5];
    const run = new Run();
    totals.slice(1).forEach((total, i) => run.read(1, increaseOf(totals[i]!, total).by));
    // [70, 80]: 4 × 1, 0, 5 × 1 = 9 in 10 s.
    expect(run.sent).toMatchObject({ state: 'clear', value: 0.9, threshold: 50 });
  });
});

describe('readings that are not of whole seconds', () => {
  test('1.003 s apart: evaluated at 70, 80 … by what lies between the readings', () => {
    // 1003 in each 1.003 s: 1000 a second. Then, from the reading at 80.24 on, 20,060: 20,000 a second.
    const run = new Run();
    for (let i = 0; i < 70; i++) run.read(1.003, 1003);
    // 70 readings are 70.21 s: evaluated at 70, at the first reading behind it.
    expect(run.sent).toMatchObject({ state: 'clear', value: 1000, threshold: 10_000, since: timeAt(70.21) });
    for (let i = 0; i < 10; i++) run.read(1.003, 1003);
    expect(run.sent).toMatchObject({ state: 'clear', value: 1000, threshold: 10_000 });
    for (let i = 0; i < 10; i++) run.read(1.003, 20_060);
    // At 90: [80, 90] is 0.24 × 1000 + 9.76 × 20,000 = 240 + 195,200 = 195,440; / 10 = 19,544. [20, 80] is 1000.
    expect(run.sent).toMatchObject({ state: 'warning', value: 19_544, threshold: 10_000, since: timeAt(90.27) });
    for (let i = 0; i < 10; i++) run.read(1.003, 20_060);
    // At 100: [30, 90] is 50.24 × 1000 + 9.76 × 20,000 = 50,240 + 195,200 = 245,440; / 60 = 4090.667.
    expect(run.sent).toMatchObject({ state: 'warning', value: 20_000, threshold: 4090.667, since: timeAt(90.27) });
  });

  test('whenever they are made, an even rate is an even rate, and is evaluated as often', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 100, max: 2500 }), { minLength: 75, maxLength: 120 }), (steps) => {
        const run = new Run();
        let evaluated = 0;
        for (const milliseconds of steps) {
          run.read(milliseconds / 1000, (milliseconds * 250) / 1000);
          const due = Math.floor(run.seconds / 10 + 1e-9);
          expect(run.sent.state).toBe(due >= 7 ? 'clear' : 'undefined');
          if (due < 7) continue;
          expect(run.sent).toMatchObject({ value: 250, threshold: 2500 });
          evaluated = due;
        }
        expect(evaluated).toBe(run.seconds >= 70 ? Math.floor(run.seconds / 10 + 1e-9) : 0);
      }),
    );
  });

  test('every two seconds: the same table', () => {
    const run = new Run();
    for (let i = 0; i < 35; i++) run.read(2, 2);
    expect(run.sent).toMatchObject(QUIET);
    for (const [until, perSecond, value, threshold, state, since] of BURST_THAT_EBBS) {
      for (let i = 0; i < 5; i++) run.read(2, 2 * perSecond);
      expect([run.seconds, run.sent]).toMatchObject([until, { value, threshold, state, since: timeAt(since) }]);
    }
  });
});

describe('a gap in the readings', () => {
  test('what was counted in it is spread over it, and what was due in it is made up for', () => {
    // 1 a second until 80; then nothing is read until 110, when there are 3000: 100 a second.
    const run = new Run().each(80, 1);
    run.read(30, 3000);
    // At 90: [80, 90] 1000 / 10 = 100; [20, 80] 60 / 60 = 1 → 50: warning. At 100: [30, 90] 50 + 1000 = 1050; / 60 =
    // 17.5. At 110: [40, 100] 40 + 2000 = 2040; / 60 = 34. 100 > 34.
    expect(run.sent).toMatchObject({ state: 'warning', value: 100, threshold: 34, since: timeAt(110) });
    expect(run.each(9, 100).sent.threshold).toBe(34);
    // At 120: [50, 110] 30 + 3000 = 3030; / 60 = 50.5.
    expect(run.read(1, 100).sent).toMatchObject({ state: 'warning', threshold: 50.5, since: timeAt(110) });
  });
  test('a burst and its end, both in a gap: clear, since the moment that this was seen', () => {
    const run = new Run().each(80, 1).each(10, 100);
    expect(run.sent).toMatchObject({ state: 'warning', since: timeAt(90) });
    run.read(40, 40);
    // At 100: [30, 90] 50 + 1000 = 1050; / 60 = 17.5; 1 < 17.5.
    expect(run.sent).toMatchObject({ state: 'clear', value: 1, since: timeAt(130) });
  });
});

describe('failed connections, by LogicMonitor', () => {
  test('there is no threshold but the one the user sets', () => {
    const run = new Run().each(200, 5, 1000);
    expect(run.row('logicmonitor_failed_connections')).toMatchObject({
      ...{ state: 'undefined', value: 1000, threshold: null, since: timeAt(0) },
      reason: 'no published threshold: --warn-failed N sets one',
    });
    expect(run.watch.rows.map(({ id }) => id)).toEqual([
      'netdata_resets_sent',
      'netdata_resets_received',
      'logicmonitor_failed_connections',
    ]);
  });

  test('with one it is judged at every reading, from the second on', () => {
    const run = new Run({ failed: 12 });
    const row = (): AlertRow => run.row('logicmonitor_failed_connections');
    expect(row()).toMatchObject({ state: 'undefined', value: null, threshold: 12, since: timeAt(0) });
    expect([run.each(1, 0, 12), row()][1]).toMatchObject({ state: 'clear', value: 12, since: timeAt(1) });
    expect([run.each(9, 0, 12), row()][1]).toMatchObject({ state: 'clear', value: 12, since: timeAt(1) });
    // [1, 11]: (9 × 12 + 13) / 10 = 12.1.
    expect([run.each(1, 0, 13), row()][1]).toMatchObject({ state: 'warning', value: 12.1, since: timeAt(11) });
    // [2, 12]: (8 × 12 + 13 + 11) / 10 = 120 / 10 = 12: not above.
    expect([run.each(1, 0, 11), row()][1]).toMatchObject({ state: 'clear', value: 12, since: timeAt(12) });
    expect(run.failed.state).toBe('undefined');
  });

  test('a limit for resets sent is a row of its own, of OutRsts', () => {
    const run = new Run({ sent: 3 }).each(10, 4, 900);
    expect(run.row('resets_sent')).toMatchObject({ state: 'warning', value: 4, threshold: 3, since: timeAt(1) });
    expect(run.row('resets_sent').reason).toBe('4/s, above 3/s (--warn-sent)');
    expect(run.row('logicmonitor_failed_connections').state).toBe('undefined');
  });
});

test('a counter that the kernel lacks stays without a value', () => {
  const watch = new AlertWatch({ sent: null, failed: 5 }, 'here');
  for (let at = 0; at <= 100; at++) watch.add({ at, uptime: null, time: timeAt(at) }, new Map([['OutRsts', 1]]));
  expect(watch.rows.map(({ state, value }) => [state, value])).toEqual([
    ['clear', 1],
    ['undefined', null],
    ['undefined', null],
  ]);
  expect(watch.rows[1]?.reason).toBe('needs 70 s, has 0');
});

test('each says which counter it looks at, and what that counts where', () => {
  const { rows } = new Run({ sent: 3 }).watch;
  expect(rows.map(({ id, counter }) => [id, counter])).toEqual([
    ['netdata_resets_sent', 'OutRsts'],
    ['netdata_resets_received', 'AttemptFails'],
    ['logicmonitor_failed_connections', 'AttemptFails'],
    ['resets_sent', 'OutRsts'],
  ]);
  for (const { counter, counts } of rows) {
    expect(counts).toMatch(
      counter === 'OutRsts' ? /^resets that TCP sends / : /^connections that end in their handshake /,
    );
    expect(counts).toContain("in the host's network namespace");
  }
});
