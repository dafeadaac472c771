/** Which namespace has an address, on real namespaces: one, several, none; as links come and go. */
import { afterEach, describe, expect } from '@jest/globals';
import { HostAddresses } from '../../../src/capture/live/host-addresses.js';
import { LinkWatch } from '../../../src/capture/live/link-watch.js';
import { allNamespaces, ownNamespace, type Namespace as Found } from '../../../src/capture/live/namespaces.js';
import { labProblem, poll, twoHosts, type Namespace, type TwoHosts } from '../../support/lab.js';
import { testIf } from '../../support/tools.js';

const problem = labProblem();
const IN_A = ['10.99.0.1', 'fd00:99::1'];
const IN_B = ['10.99.0.2', 'fd00:99::2'];
const NOWHERE = '192.0.2.77';
/** Longer than a change takes to be heard of. */
const HEARD_MS = 5_000;

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function hosts(): Promise<TwoHosts> {
  const made = await twoHosts();
  ending.push(() => made.lab.destroy());
  return made;
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
    expect([addresses.netnsOf('10.99.0.1'), addresses.list]).toEqual([null, []]);
    await watch.start();
    expect(addresses.netnsOf('10.99.0.1')).toBe(a.inode);
  });

  testIf(
    problem === '',
    problem,
    'that a second one gets is nobody’s, and one’s again when it is taken back',
    async () => {
      const { a, b } = await hosts();
      const addresses = await looking([found(a)]);
      const { list } = addresses;
      expect(addresses.netnsOf('10.99.0.2')).toBe(b.inode);
      await a.ip('addr', 'add', '10.99.0.2/32', 'dev', 'lo');
      await poll(() => addresses.netnsOf('10.99.0.2') === null, HEARD_MS, 'the address in both');
      // What it is one of has not changed: it was this host's before.
      expect(addresses.list).toBe(list);
      await a.ip('addr', 'del', '10.99.0.2/32', 'dev', 'lo');
      await poll(() => addresses.netnsOf('10.99.0.2') === b.inode, HEARD_MS, 'the address in one');
      expect(addresses.netnsOf('10.99.0.1')).toBe(a.inode);
    },
  );

  testIf(problem === '', problem, 'that comes and goes in a watched one', async () => {
    const { a } = await hosts();
    const addresses = await looking([found(a)]);
    expect([addresses.netnsOf('10.99.7.7'), addresses.list.includes('10.99.7.7')]).toEqual([null, false]);
    await a.ip('addr', 'add', '10.99.7.7/32', 'dev', 'lo');
    await poll(() => addresses.netnsOf('10.99.7.7') === a.inode, HEARD_MS, 'the new address');
    expect(addresses.list).toContain('10.99.7.7');
    await a.ip('addr', 'del', '10.99.7.7/32', 'dev', 'lo');
    await poll(() => addresses.netnsOf('10.99.7.7') === null, HEARD_MS, 'it to go');
    expect(addresses.list).not.toContain('10.99.7.7');
  });
});
