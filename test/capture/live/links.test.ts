/** Interfaces as iproute and /sys tell them, made for the purpose in namespaces of our own. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { isLinkName, linksOfSystem, parseLinks, readLinks, type Link } from '../../../src/capture/live/links.js';
import { findNamespaces, ownNamespace, type Namespace } from '../../../src/capture/live/namespaces.js';
import { ip, ipBatch, itInNamespaces, makeNamespace, sleepIn, tryIp } from './netns.js';

const namespaceOf = (name: string): Namespace => findNamespaces([name])[1]!;

async function linksIn(name: string): Promise<Record<string, Link>> {
  return Object.fromEntries((await readLinks(namespaceOf(name))).map((link) => [link.name, link]));
}

/** Two namespaces: a veth between them, a veth with both ends in one, a bridge with a port, a tun, and what lies upon others. */
function workshop(): { name: string; stacked: string[] } {
  const name = makeNamespace();
  const other = makeNamespace();
  ip('-n', name, 'link', 'add', 'far0', 'type', 'veth', 'peer', 'name', 'far1', 'netns', other);
  ipBatch(name, [
    'link add near0 address 02:00:00:00:AB:CD type veth peer name near1',
    'link add br0 type bridge',
    'link set near1 master br0',
    'tuntap add tun0 mode tun',
    'addr add 10.1.2.3/24 dev near0',
    'addr add 10.1.2.4 peer 10.9.9.9 dev near0',
    'addr add 2001:db8:0:0:0::5/64 dev near0 nodad',
    'link set near0 up',
    'link set near1 up',
    'link set lo up',
  ]);
  const stacked = (['vlan id 7', 'macvlan', 'macvtap', 'ipvlan'] as const).flatMap((kind, i) => {
    const upper = `on${String(i)}`;
    const added = tryIp('-n', name, 'link', 'add', 'link', 'far0', 'name', upper, 'type', ...kind.split(' '));
    return added ? [upper] : [];
  });
  return { name, stacked };
}

describe('by ip', () => {
  itInNamespaces('what there is in another namespace', async () => {
    const { name, stacked } = workshop();
    const links = await linksIn(name);
    expect(Object.keys(links).sort()).toEqual(['br0', 'far0', 'lo', 'near0', 'near1', 'tun0', ...stacked].sort());
    expect(links['lo']).toEqual({
      index: 1,
      name: 'lo',
      up: true,
      loopback: true,
      arphrd: 772,
      mac: null,
      master: null,
      stacked: false,
      promiscuous: false,
      addresses: ['127.0.0.1', '::1'],
    });
    expect(links['near0']).toMatchObject({ up: true, loopback: false, arphrd: 1, mac: '02:00:00:00:ab:cd' });
    expect(links['near0']).toMatchObject({ master: null, stacked: false, promiscuous: false });
    expect(links['near0']?.addresses.slice(0, 3)).toEqual(['10.1.2.3', '10.1.2.4', '2001:db8::5']);
    expect(links['near1']).toMatchObject({ master: 'br0', stacked: false, promiscuous: true });
    expect(links['far0']).toMatchObject({ up: false, master: null, stacked: false, addresses: [] });
    expect(links['br0']).toMatchObject({ up: false, arphrd: 1, stacked: false });
    expect(links['tun0']).toMatchObject({ arphrd: 65534, mac: null, loopback: false });
    for (const upper of stacked) expect(links[upper]).toMatchObject({ stacked: true, arphrd: 1 });
    const indexes = (await readLinks(namespaceOf(name))).map(({ index }) => index);
    expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
  });

  itInNamespaces('what lies upon an interface of another namespace is not stacked here', async () => {
    const { name, stacked } = workshop();
    const [upper] = stacked;
    if (upper === undefined) return;
    const third = makeNamespace();
    ip('-n', name, 'link', 'set', upper, 'netns', third);
    expect((await linksIn(third))[upper]).toMatchObject({ stacked: false });
  });

  itInNamespaces('a namespace that is gone has none', async () => {
    const { pid, end } = await sleepIn(['unshare', '-n']);
    const namespace = namespaceOf(String(pid));
    expect((await readLinks(namespace)).map((link) => link.name)).toContain('lo');
    await end();
    expect(await readLinks(namespace)).toEqual([]);
  });
});

describe('by /sys', () => {
  itInNamespaces('agrees with ip', async () => {
    const { name } = workshop();
    // `ip netns exec` mounts the namespace's own /sys, which is seen through the process's root.
    const { pid } = await sleepIn(['ip', 'netns', 'exec', name]);
    const told = await readLinks(namespaceOf(name));
    const addresses = (link: string): readonly string[] => told.find((one) => one.name === link)?.addresses ?? [];
    const root = `/proc/${String(pid)}`;
    const seen = linksOfSystem({ folder: `${root}/root/sys/class/net`, table: `${root}/net/dev`, addresses });
    expect(seen).toEqual(told);
    expect(seen?.length).toBeGreaterThanOrEqual(6);
  });

  itInNamespaces('interfaces of another namespace than the table names are left out', async () => {
    const { name } = workshop();
    const { pid } = await sleepIn(['nsenter', `--net=/run/netns/${name}`]);
    const table = `/proc/${String(pid)}/net/dev`;
    const seen = linksOfSystem({ folder: '/sys/class/net', table, addresses: () => [] });
    expect(seen?.map((link) => link.name)).toEqual(['lo']);
  });

  test('nothing is thrown where there is none', () => {
    expect(linksOfSystem({ folder: '/none', table: '/none', addresses: () => [] })).toBeNull();
  });

  test('the own namespace, with Node as the witness', async () => {
    if (process.platform !== 'linux') return;
    const table = readFileSync('/proc/self/net/dev', 'utf8');
    const names = [...table.matchAll(/^ *([^\s:|]+):/gm)].map(([, name]) => name);
    for (const links of [await readLinks(ownNamespace()), linksOfSystem() ?? []]) {
      const lo = links.find((link) => link.name === 'lo');
      expect(lo).toMatchObject({ index: 1, loopback: true, arphrd: 772 });
      expect(lo?.addresses).toEqual((networkInterfaces()['lo'] ?? []).map(({ address }) => address));
      for (const link of links) expect([...names, link.name]).toContain(link.name);
    }
  });
});

describe('the JSON of ip', () => {
  const parsed = (fields: object): Link | undefined =>
    parseLinks(JSON.stringify([{}, { ifindex: 7, ifname: 'x0', ...fields }]))?.[0];

  // iproute2-6.1.0, `ip -j -d addr show`, the fields that are read.
  test('a vlan lies upon another, a veth beside its peer', () => {
    const vlan = { link: 'eth0', linkinfo: { info_kind: 'vlan', info_data: { protocol: '802.1Q', id: 7 } } };
    expect(parsed(vlan)).toMatchObject({ stacked: true });
    expect(parsed({ ...vlan, link: undefined, link_index: 2, link_netnsid: 0 })).toMatchObject({ stacked: false });
    expect(parsed({ ...vlan, link: null })).toMatchObject({ stacked: false });
    expect(parsed({ link: 'x1', linkinfo: { info_kind: 'veth' } })).toMatchObject({ stacked: false });
    expect(parsed({ link: 'eth0', linkinfo: { info_kind: 'vxlan' } })).toMatchObject({ stacked: false });
  });

  test('types by name and by number; addresses that are no MAC', () => {
    expect(parsed({ link_type: 'gre6', address: 'fe80::1' })).toMatchObject({ arphrd: 823, mac: null });
    expect(parsed({ link_type: 'sit', address: '10.0.0.1' })).toMatchObject({ arphrd: 776, mac: null });
    expect(parsed({ link_type: '[519]' })).toMatchObject({ arphrd: 519, mac: null });
    expect(parsed({ link_type: 'what' })).toMatchObject({ arphrd: null });
  });

  test('what does not have its form is left out', () => {
    for (const text of ['', '{', 'null', '{}', '7', 'Object "addr" is unknown']) expect(parseLinks(text)).toBeNull();
    expect(parseLinks('[null, 7, [], {}, {"ifindex": "1", "ifname": "x"}, {"ifindex": 0, "ifname": "x"}]')).toEqual([]);
    const odd = {
      flags: 'UP',
      linkinfo: 7,
      master: 7,
      address: 7,
      addr_info: [null, {}, { local: 'x' }, { local: 7 }],
    };
    expect(parsed(odd)).toEqual({
      index: 7,
      name: 'x0',
      up: false,
      loopback: false,
      arphrd: null,
      mac: null,
      master: null,
      stacked: false,
      promiscuous: false,
      addresses: [],
    });
  });

  test('names', () => {
    for (const name of ['eth0', 'a@b', 'wlp0s20f3', 'br-0a1b2c3d4e5f', 'é0', '...'])
      expect(isLinkName(name)).toBe(true);
    for (const name of [
      '',
      '.',
      '..',
      'a/b',
      'a b',
      'a:b',
      'a\u001bb',
      'a\nb',
      'sixteen-letters-',
      'ééééééééé',
      '\ufffd',
    ]) {
      expect(isLinkName(name)).toBe(false);
    }
  });
});
