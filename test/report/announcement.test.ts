/** What is said of a reset, and what was learnt of it since it was last said. */
import { describe, expect, test } from '@jest/globals';
import { found, missing, unattributed, type Attribution, type FailedConnects } from '../../src/attribute/process.js';
import { Announcement } from '../../src/report/announcement.js';
import { eventOf } from '../../src/report/event.js';
import { failedConnectRows, processInfo } from '../../src/report/process-info.js';
import { revisionLine } from '../../src/render/revision.js';
import { betweenOf, containerOf, kernelOf, processOf, resetOf, verdictOf } from './attributing.js';

const NOBODY = unattributed('not-tried');
const NODE = found(processOf(), 'socket');

/** The keys that a revision tells; null: there is none. */
function told(announcement: Announcement, ...now: Parameters<Announcement['revise']>): readonly string[] | null {
  const revision = announcement.revise(...now);
  if (revision === null) return null;
  const line = revisionLine(revision.before, revision.after);
  return line === null ? [] : Object.keys(JSON.parse(line) as object).slice(2);
}

function said(who: Attribution = NOBODY): Announcement {
  const announcement = new Announcement(resetOf(), who);
  announcement.event();
  return announcement;
}

describe('an announcement', () => {
  test('is the event as it is known, the same each time', () => {
    const announcement = new Announcement(resetOf(), betweenOf({ receiver: NODE }));
    expect(announcement.event()).toEqual(eventOf(resetOf(), null, betweenOf({ receiver: NODE })));
    expect(announcement.event()).toBe(announcement.event());
    expect(announcement).toMatchObject({ src_ip: '10.0.0.1', dest_port: 50000, reset_by: 'server' });
    expect([announcement.sender, announcement.receiver?.pid]).toEqual([null, 100]);
  });
  test('that nobody heard is not revised, and is told as it is known then', () => {
    const announcement = new Announcement(resetOf(), NOBODY);
    expect(announcement.revise(betweenOf({ sender: NODE }), resetOf({ servicePort: 1 }))).toBeNull();
    expect(announcement.event()).toMatchObject({ sender: { pid: 100 }, service_port: 1 });
    expect(announcement.service_port).toBe(1);
  });
  test('is revised each time that something is learnt, against what was said last', () => {
    const announcement = said();
    const first = announcement.event();
    const named = betweenOf({ receiver: NODE, sender: missing('no-listener') });
    expect(told(announcement, named)).toEqual(['receiver', 'sender_reason', 'receiver_reason']);
    const second = announcement.event();
    expect(second).not.toBe(first);
    expect(told(announcement, named)).toBeNull();
    expect(announcement.event()).toBe(second);
    const later = announcement.revise(named, resetOf({ servicePort: 8080, verdict: verdictOf('closed-port') }));
    expect(later?.before).toBe(second);
    expect(revisionLine(second, announcement.event())).toMatch(
      /^\{"type":"revision","id":"[^"]*","service_port":8080,"cause":"closed-port"\}\n$/,
    );
    expect(told(announcement, NOBODY, resetOf())).toContain('receiver');
  });
  test('sees what the reset itself became in place', () => {
    const reset = resetOf();
    const announcement = new Announcement(reset, NOBODY);
    announcement.event();
    reset.servicePort = 9;
    expect(told(announcement, NOBODY)).toEqual(['service_port']);
    expect(told(announcement, NOBODY)).toBeNull();
  });

  const base = betweenOf({ sender: NODE, receiver: missing('unknown') });
  test.each<[string, Partial<Attribution>, string[]]>([
    ['equal, but made anew', { sender: found(processOf(), 'socket') }, []],
    ['another process', { sender: found(processOf({ pid: 7 }), 'socket') }, ['sender']],
    ['a better match', { sender: found(processOf(), 'kernel-trace') }, ['sender']],
    ['a name', { sender: found(processOf({ name: 'late' }), 'socket') }, ['sender']],
    ['the name of its container', { sender: found(processOf({ container: containerOf() }), 'socket') }, ['sender']],
    ['a reason', { receiver: missing('gone') }, ['receiver_reason']],
    ['that it was another', { sender: missing('ambiguous') }, ['sender', 'sender_reason']],
    ["the kernel's word", { kernel: kernelOf({ reason: 'NO_SOCKET' }) }, ['kernel_reason']],
    ['the path', { kernel: kernelOf({ path: 'linger' }) }, ['kernel_path']],
    ['a fact', { evidence: ['it was destroyed by ss'] }, ['evidence']],
  ])('is revised by %s', (_, changes, keys) => {
    expect(told(said(base), { ...base, ...changes })).toEqual(keys.length === 0 ? null : keys);
  });
});

describe('what the kernel knows and no key tells', () => {
  test('may change the verdict: the event is made anew, and no line is written where it is the same', () => {
    const who = betweenOf({ sender: NODE });
    for (const kernel of [
      kernelOf(null, { received: false }),
      kernelOf(null, { sent: 'silent' }),
      kernelOf(null, { opener: 'source' }),
      kernelOf(null, { listener: { atSource: true, evidence: null } }),
      kernelOf({ active: true }),
    ]) {
      const announcement = said(who);
      expect(told(announcement, { ...who, kernel })).toEqual([]);
      expect(told(announcement, { ...who, kernel: { ...kernel } })).toBeNull();
    }
  });
});

describe('an event', () => {
  test('says a sentence once, whoever has it', () => {
    const verdict = { ...verdictOf('closed-port'), evidence: ['nginx listened there', 'seen'] };
    const who = betweenOf({ evidence: ['told', 'nginx listened there'] });
    expect(eventOf(resetOf({ verdict }), null, who).evidence).toEqual(['nginx listened there', 'seen', 'told']);
  });
  test('says who, or why not, and what the kernel said', () => {
    const verdict = { ...verdictOf('abort'), evidence: ['seen'] };
    const who = betweenOf({
      sender: NODE,
      receiver: missing('remote'),
      kernel: kernelOf({ reason: 'TCP_STATE', path: 'linger' }),
      evidence: ['told'],
    });
    expect(eventOf(resetOf({ verdict }), null, who)).toMatchObject({
      ...{ sender: { pid: 100, match: 'socket' }, sender_reason: null, receiver: null, receiver_reason: 'remote' },
      ...{ kernel_reason: 'TCP_STATE', kernel_path: 'linger', evidence: ['seen', 'told'] },
    });
  });
  test.each([
    [1772366400, '2026-03-01T12:00:00.00Z'],
    [1772366400.07, '2026-03-01T12:00:00.07Z'],
    [1772366400.29, '2026-03-01T12:00:00.29Z'],
    [1772366399.996, '2026-03-01T12:00:00.00Z'],
    [0.5, '1970-01-01T00:00:00.50Z'],
    [null, null],
  ])('writes when a process started, %s, to a hundredth', (started, text) => {
    expect(processInfo(processOf({ started }), 'socket').started).toBe(text);
  });
  test('lists connects that failed, most first', () => {
    const row: FailedConnects = {
      ...{ process: processOf(), pids: 2, ip: '10.0.0.9', port: 80, attempts: 4 },
      ...{ refused: 1, icmp: 1, timedOut: 1, abandoned: 1 },
    };
    expect(failedConnectRows([{ ...row, attempts: 3 }, row, { ...row, ip: '10.0.0.8' }])).toMatchObject([
      { ip: '10.0.0.8', attempts: 4, timed_out: 1, pids: 2, process: { match: 'kernel-trace' } },
      { ip: '10.0.0.9', attempts: 4 },
      { attempts: 3 },
    ]);
  });
});
