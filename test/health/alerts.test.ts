/** Each alert's formula on readings whose means were worked out by hand: at its limits, with the guard, in words. */
import { describe, expect, test } from '@jest/globals';
import { fixedRule, netdataRule, type Moment, type Verdict } from '../../src/health/alerts.js';
import { Series } from '../../src/health/series.js';
import type { AlertState } from '../../src/report/types.js';

const NETDATA = netdataRule('netdata_resets_sent', 'OutRsts');

/** A reading a second from second 0 on: "60×1 10×50" is a minute of 1 a second, then ten seconds of 50 a second. */
function seriesOf(spans = ''): Series {
  const series = new Series();
  let at = 0;
  series.add(at, 0);
  for (const [, seconds, perSecond] of spans.matchAll(/(\d+)×(\d+)/g)) {
    for (let i = 0; i < Number(seconds); i++) series.add(++at, Number(perSecond));
  }
  return series;
}

function judged(series: Series, moment: Partial<Moment> = {}, before: AlertState = 'clear'): Verdict {
  return NETDATA.judge(series, { at: series.end ?? 0, uptime: 90_000, ...moment }, before);
}

describe('10s_ip_tcp_resets_sent', () => {
  test('looks at OutRsts by the name it was given', () => {
    expect([NETDATA.id, NETDATA.counter]).toEqual(['netdata_resets_sent', 'OutRsts']);
  });

  test('cannot tell before 70 s of readings are there, and says how many there are', () => {
    const reason = (seconds: number): string => {
      const verdict = judged(seriesOf(`${seconds}×1000`), {}, 'undefined');
      expect(verdict).toMatchObject({ state: 'undefined', threshold: null });
      return verdict.reason;
    };
    expect(reason(0)).toMatch(/^needs 70 s, has 0$/);
    expect(reason(1)).toMatch(/^needs 70 s, has 1$/);
    expect(reason(69)).toMatch(/^needs 70 s, has 69$/);
    expect(judged(seriesOf('70×1000')).state).toBe('clear');
    expect(judged(new Series(), { at: 5 })).toMatchObject({ state: 'undefined', value: null, threshold: null });
  });

  test('tells its figure meanwhile: of the last ten seconds, or of what there is of them', () => {
    expect(judged(seriesOf('4×20')).value).toBe(20);
    // 5 s × 20 and 5 s × 40 are 300 in 10 s.
    expect(judged(seriesOf('30×20 5×40')).value).toBe(30);
    expect(judged(seriesOf()).value).toBeNull();
  });

  // The mean of [t-10, t] against ten times that of [t-70, t-10], at least 5.
  const RISES: [what: string, spans: string, value: number, threshold: number, state: AlertState][] = [
    // Minute 60 × 0 = 0 → 5 × 10 = 50. Recent 10 × 50 / 10 = 50: not above.
    ['at the threshold of the floor', '60×0 10×50', 50, 50, 'clear'],
    // Recent (9 × 50 + 51) / 10 = 501 / 10 = 50.1.
    ['one reset above it', '60×0 9×50 1×51', 50.1, 50, 'warning'],
    // Minute (6 × 4 + 54 × 5) / 60 = 294 / 60 = 4.9 → 5 × 10 = 50.
    ['a minute just below the floor', '6×4 54×5 10×51', 51, 50, 'warning'],
    // Minute 60 × 6 / 60 = 6; × 10 = 60. Recent 60: not above.
    ['at the threshold of a busy minute', '60×6 10×60', 60, 60, 'clear'],
    ['above that of a busy minute', '60×6 10×61', 61, 60, 'warning'],
    // All in one second: 501 / 10 = 50.1.
    ['a burst of one second', '60×0 9×0 1×501', 50.1, 50, 'warning'],
    // The burst lies in the minute, not in the last ten seconds: (50 × 0 + 10 × 600) / 60 = 100; × 10 = 1000.
    ['a burst that is over', '50×0 10×600 10×0', 0, 1000, 'clear'],
    // What lies further back is nothing to it: [t-70, t-10] has 0.
    ['a burst of more than a minute ago', '10×90000 60×0 10×51', 51, 50, 'warning'],
  ];
  test.each(RISES)('%s', (_, spans, value, threshold, state) => {
    const verdict = judged(seriesOf(spans));
    expect(verdict.state).toBe(state);
    expect(verdict.value).toBeCloseTo(value, 9);
    expect(verdict.threshold).toBeCloseTo(threshold, 9);
  });

  // The same means, while it warns already: once the minute, not ten times.
  const HOLDS: typeof RISES = [
    // Minute (50 × 1 + 10 × 100) / 60 = 1050 / 60 = 17.5. Recent 100.
    ['holds', '50×1 10×100 10×100', 100, 17.5, 'warning'],
    ['falls where recent is the minute', '60×100 10×100', 100, 100, 'clear'],
    // (9 × 100 + 101) / 10 = 1001 / 10 = 100.1.
    ['holds by a hair', '60×100 9×100 1×101', 100.1, 100, 'warning'],
    // The floor counts here, too: 5 × 1.
    ['falls at the floor', '60×0 10×5', 5, 5, 'clear'],
    // (9 × 5 + 6) / 10 = 51 / 10 = 5.1.
    ['holds above the floor', '60×0 9×5 1×6', 5.1, 5, 'warning'],
    ['falls into silence', '60×100 10×0', 0, 100, 'clear'],
  ];
  test.each(HOLDS)('while it warns: %s', (_, spans, value, threshold, state) => {
    const verdict = judged(seriesOf(spans), {}, 'warning');
    expect(verdict.state).toBe(state);
    expect(verdict.value).toBeCloseTo(value, 9);
    expect(verdict.threshold).toBeCloseTo(threshold, 9);
  });

  test('undefined before is not warning before', () => {
    // Above once the minute, not above ten times.
    expect(judged(seriesOf('60×10 10×20'), {}, 'undefined')).toMatchObject({ state: 'clear', threshold: 100 });
  });

  test('no warning while the host is up for 60 s or less, whatever was before', () => {
    const burst = seriesOf('60×0 10×100');
    for (const before of ['undefined', 'clear', 'warning'] as const) {
      expect(judged(burst, { uptime: 12.9 }, before).state).toBe('clear');
      expect(judged(burst, { uptime: 60 }, before).state).toBe('clear');
      expect(judged(burst, { uptime: 60.01 }, before).state).toBe('warning');
      expect(judged(burst, { uptime: null }, before).state).toBe('warning');
    }
    expect(judged(burst, { uptime: 12.9 }).reason).toContain("no warning in the host's first minute (up 12 s;");
  });

  test('says in words what it compared', () => {
    expect(judged(seriesOf('60×1 10×100')).reason).toBe(
      "100/s in the last 10 s, above 50/s: 10 times the minute before (1/s, taken as 5); the host's uptime stands for the agent's",
    );
    expect(judged(seriesOf('60×120 10×1234'), {}, 'warning').reason).toMatch(
      /^1,234\/s in the last 10 s, above 120\/s: 1 times the minute before \(120\/s\);/,
    );
    expect(judged(seriesOf('60×0 9×0 1×3')).reason).toMatch(/^0\.3\/s in the last 10 s, not above 50\/s:/);
  });

  test('may be asked of a moment between two readings', () => {
    // At 75.5: [65.5, 75.5] has 4.5 × 0 + 5.5 × 100 = 550 → 55; [5.5, 65.5] has 0 → 50.
    const verdict = judged(seriesOf('70×0 10×100'), { at: 75.5 });
    expect(verdict).toMatchObject({ state: 'warning', threshold: 50 });
    expect(verdict.value).toBeCloseTo(55, 9);
  });
});

describe('a limit of the user', () => {
  const limited = (limit: number | null): ReturnType<typeof fixedRule> =>
    fixedRule('logicmonitor_failed_connections', 'AttemptFails', limit, '--warn-failed');

  test('without one there is a figure and no verdict', () => {
    const verdict = limited(null).judge(seriesOf('20×3'), { at: 20, uptime: null }, 'undefined');
    expect(verdict).toEqual({
      state: 'undefined',
      value: 3,
      threshold: null,
      reason: 'no published threshold: --warn-failed N sets one',
    });
  });

  test('above it is a warning, at it is not', () => {
    const judge = (spans: string, before: AlertState = 'clear'): Verdict => {
      const series = seriesOf(spans);
      return limited(12).judge(series, { at: series.end ?? 0, uptime: 5 }, before);
    };
    expect(judge('10×12')).toMatchObject({ state: 'clear', value: 12, threshold: 12 });
    // (9 × 12 + 13) / 10 = 121 / 10 = 12.1.
    expect(judge('9×12 1×13')).toMatchObject({ state: 'warning', value: 12.1 });
    // No hysteresis: 12 is not above 12 while it warns either.
    expect(judge('10×12', 'warning').state).toBe('clear');
    expect(judge('100×50 10×1', 'warning')).toMatchObject({ state: 'clear', value: 1 });
    expect(judge('1×13').reason).toBe('13/s, above 12/s (--warn-failed)');
  });

  test('needs two readings', () => {
    expect(limited(12).judge(seriesOf(), { at: 0, uptime: null }, 'undefined')).toEqual({
      state: 'undefined',
      value: null,
      threshold: 12,
      reason: 'needs 1 s, has 0',
    });
  });

  test('0 warns of any', () => {
    expect(limited(0).judge(seriesOf('10×0'), { at: 10, uptime: null }, 'clear').state).toBe('clear');
    expect(limited(0).judge(seriesOf('9×0 1×1'), { at: 10, uptime: null }, 'clear').state).toBe('warning');
  });
});
