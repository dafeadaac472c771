/** One reset as one line for people. */
import { describe, expect, test } from '@jest/globals';
import { eventLineWriter } from '../../src/render/event-line.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import { HOSTILE, PLAIN, sampleEvent, sampleProcess } from './sample-report.js';

const WIDE = { ...PLAIN, width: 200 };

describe('an event line', () => {
  test('says when, which way, who to whom and what', () => {
    expect(eventLineWriter(WIDE)(sampleEvent())).toBe(
      '12:00:01.123456 ↑ 10.0.0.1:443 → 10.0.0.2:51000  R.  nginx[4242] (nginx.service) → remote  closed-port (likely), by the server, scan, 2 copies',
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
  test('stands in columns that only grow', () => {
    const line = eventLineWriter({ ...WIDE, width: 120 });
    const quiet = { cause: 'unknown', reset_by: 'unknown', pattern: null, sender: null } as const;
    const of = (src: string, dest: string): string => line(sampleEvent({ ...quiet, src_ip: src, dest_ip: dest }));
    expect([of('10.0.0.1', '10.0.0.2'), of('10.10.10.10', '10.1.1.2'), of('10.0.0.1', '10.0.0.2')]).toEqual([
      '12:00:01.123456 ↑ 10.0.0.1:443 → 10.0.0.2:51000  R.  2 copies',
      '12:00:01.123456 ↑ 10.10.10.10:443 → 10.1.1.2:51000  R.  2 copies',
      '12:00:01.123456 ↑ 10.0.0.1:443    → 10.0.0.2:51000  R.  2 copies',
    ]);
    expect(line(sampleEvent({ ...quiet, timestamp: null }))).toMatch(/^- {15}↑ 10\.0\.0\.1:443 {4}→ /);
  });
  test('is not pushed over the edge by one long address before it', () => {
    const LONG = '2001:db8:1111:2222:3333:4444:5555:6666';
    const line = eventLineWriter(PLAIN);
    const before = line(sampleEvent());
    expect(line(sampleEvent({ src_ip: LONG, dest_ip: LONG }))).toContain(`[${LONG}]:443 → [${LONG}]:51000  R.`);
    expect(line(sampleEvent())).toBe(before);
    const wide = eventLineWriter({ ...WIDE, width: 156 });
    wide(sampleEvent({ src_ip: LONG, dest_ip: LONG }));
    expect(wide(sampleEvent())).toMatch(
      / 10\.0\.0\.1:443 {33}→ 10\.0\.0\.2:51000 {34}R\. {2}nginx\[4242\] → {2}closed-port \(likely\)$/,
    );
    expect(columnsOf(wide(sampleEvent()))).toBeLessThanOrEqual(156);
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
