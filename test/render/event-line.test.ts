/** One reset as one line for people. */
import { describe, expect, test } from '@jest/globals';
import { eventLineWriter } from '../../src/render/event-line.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import { HOSTILE, PLAIN, sampleEvent, sampleProcess } from './sample-report.js';

const WIDE = { ...PLAIN, width: 200 };

describe('an event line', () => {
  test('says when, which way, who to whom and what', () => {
    expect(eventLineWriter(WIDE)(sampleEvent())).toBe(
      '12:00:01.123456 ↑ 10.0.0.1:443 → 10.0.0.2:51000  R.  closed-port (likely), by the server, scan, nginx, 2 copies',
    );
  });
  test('says no more than is known', () => {
    const event = sampleEvent({
      ...{ timestamp: null, direction: 'unknown', cause: 'unknown', reset_by: 'unknown', pattern: null },
      ...{ sender: null, copies: 1, src_ip: '2001:db8::1' },
    });
    expect(eventLineWriter(WIDE)(event)).toBe('-   [2001:db8::1]:443 → 10.0.0.2:51000  R.');
  });
  test('is ASCII where it must be', () => {
    expect(eventLineWriter({ ...WIDE, unicode: false })(sampleEvent())).toMatch(
      /^12:00:01\.123456 > [ -~]* -> [ -~]*$/,
    );
  });
  test('fits the width and never cuts an address', () => {
    for (let width = 20; width < 140; width++) {
      const line = eventLineWriter({ ...PLAIN, width })(sampleEvent());
      expect(line).toContain('10.0.0.1:443 → 10.0.0.2:51000');
      if (width > 60) expect(columnsOf(line)).toBeLessThanOrEqual(width);
    }
  });
  test('is the same under its colours', () => {
    const colored = eventLineWriter({ ...WIDE, color: 1 })(sampleEvent());
    expect(colored).toContain('\u001b[');
    expect(withoutColor(colored)).toBe(eventLineWriter(WIDE)(sampleEvent()));
  });
  test('lets no name steer the terminal', () => {
    const line = eventLineWriter(WIDE)(sampleEvent({ sender: sampleProcess({ name: HOSTILE }) }));
    expect(line).toContain('·[31mred');
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  });
});
