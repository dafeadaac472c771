/** Which namespace has an address, on real namespaces: one, several, none; as links come and go. */
import { afterEach, describe, expect } from '@jest/globals';
import { HostAddresses } from '../../../src/capture/live/host-addresses.js';
import { LinkWatch } from '../../../src/capture/live/link-watch.js';
import { allNamespaces, ownNamespace, type Namespace as Found } from '../../../src/capture/live/namespaces.js';
import { Lab, labProblem, poll, type Namespace } from '../../support/lab.js';
import { testIf } from '../../support/tools.js';

const problem = labProblem();
const IN_A = ['10.93.0.1', 'fd00:93::1'];
const IN_B = ['10.93.0.2', 'fd00:93::2'];
const NOWHERE = '192.0.2.77';
/** Longer than a change takes to be heard of. */
const HEARD_MS = 15_000;

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Two hosts on one wire, with addresses that no other test gives to anybody. */
async function hosts(): Promise<{ a: Namespace; b: Namespace }> {
  const lab = await Lab.create();
  ending.push(() => lab.destroy());
  const [a, b] = [await lab.namespace('a'), await lab.namespace('b')];
  await lab.veth(
    { ns: a, name: 'eth0', addresses: IN_A.map((ip) => (ip.includes(':') ? `${ip}/64` : `${ip}/24`)) },
    { ns: b, name: 'eth0', addresses: IN_B.map((ip) => (ip.includes(':') ? `${ip}/64` : `${ip}/24`)) },
  );
  return { a, b };
}

/** Those of this test: others come and go. */
function own(list: readonly string[]): string[] {
  return list.filter((ip) => ip.startsWith('10.93.') || ip.startsWith('fd00:93:'));
}

function found(ns: Namespace): Found {
  const one = allNamespaces().find(({ inode }) => inode === ns.inode);
  if (one === undefined) throw new Error(`${ns.label} is not among all namespaces`);
  return one;
}

/** Looks at the given namespaces as they change, at all others now. */
async function looking(watched: readonly Found[]): Promise<HostAddresses> {
  const watches = watched.map((one) => new LinkWatch(one, () => undefined));
  for (const watch of watches) {
    ending.push(() => watch.stop());
    await watch.start();
  }
  const addresses = new HostAddresses(watches, watched);
  ending.push(() => addresses.stop());
  await addresses.start();
  return addresses;
}

describe('the namespace of an address', () => {
  testIf(problem === '', problem, 'that one has, watched or not; that several have; that none has', async () => {
    const { a, b } = await hosts();
    for (const watched of [[], [found(a)], [ownNamespace(), found(a), found(b)]]) {
      const addresses = await looking(watched);
      expect(IN_A.map((ip) => addresses.netnsOf(ip))).toEqual([a.inode, a.inode]);
      expect(IN_B.map((ip) => addresses.netnsOf(ip))).toEqual([b.inode, b.inode]);
      // Each has its loopback.
      expect(['127.0.0.1', '::1', NOWHERE, ''].map((ip) => addresses.netnsOf(ip))).toEqual([null, null, null, null]);
      expect(addresses.list).toEqual(expect.arrayContaining([...IN_A, ...IN_B, '127.0.0.1']));
      expect(addresses.list).not.toContain(NOWHERE);
      expect(addresses.list).toEqual([...addresses.list].sort());
    }
  });

  testIf(problem === '', problem, 'before anybody has looked is not known', async () => {
    const { a } = await hosts();
    const watch = new LinkWatch(found(a), () => undefined);
    ending.push(() => watch.stop());
    const addresses = new HostAddresses([watch], [found(a)]);
    ending.push(() => addresses.stop());
    expect([addresses.netnsOf('10.93.0.1'), addresses.list]).toEqual([null, []]);
    await watch.start();
    expect(addresses.netnsOf('10.93.0.1')).toBe(a.inode);
  });

  testIf(
    problem === '',
    problem,
    'that a second one gets is nobody’s, and one’s again when it is taken back',
    async () => {
      const { a, b } = await hosts();
      const addresses = await looking([found(a)]);
      const before = own(addresses.list);
      expect(addresses.netnsOf('10.93.0.2')).toBe(b.inode);
      await a.ip('addr', 'add', '10.93.0.2/32', 'dev', 'lo');
      await poll(() => addresses.netnsOf('10.93.0.2') === null, HEARD_MS, 'the address in both');
      // What it is one of has not changed: it was this host's before.
      expect(own(addresses.list)).toEqual(before);
      await a.ip('addr', 'del', '10.93.0.2/32', 'dev', 'lo');
      await poll(() => addresses.netnsOf('10.93.0.2') === b.inode, HEARD_MS, 'the address in one');
      expect(addresses.netnsOf('10.93.0.1')).toBe(a.inode);
    },
  );

  testIf(problem === '', problem, 'that comes and goes in a watched one', async () => {
    const { a } = await hosts();
    const addresses = await looking([found(a)]);
    expect([addresses.netnsOf('10.93.7.7'), addresses.list.includes('10.93.7.7')]).toEqual([null, false]);
    await a.ip('addr', 'add', '10.93.7.7/32', 'dev', 'lo');
    await poll(() => addresses.netnsOf('10.93.7.7') === a.inode, HEARD_MS, 'the new address');
    expect(addresses.list).toContain('10.93.7.7');
    await a.ip('addr', 'del', '10.93.7.7/32', 'dev', 'lo');
    await poll(() => addresses.netnsOf('10.93.7.7') === null, HEARD_MS, 'it to go');
    expect(addresses.list).not.toContain('10.93.7.7');
  });
});
