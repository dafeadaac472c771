/** Processes in another network namespace than the program's. */
import { describe, expect } from '@jest/globals';
import type { TwoHosts } from '../../support/lab.js';
import { comesTo, refused, together, type Scenario } from './play.js';

const times = 100;
const there = { host: '10.99.0.2', from: '10.99.0.1', times };

/** Between the two hosts over their veth pair. */
function overTheWire(first: number): Scenario[] {
  return [
    {
      name: 'refused there, the client here',
      plan: { ...there, scenario: 'refused', port: first, spread: 'port' },
      ports: [first, first + times - 1],
      ...refused(times),
    },
    {
      name: 'a server there aborts',
      place: 'crossing',
      plan: { ...there, scenario: 'server_aborts', port: first + times, bound: true },
      ...comesTo(times),
    },
    {
      name: 'a client here aborts, the server there reads',
      place: 'crossing',
      plan: { ...there, scenario: 'client_aborts', host: 'fd00:99::2', port: first + times + 1 },
      ...comesTo(times),
    },
    {
      name: 'a client there aborts, the server here reads',
      place: 'backwards',
      plan: { ...there, scenario: 'client_aborts', host: '10.99.0.1', from: '10.99.0.2', port: first + times + 2 },
      ...comesTo(times),
    },
  ];
}

describe('in another network namespace, on its loopback', () => {
  together({ backend: 'cap', both: true }, [
    {
      name: 'refused',
      place: 'b',
      plan: { scenario: 'refused', host: '127.5.0.1', port: 7601, times, spread: 'address' },
      ...refused(times),
    },
    {
      name: 'a server aborts',
      place: 'b',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7602, times, bound: true },
      ...comesTo(times),
    },
    {
      name: 'a client aborts',
      place: 'b',
      plan: { scenario: 'client_aborts', host: '::1', port: 7603, times },
      ...comesTo(times),
    },
  ]);
});

describe('in two namespaces at once', () => {
  // By the kernel's time stamps: those of arrival are too far from the truth to tell two apart.
  together({ backend: 'tcpdump', both: true }, [
    ...(['a', 'b'] as const).map((place): Scenario => ({
      name: `the very same addresses and ports here and there: those of ${place}`,
      place,
      twin: true,
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7604, times, fixed: 20_000 },
      resets: times,
      // Two at the same moment have no name: the trace knows no namespaces, and a client that is gone is in none.
      check: ({ verdict: { sender, receiver, mistakes } }) => {
        expect(mistakes).toEqual([]);
        for (const { right, none } of [sender, receiver]) {
          expect(right + none).toBe(times);
          expect(right).toBeGreaterThan(times / 2);
        }
      },
    })),
  ]);
});

describe('between two network namespaces, both captured', () => {
  together(
    { backend: 'tcpdump', both: true },
    overTheWire(7700).map((scenario) => ({ ...scenario, split: true })),
  );
});

describe('between two network namespaces, packets handed to the other CPU', () => {
  together({ backend: 'cap', prepare: handedOver }, overTheWire(8000));
});

/** What comes in is worked on by another CPU, where somebody else runs. */
async function handedOver({ a, b }: TwoHosts): Promise<void> {
  for (const ns of [a, b]) {
    const { code, stderr } = await ns.exec(['sh', '-c', 'echo 3 >/sys/class/net/eth0/queues/rx-0/rps_cpus']);
    if (code !== 0) throw new Error(stderr);
  }
}
