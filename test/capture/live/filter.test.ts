/** Filters as users type them, and what libpcap is given; tcpdump is the witness of what compiles. */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { captureFilter, userFilter, type Wanted } from '../../../src/capture/live/filter.js';
import { itWith } from '../../support/tools.js';

const WANTED: readonly Wanted[] = ['resets', 'control', 'full'];

/** tcpdump's compiler alone: nothing is captured. An empty answer: it compiles. */
function refusal(filter: string): string {
  const { status, stderr } = spawnSync('tcpdump', ['-d', '-y', 'EN10MB', '--', filter], { encoding: 'utf8' });
  return status === 0 ? '' : stderr.trim();
}

describe('what libpcap is given', () => {
  test('the guides’ words and their twin for IPv6', () => {
    expect(captureFilter('resets', null)).toBe(
      'tcp[tcpflags] & (tcp-rst) == (tcp-rst) or (ip6[6] == 6 and ip6[53] & 4 != 0)',
    );
  });

  test.each(WANTED)('%s: the user’s condition first, both in parentheses', (wanted) => {
    expect(captureFilter(wanted, 'port 80 or port 81')).toBe(
      `(port 80 or port 81) and (${captureFilter(wanted, null)})`,
    );
  });

  test.each(['port 80) or (port 90', ')(', '(port 80', 'port 80)'])('%s: alone, to be refused', (own) => {
    expect(captureFilter('resets', own)).toBe(own);
  });

  itWith('tcpdump', 'compiles', () => {
    for (const wanted of WANTED)
      for (const own of [
        null,
        'port 80',
        'host ::1 or net 10.0.0.0/8',
        'vlan 10',
        'not port 22',
        'vlan 1 and host 1.2.3.4',
      ])
        expect({ wanted, own, said: refusal(captureFilter(wanted, own)) }).toEqual({ wanted, own, said: '' });
  });

  itWith('tcpdump', 'is refused where the user’s own part would be', () => {
    for (const own of ['foo bar', 'port 80) or (port 90', 'tcp port', 'port', 'and'])
      expect({ own, said: refusal(captureFilter('resets', own)) }).toMatchObject({
        said: expect.stringContaining('syntax error'),
      });
  });
});

describe('what a user types', () => {
  test.each([null, '', '  '])('%j: none', (typed) => {
    expect(userFilter(typed)).toEqual({ expression: null, notes: [] });
  });

  test.each([
    'tcp[tcpflags] & (tcp-rst) == (tcp-rst)',
    'tcp[tcpflags] & (tcp-rst) != 0',
    'tcp[tcpflags] & tcp-rst != 0',
    'tcp[tcpflags]&tcp-rst!=0',
    "'tcp[tcpflags] & (tcp-rst) == (tcp-rst)'",
    'tcp[13] & 4 != 0',
    'tcp[13] & 4 == 4',
    'tcp [13] & 0x04 > 0',
    'tcp and (tcp[tcpflags] & tcp-rst != 0)',
    'TCP[TCPFLAGS] & TCP-RST != 0',
  ])('%s: dropped, with a note', (typed) => {
    const { expression, notes } = userFilter(typed);
    expect(expression).toBeNull();
    expect(notes).toEqual([expect.stringMatching(/^the reset filter is dropped: .*IPv6/)]);
  });

  test.each([
    'tcp[tcpflags] & (tcp-syn|tcp-rst) != 0',
    'tcp[tcpflags] & tcp-rst != 0 and port 80',
    'not tcp[13] & 4 != 0',
    'tcp[13] & 4 == 0',
    'tcp[13] = 4',
    'tcp[0:2] == 80',
    'tcp[tcpflags] & tcp-ack != 0',
  ])('%s: another one, used with a warning', (typed) => {
    const { expression, notes } = userFilter(typed);
    expect(expression).toBe(typed);
    expect(notes).toEqual([expect.stringContaining('never matches IPv6')]);
  });

  test('the rest: as typed, without a word', () => {
    expect(userFilter(' port 80 and host ::1 ')).toEqual({ expression: 'port 80 and host ::1', notes: [] });
  });
});
