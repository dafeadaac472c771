/** Which port is the service's: each rule, their order, and null where there is only a guess. */
import { describe, expect, test } from '@jest/globals';
import { byHandshake, byRegistry, byRoles, byShape } from '../../src/conversation/service-port.js';
import { ACK, RST } from '../../src/decode/net/tcp-layout.js';
import type { Report } from '../../src/report/types.js';
import { analyse, analyseAll, classic, frameOf, type At, type ResetFields } from '../report/analysing.js';

const SERVER = { src: '10.0.0.5', srcPort: 7000, dst: '192.0.2.9', dstPort: 50000 };
const CLIENT = { src: '192.0.2.9', srcPort: 50000, dst: '10.0.0.5', dstPort: 7000 };
/** What nothing but context can place. */
const BARE: ResetFields = { flags: 'R', ack: 0, window: 0, id: 0 };

const syn = (fields: ResetFields): Uint8Array => frameOf({ ...fields, flags: 'S', ack: 0 });
const synAck = (fields: ResetFields): Uint8Array => frameOf({ ...fields, flags: 'S.' });

function capture(...frames: readonly Uint8Array[]): Uint8Array {
  return classic(frames.map((bytes, i): At => [i * 100_000, bytes]));
}

function verdicts({ events }: Report): [number | null, string][] {
  return events.map((event) => [event.service_port, event.reset_by]);
}

const REGISTERED = { service: (port: number): string | null => (port === 7000 || port === 9100 ? 'known' : null) };

describe('the handshake', () => {
  test('whoever sent the SYN is the client, whichever side resets', async () => {
    expect(verdicts(await analyse(capture(syn(CLIENT), frameOf({ ...SERVER, ...BARE }))))).toEqual([[7000, 'server']]);
    expect(verdicts(await analyse(capture(syn(CLIENT), frameOf({ ...CLIENT, ...BARE }))))).toEqual([[7000, 'client']]);
  });

  test('a SYN-ACK alone says it too', async () => {
    expect(verdicts(await analyse(capture(synAck(SERVER), frameOf({ ...CLIENT, ...BARE }))))).toEqual([
      [7000, 'client'],
    ]);
  });

  test('a SYN says more than a SYN-ACK that came before it', async () => {
    const report = await analyse(capture(synAck(CLIENT), syn(CLIENT), frameOf({ ...SERVER, ...BARE })));
    expect(verdicts(report)).toEqual([[7000, 'server']]);
  });

  test('it goes before the shape, the roles and the registry', async () => {
    // 50000 serves here, though the reset looks like a refusal by 7000 and 7000 has a name.
    const refusal = { flags: 'R.', seq: 0, window: 0 };
    const report = await analyse(capture(syn(SERVER), frameOf({ ...SERVER, ...refusal })), REGISTERED);
    expect(verdicts(report)).toEqual([[50000, 'client']]);
  });

  test('is kept by exact address, port and tenant', async () => {
    const other = { ...SERVER, dstPort: 50001 };
    expect(
      verdicts(await analyse(capture(syn({ ...CLIENT, srcPort: 50001 }), frameOf({ ...other, ...BARE })))),
    ).toEqual([[7000, 'server']]);
  });

  test('the rule alone', () => {
    expect(byHandshake('source')).toBe('destination');
    expect(byHandshake('destination')).toBe('source');
    expect(byHandshake(null)).toBeNull();
  });
});

describe('the shape', () => {
  test('RST and ACK with sequence 0 and window 0 comes from whoever was asked', () => {
    expect(byShape(RST | ACK, 0, 5, 0)).toBe('source');
    // Window cut off by the capture.
    expect(byShape(RST | ACK, 0, 5, -1)).toBe('source');
  });

  test.each([
    [RST, 0, 5, 0],
    [RST | ACK, 1, 5, 0],
    [RST | ACK, 0, 0, 0],
    [RST | ACK, 0, 5, 500],
  ])('flags %i seq %i ack %i window %i says nothing', (flags, seq, ack, window) => {
    expect(byShape(flags, seq, ack, window)).toBeNull();
  });

  test('goes before roles and registry', async () => {
    const report = await analyse(
      capture(frameOf({ ...CLIENT, srcPort: 50000, flags: 'R.', seq: 0, window: 0 })),
      REGISTERED,
    );
    expect(verdicts(report)).toEqual([[50000, 'server']]);
  });

  test('a scanner with a fixed source port: each target serves, never the scanner', async () => {
    const ports = [22, 80, 443, 3306, 8080, 9100, 33_000];
    const refusals = ports.map((srcPort) =>
      frameOf({ src: '10.0.0.5', srcPort, dst: '192.0.2.66', dstPort: 53, flags: 'R.', seq: 0, window: 0, id: 0 }),
    );
    const itsOwn = frameOf({ src: '192.0.2.66', srcPort: 53, dst: '10.0.0.5', dstPort: 6667, ...BARE });
    const report = await analyse(capture(...refusals, itsOwn), { service: (port) => (port === 53 ? 'domain' : null) });
    expect(report.events.map((event) => event.service_port)).toEqual([...ports, 6667]);
  });

  test('a scanner whose bare resets are all there is: never its own port', async () => {
    const targets = [22, 443, 8443, 9100].map((dstPort, i) =>
      frameOf({ src: '192.0.2.66', srcPort: 40_000, dst: `10.0.0.${i + 1}`, dstPort, ...BARE }),
    );
    const report = await analyse(capture(...targets), REGISTERED);
    expect(verdicts(report).map(([port]) => port)).toEqual([null, null, null, 9100]);
  });
});

describe('roles', () => {
  const role = { server: false, client: false, recurs: false };

  test('one end served elsewhere, was the client elsewhere, or recurs', () => {
    expect(byRoles({ ...role, server: true }, role)).toBe('source');
    expect(byRoles(role, { ...role, server: true })).toBe('destination');
    expect(byRoles({ ...role, client: true }, role)).toBe('destination');
    expect(byRoles(role, { ...role, client: true })).toBe('source');
    expect(byRoles({ ...role, recurs: true }, role)).toBe('source');
    expect(byRoles(role, { ...role, recurs: true })).toBe('destination');
  });

  test('in that order', () => {
    expect(byRoles({ ...role, server: true }, { ...role, recurs: true })).toBe('source');
    expect(byRoles({ ...role, client: true }, { ...role, recurs: true })).toBe('destination');
    expect(byRoles({ ...role, client: true, recurs: true }, role)).toBe('destination');
  });

  test('conflicts are null', () => {
    expect(byRoles({ ...role, server: true }, { ...role, server: true })).toBeNull();
    expect(byRoles({ ...role, client: true }, { ...role, client: true })).toBeNull();
    expect(byRoles({ ...role, recurs: true }, { ...role, recurs: true })).toBeNull();
    expect(byRoles({ server: true, client: true, recurs: false }, role)).toBeNull();
    expect(byRoles(role, role)).toBeNull();
  });

  test('an end that served in another connection serves here, also when that is seen later', async () => {
    const lone = frameOf({ ...SERVER, dstPort: 50007, ...BARE });
    for (const frames of [
      [syn(CLIENT), lone],
      [lone, syn(CLIENT)],
    ]) {
      expect(verdicts(await analyse(capture(...frames)))).toEqual([[7000, 'server']]);
    }
  });

  test('an end with different peers serves', async () => {
    const resets = [50001, 50002, 50003].map((dstPort) => frameOf({ ...SERVER, dstPort, ...BARE }));
    expect(verdicts(await analyse(capture(...resets)))).toEqual([
      [7000, 'server'],
      [7000, 'server'],
      [7000, 'server'],
    ]);
  });

  test('both ends served elsewhere: null, unless the registry knows one', async () => {
    const other = { src: '192.0.2.77', srcPort: 45_000 };
    const frames = [
      syn({ ...other, dst: SERVER.src, dstPort: SERVER.srcPort }),
      syn({ ...other, dst: SERVER.dst, dstPort: SERVER.dstPort }),
      frameOf({ ...SERVER, ...BARE }),
    ];
    expect(verdicts(await analyse(capture(...frames)))).toEqual([[null, 'unknown']]);
    expect(verdicts(await analyse(capture(...frames), REGISTERED))).toEqual([[7000, 'server']]);
  });
});

describe('the registry', () => {
  const registered = (port: number): boolean => [80, 443, 40_000].includes(port);

  test('the one port with a name, below the ephemeral range first', () => {
    expect(byRegistry(80, 50_000, registered)).toBe('source');
    expect(byRegistry(50_000, 80, registered)).toBe('destination');
    expect(byRegistry(80, 40_000, registered)).toBe('source');
    expect(byRegistry(40_000, 50_000, registered)).toBe('source');
  });

  test('both, or none, or only an accident above: null', () => {
    expect(byRegistry(80, 443, registered)).toBeNull();
    expect(byRegistry(5000, 5001, registered)).toBeNull();
    expect(byRegistry(5000, 40_000, registered)).toBeNull();
  });

  test('a lone reset: the registered side, else null', async () => {
    const lone = capture(frameOf({ ...SERVER, ...BARE }));
    expect(verdicts(await analyse(lone))).toEqual([[null, 'unknown']]);
    expect(verdicts(await analyse(lone, REGISTERED))).toEqual([[7000, 'server']]);
    const report = await analyse(lone);
    expect(report.ports).toMatchObject([{ port: null, resets: 1, by_server: 0, by_client: 0, peers: 2 }]);
    expect(report.endpoints).toEqual([]);
  });
});

describe('several captures', () => {
  test('what one shows counts in the other, in whatever order they are named', async () => {
    const first = classic([[0, syn(CLIENT)]]);
    const second = classic([[5_000_000, frameOf({ ...SERVER, ...BARE })]]);
    for (const captures of [
      [first, second],
      [second, first],
    ]) {
      expect(verdicts(await analyseAll(captures))).toEqual([[7000, 'server']]);
    }
  });
});

describe('bounds', () => {
  test('300,000 connections: the latest are known, nothing grows, nothing is mistaken', async () => {
    const frames: At[] = [];
    const COUNT = 300_000;
    const end = (i: number): ResetFields => ({ src: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, srcPort: 50_000 });
    const template = syn({ ...end(0), dst: '192.0.2.1', dstPort: 7000 });
    for (let i = 0; i < COUNT; i++) {
      const bytes = template.slice();
      bytes.set([10, i >> 16, (i >> 8) & 255, i & 255], 26);
      frames.push([i, bytes]);
    }
    const late = COUNT - 1;
    frames.push([COUNT + 10, frameOf({ ...end(late), dst: '192.0.2.1', dstPort: 7000, ...BARE })]);
    // Forgotten as a connection, but its server is known still.
    frames.push([COUNT + 20, frameOf({ ...end(5), dst: '192.0.2.1', dstPort: 7000, ...BARE })]);
    expect(verdicts(await analyse(classic(frames)))).toEqual([
      [7000, 'client'],
      [7000, 'client'],
    ]);
  });

  test('more resets than may wait are handed on in order, each once', async () => {
    const frames: At[] = [];
    const COUNT = 30_000;
    for (let i = 0; i < COUNT; i++) {
      const peers = { src: `10.1.${i >> 8}.${i & 255}`, srcPort: 30_000, dst: `10.2.${i >> 8}.${i & 255}` };
      frames.push([i * 1000, frameOf({ ...peers, dstPort: 31_000, ...BARE, seq: i + 1 })]);
    }
    const report = await analyse(classic(frames));
    expect(report.events.map(({ frame }) => frame)).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
    expect(report.ports).toMatchObject([{ port: null, resets: COUNT }]);
  });
});
