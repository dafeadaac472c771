/** Single cases: ends of connections that are easily taken for somebody else's. */
import { describe, expect } from '@jest/globals';
import { verdict } from '../../support/names.js';
import { comesTo, refused, together, type Scenario } from './play.js';

const host = '127.0.0.1';
const times = 5;

function one(name: string, scenario: string, port: number, resets = times): Scenario {
  return { name, plan: { scenario, host, port, times }, ...comesTo(resets) };
}

/** Both names, the kernel's word for the way, and a sentence that tells it. */
function by(path: string | null, words: RegExp | null = null): Pick<Scenario, 'check'> {
  return {
    check: ({ verdict: found, own }) => {
      expect(found).toEqual(verdict(own.length));
      for (const { kernel_path, evidence } of own) {
        // What the stack says is for a kernel that can say it.
        if (path !== null) expect([path, null]).toContain(kernel_path);
        if (words !== null) expect(evidence.join('. ')).toMatch(words);
      }
    },
  };
}

describe('single cases', () => {
  together({ backend: 'cap', tools: ['ss', 'bash', 'curl'] }, [
    one('kill -9 with data unread', 'killed', 7401, 1),
    one('kill -9 of a listener with three connections not accepted', 'listener_killed', 7402, 3),
    one('a client ends with data unread, its server only closes', 'exits_unread', 7403),
    one('a connection shared by fork: the last to close', 'shared', 7404),
    one('data after the close: the process that had closed, not the listener', 'late', 7405),
    { ...one('ss -K: the owner of the socket, not ss', 'destroyed', 7406), ...by('sock-destroy', /\bss\b/) },
    {
      name: 'a connect that does not wait',
      plan: { scenario: 'nonblocking', host: '127.8.0.1', port: 7407, times },
      ...refused(times),
    },
    {
      name: 'a PID given to another program at once: never its name',
      plan: { scenario: 'recycled', host: '127.9.0.1', port: 7408, times },
      ports: [7408, 7409],
      nobody: ({ src_port }) => (src_port === 7408 ? ['sender'] : []),
      resets: 2 * times,
      check: ({ verdict: { sender, receiver, mistakes }, program }) => {
        expect(program.said).toContainEqual({ recycled: 2 * times });
        expect(mistakes).toEqual([]);
        expect([sender.wrong, receiver.wrong]).toEqual([0, 0]);
        // A program that is gone may be left unnamed; the heir and the server live.
        expect(sender.right).toBe(times);
        expect(receiver.right).toBeGreaterThanOrEqual(times);
      },
    },
  ]);
});

describe('clients started by a shell in a loop: many PIDs, one parent', () => {
  const loops = 30;
  const parents: Pick<Scenario, 'resets' | 'check' | 'nobody'> = {
    ...refused(loops),
    check: ({ verdict: found, own, program }) => {
      expect(found).toEqual(verdict(loops, { sender: { none: loops } }));
      expect(new Set(program.ends.map(({ pid }) => pid)).size).toBe(loops);
      expect(new Set(own.map(({ receiver }) => receiver?.ppid))).toEqual(new Set(program.ends.map(({ ppid }) => ppid)));
      expect(new Set(own.map(({ receiver }) => receiver?.parent))).toEqual(new Set(['bash']));
    },
  };
  together({ backend: 'tcpdump', tools: ['bash', 'curl'] }, [
    {
      name: 'bash /dev/tcp',
      plan: { scenario: 'shell_loop', program: 'bash', host: '127.10.0.1', port: 7411, times: loops },
      ...parents,
    },
    {
      name: 'curl',
      plan: { scenario: 'shell_loop', program: 'curl', host: '127.11.0.1', port: 7412, times: loops },
      ...parents,
    },
    {
      name: 'one that knocks every half a second is named with its command and its parent',
      plan: { scenario: 'knocks', host, port: 7413, times: 8, pace: 500 },
      ...refused(8),
      check: ({ verdict: found, own, program, report }) => {
        expect(found).toEqual(verdict(8, { sender: { none: 8 } }));
        const [who] = program.ends;
        for (const { receiver, cause, confidence, origin, kernel_reason: reason } of own) {
          expect({ cause, origin }).toEqual({ cause: 'closed-port', origin: 'kernel' });
          // Kernels before 6.10 don't tell of a closed port.
          expect([reason, confidence]).toEqual(reason === null ? [null, 'likely'] : ['NO_SOCKET', 'certain']);
          expect(receiver).toMatchObject({
            pid: who?.pid,
            name: 'truth-knocker',
            ppid: who?.ppid,
            parent: 'truth-program',
            netns: who?.netns,
            match: 'kernel-trace',
          });
          expect(receiver?.command).toContain('truth-traffic.py');
          expect(receiver?.exe).toMatch(/python/);
          expect(Math.abs(Date.parse(receiver?.started ?? '') - Date.now())).toBeLessThan(60_000);
        }
        expect(report.failed_connects.filter(({ port }) => port === 7413)).toMatchObject([
          { process: { pid: who?.pid }, ip: host, attempts: 8, refused: 8, icmp: 0, timed_out: 0, abandoned: 0 },
        ]);
      },
    },
  ]);
});
