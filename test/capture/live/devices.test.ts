/** What is shown to somebody who chooses an interface, with tcpdump as the witness of link types. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { devicesOf } from '../../../src/capture/live/devices.js';
import { readLinks, type Link } from '../../../src/capture/live/links.js';
import { findNamespaces, inNamespace } from '../../../src/capture/live/namespaces.js';
import { hasTool } from '../../support/tools.js';
import { ipBatch, itInNamespaces, makeNamespace, tryIp } from './netns.js';

const link = (index: number, name: string, arphrd: number | null): Link => ({
  index,
  name,
  up: index % 2 === 0,
  loopback: arphrd === 772,
  arphrd,
  mac: null,
  master: null,
  stacked: false,
  promiscuous: false,
  addresses: [`10.0.0.${String(index)}`],
});

test('any first, then by index', () => {
  const devices = devicesOf([link(4, 'ppp0', 512), link(1, 'lo', 772), link(3, 'odd', null)]);
  expect(devices).toEqual([
    { name: 'any', addresses: [], link_type: 'LINUX_SLL2', up: true, loopback: false },
    { name: 'lo', addresses: ['10.0.0.1'], link_type: 'EN10MB', up: false, loopback: true },
    { name: 'odd', addresses: ['10.0.0.3'], link_type: null, up: false, loopback: false },
    { name: 'ppp0', addresses: ['10.0.0.4'], link_type: 'LINUX_SLL', up: true, loopback: false },
  ]);
});

// tcpdump -L on a tun device of each type (TUNSETLINK), libpcap 1.10.3.
test.each([
  [1, 'EN10MB'],
  [65534, 'RAW'],
  [768, 'RAW'],
  [776, 'RAW'],
  [769, 'LINUX_SLL'],
  [778, 'LINUX_SLL'],
  [823, 'LINUX_SLL'],
  [519, 'LINUX_SLL'],
  [803, 'IEEE802_11_RADIO'],
])('ARPHRD %i: %s', (arphrd, name) => {
  expect(devicesOf([link(1, 'x', arphrd)])[1]?.link_type).toBe(name);
});

itInNamespaces('what can be made here, as tcpdump -L tells it', async () => {
  const name = makeNamespace();
  ipBatch(name, ['link add v0 type veth peer name v1', 'tuntap add tun0 mode tun', 'tuntap add tap0 mode tap']);
  for (const kind of ['ipip', 'sit', 'gre', 'ip6tnl', 'wireguard']) {
    tryIp('-n', name, 'link', 'add', `k-${kind}`, 'type', kind);
  }
  const namespace = findNamespaces([name])[1]!;
  const links = await readLinks(namespace);
  expect(links.length).toBeGreaterThanOrEqual(5);
  for (const { name: device, link_type } of devicesOf(links)) {
    if (link_type === null) continue;
    if (device !== 'any') tryIp('-n', name, 'link', 'set', device, 'up');
    if (!hasTool('tcpdump')) continue;
    const [file, ...args] = [...inNamespace(namespace), 'tcpdump', '-L', '-i', device];
    const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 5000 });
    expect(`${device}: ${stdout}${stderr}`).toMatch(new RegExp(`\\n +${link_type} \\(`));
  }
});
