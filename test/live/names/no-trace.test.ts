/** Without kernel tracing little can be known of what is short-lived: then nothing is said rather than something wrong. */
import { describe, expect } from '@jest/globals';
import { refused, together, type Found, type Scenario } from './play.js';

const times = 100;

function noneWrong({ verdict: { mistakes, sender, receiver }, report }: Found): void {
  expect(report.source.trace).toBe('off');
  expect(mistakes).toEqual([]);
  expect([sender.wrong, receiver.wrong]).toEqual([0, 0]);
}

const notWrong: Pick<Scenario, 'resets' | 'check'> = { resets: times, check: noneWrong };

describe('--no-trace: none wrong', () => {
  together({ backend: 'tcpdump', args: ['--no-trace'] }, [
    {
      name: 'refused short-lived clients, IPv4',
      plan: { scenario: 'refused', host: '127.5.0.1', port: 8201, times, spread: 'address' },
      ...refused(times),
      check: noneWrong,
    },
    {
      name: 'refused short-lived clients, IPv6',
      plan: { scenario: 'refused', host: '::1', port: 8300, times, spread: 'port' },
      ports: [8300, 8300 + times - 1],
      ...refused(times),
      check: noneWrong,
    },
    {
      name: 'SO_LINGER 0 by the server',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 8202, times, bound: true },
      ...notWrong,
    },
    {
      name: 'SO_LINGER 0 by the client, prefork server',
      plan: { scenario: 'client_aborts', host: '::1', port: 8203, times, server: 'prefork' },
      ...notWrong,
    },
    {
      name: 'data after the close of a worker',
      plan: { scenario: 'late', host: '127.0.0.1', port: 8204, times: 20 },
      resets: 20,
      check: noneWrong,
    },
    {
      name: 'connections older than the program: by their sockets, all rightly',
      before: true,
      plan: { scenario: 'existed_before', host: '127.0.0.1', port: 8205, times, aborts: 'client', then: 'never' },
      resets: times,
      check: (found) => {
        noneWrong(found);
        expect([found.verdict.sender.right, found.verdict.receiver.right]).toEqual([times, times]);
      },
    },
  ]);
});
