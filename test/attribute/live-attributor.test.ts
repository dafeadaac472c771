/** When which of the sources is asked for the ends of a reset, how long it is waited for, and when nothing more comes. */
import { describe, expect, test } from '@jest/globals';
import type { Reset } from '../../src/conversation/reset.js';
import { AT, HERE, later, made, nginx, reset, said, THERE } from './live-sources.js';

describe('who is asked', () => {
  test('nobody, where no end is here', () => {
    const { attributor, tables } = made();
    const inquiry = attributor.inquire(reset({ srcIp: '192.0.2.1' }));
    expect([inquiry.final, said(inquiry)]).toEqual([true, ['remote', 'remote']]);
    expect(tables.queries).toEqual([]);
  });

  test('the trace, and the tables not when it names the end', async () => {
    const { attributor, trace, tables } = made();
    trace.tell(nginx);
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(true);
    expect(said(inquiry)).toEqual(['kernel-trace 100', 'remote']);
    expect(inquiry.known.kernel.sent).toMatchObject({ reason: 'TCP_STATE', path: 'linger', active: true });
    expect(tables.queries).toEqual([]);
  });

  test('the tables, when the trace has told and has no name', async () => {
    const { attributor, tables } = made();
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(true);
    expect(said(inquiry)).toEqual(['socket 200', 'remote']);
    expect(tables.queries).toEqual([
      expect.objectContaining({
        localIp: HERE,
        localPort: 80,
        remoteIp: THERE,
        remotePort: 40000,
        netns: null,
        at: AT,
      }),
    ]);
  });

  test('the tables alone, without a trace', async () => {
    const { attributor } = made({ trace: null });
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(true);
    expect(said(inquiry)).toEqual(['socket 200', 'remote']);
  });

  test('nobody but the trace, without tables', async () => {
    const { attributor } = made({ sockets: null });
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(true);
    expect(said(inquiry)).toEqual(['not-tried', 'remote']);
  });

  test('of loopback, both ends, in its namespace', async () => {
    const { attributor, tables } = made();
    const inquiry = attributor.inquire(reset({ srcIp: '127.0.0.1', destIp: '127.0.0.1', netns: 77 }));
    await later(inquiry);
    expect(tables.queries.map(({ localPort, netns }) => [localPort, netns])).toEqual([
      [80, 77],
      [40000, 77],
    ]);
  });

  test('the address that is this host’s, of those that a NAT made', async () => {
    const { attributor, trace } = made();
    trace.tell(nginx, { tuple: `10.7.0.5 8080 ${THERE} 40000` });
    const twin = {
      srcIp: '10.7.0.5',
      srcPort: 8080,
      destIp: THERE,
      destPort: 40000,
      seconds: AT,
      nanos: 0,
      interface: null,
    };
    const copies = { frames: [], interfaces: null, sightings: null, twins: [twin] } as unknown as Reset['copies'];
    const inquiry = attributor.inquire(reset({ srcIp: '203.0.113.1', srcPort: 443, copies }));
    await later(inquiry);
    expect(said(inquiry)).toEqual(['kernel-trace 100', 'remote']);
  });
});

describe('how long it is waited', () => {
  test('until the trace has told of that time', async () => {
    const { attributor, trace, tables, at } = made();
    trace.behind = 0.1;
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(false);
    expect(tables.queries).toEqual([]);
    trace.tell(nginx);
    at(0.2);
    expect(inquiry.final).toBe(true);
    expect(said(inquiry)).toEqual(['kernel-trace 100', 'remote']);
  });

  test('for what a receiver will say yet, but not for ever', async () => {
    const { attributor, trace, at } = made();
    trace.tell(undefined, { kind: 'receive', open: true });
    const inquiry = attributor.inquire(reset({ srcIp: THERE, srcPort: 40000, destIp: HERE, destPort: 80 }));
    at(0.1);
    expect(await later(inquiry)).toBe(false);
    trace.resets[0] = { ...trace.tell(nginx, { kind: 'receive' }), serial: 0 };
    trace.resets.splice(1);
    at(0.2);
    expect(await later(inquiry)).toBe(true);
    expect(said(inquiry)).toEqual(['remote', 'kernel-trace 100']);

    const silent = made();
    silent.trace.tell(undefined, { kind: 'receive', open: true });
    const other = silent.attributor.inquire(reset({ srcIp: THERE, srcPort: 40000, destIp: HERE, destPort: 80 }));
    silent.at(0.1);
    expect(await later(other)).toBe(false);
    silent.at(1);
    expect(await later(other)).toBe(true);
    expect(said(other)).toEqual(['remote', 'socket 200']);
  });

  test('for tables that a busy machine is slow to read, also where the trace came late', async () => {
    const { attributor, tables, at } = made();
    tables.hold = true;
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(false);
    at(3);
    expect(await later(inquiry)).toBe(false);
    tables.release();
    await later(inquiry);
    expect(said(inquiry)).toEqual(['socket 200', 'remote']);

    const late = made();
    late.trace.behind = 3;
    const other = late.attributor.inquire(reset());
    late.at(2);
    expect(await later(other)).toBe(false);
    late.trace.behind = 0.01;
    late.at(2.1);
    // Only now it is known that the trace says nothing of it.
    expect(await later(other)).toBe(true);
    expect(said(other)).toEqual(['socket 200', 'remote']);
  });

  test('tables that never answer are not waited for', async () => {
    const { attributor, tables, at } = made();
    tables.hold = true;
    const inquiry = attributor.inquire(reset());
    expect(await later(inquiry)).toBe(false);
    at(10);
    expect(await later(inquiry)).toBe(true);
    expect(said(inquiry)).toEqual(['not-tried', 'remote']);
    tables.release();
    expect(await later(inquiry)).toBe(true);
    // It was told once that nothing more comes.
    expect(said(inquiry)).toEqual(['not-tried', 'remote']);
  });

  test('a trace that has failed leaves the tables', async () => {
    const { attributor, trace, at } = made();
    trace.behind = Infinity;
    trace.tellsAll = false;
    const inquiry = attributor.inquire(reset());
    for (const seconds of [0.1, 0.5, 1, 2, 4, 6, 8]) {
      at(seconds);
      await later(inquiry);
    }
    expect(inquiry.final).toBe(true);
    expect(said(inquiry)).toEqual(['socket 200', 'remote']);
  });
});

test('one thing that is looked at twice says the same', async () => {
  const { attributor, trace } = made();
  trace.tell(nginx);
  const inquiry = attributor.inquire(reset());
  await later(inquiry);
  expect(inquiry.known).toBe(inquiry.known);
});
