/** How far a connection had come: stage, Zeek's word, idle time, bytes each way, through the whole pipeline. */
import { describe, expect, test } from '@jest/globals';
import type { ResetEvent } from '../../src/report/types.js';
import { analyse, classic, onlyEvent, type At } from '../report/analysing.js';
import { handshake, talk } from './following.js';

const both = talk();
const { c, s } = both;
const ISNS = [1000, 5000] as const;
const open = handshake(both, 0, ISNS);
/** A segment of another connection: the capture holds more than beginnings and ends. */
const middle = talk({ clientPort: 50_009 }).c(5, '.', 7, 7);
const hello = [c(30, 'P.', 1001, 5001, { length: 5 }), s(40, '.', 5001, 1006)];

async function eventOf(...frames: readonly At[]): Promise<ResetEvent> {
  return onlyEvent(await analyse(classic(frames)));
}

describe('stage', () => {
  test.each<[string, readonly At[]]>([
    ['unknown', [s(0, 'R', 5, 0)]],
    ['unknown', [c(0, '.', 1001, 5001), s(10, 'R', 5001, 0)]],
    ['handshake', [c(0, 'S', 1000, 0), s(10, 'R.', 0, 1001)]],
    ['handshake', [...open.slice(0, 2), middle, c(20, 'R', 1001, 0)]],
    // Whether the third segment came is not known.
    ['unknown', [...open.slice(0, 2), c(20, 'R', 1001, 0)]],
    ['data', [c(0, 'S', 1000, 0, { length: 5 }), s(10, 'S.', 5000, 1006), s(60, 'R.', 5001, 1006)]],
    ['established', [...open, s(30, 'R.', 5001, 1001)]],
    ['data', [...open, ...hello, s(50, 'R.', 5001, 1006)]],
    ['data', [c(0, 'P.', 1001, 5001, { length: 5 }), s(10, 'R', 5001, 0)]],
    ['closing', [...open, ...hello, c(50, 'F.', 1006, 5001), s(60, 'R.', 5001, 1007)]],
    ['closing', [c(50, 'F.', 1006, 5001), s(60, '.', 5001, 1007), s(70, 'R.', 5001, 1007)]],
    // Out of the blue, a FIN is a probe.
    ['unknown', [c(0, 'F', 1000, 0), s(10, 'R.', 0, 1001)]],
    ['closed', [...open, c(50, 'F.', 1001, 5001), s(60, 'F.', 5001, 1002), c(70, 'R', 5002, 0)]],
  ])('%s', async (stage, frames) => {
    expect((await eventOf(...frames)).stage).toBe(stage);
  });

  test('data that was not captured is known by the sequence numbers', async () => {
    // SYN, SYN-ACK, the third segment late: what was acknowledged says that data had been sent.
    const event = await eventOf(...open, s(900, '.', 5001, 1006), s(1000, 'R.', 5001, 1006));
    expect([event.stage, event.bytes_to_server]).toEqual(['data', 5]);
  });
});

describe("Zeek's word", () => {
  test.each<[ResetEvent['conn_state'], string, readonly At[]]>([
    ['REJ', 'the SYN is refused', [c(0, 'S', 1000, 0), s(10, 'R.', 0, 1001)]],
    ['REJ', 'by a bare reset too', [c(0, 'S', 1000, 0), s(10, 'R', 0, 0)]],
    ['RSTO', 'the opener resets', [...open, c(50, 'R.', 1001, 5001)]],
    ['RSTO', 'the opener resets the SYN-ACK', [...open.slice(0, 2), c(20, 'R', 1001, 0)]],
    ['RSTR', 'the responder resets', [...open, s(50, 'R.', 5001, 1001)]],
    ['RSTOS0', 'the opener resets, the responder was silent', [c(0, 'S', 1000, 0), c(50, 'R.', 1001, 0)]],
    [
      'RSTRH',
      'the responder resets its SYN-ACK, the opener was silent',
      [s(0, 'S.', 5000, 1001), s(9, 'R.', 5001, 1001)],
    ],
    [null, 'no handshake was seen', [...hello, s(50, 'R.', 5001, 1006)]],
    [null, 'nothing but the reset was seen', [c(0, 'R', 1001, 0)]],
    [null, 'nor where it looks refused', [s(0, 'R.', 0, 1001)]],
  ])('%s: %s', async (word, _, frames) => {
    expect((await eventOf(...frames)).conn_state).toBe(word);
  });
});

describe('idle seconds', () => {
  test("are those since the connection's previous segment, of either side", async () => {
    expect((await eventOf(...open, ...hello, s(2540, 'R.', 5001, 1006))).idle_seconds).toBe(2.5);
    expect((await eventOf(c(0, 'S', 1000, 0), s(0.25, 'R.', 0, 1001), c(9, '.', 7, 7))).idle_seconds).toBe(null);
    expect((await eventOf(c(0, '.', 7, 7), c(1, 'S', 1000, 0), s(1.25, 'R.', 0, 1001))).idle_seconds).toBe(0.00025);
  });
  test('of another connection do not count', async () => {
    const other = talk({ clientPort: 50_001 });
    const event = await eventOf(...open, ...handshake(other, 1000, [1, 2]), s(2020, 'R.', 5001, 1001));
    expect(event.idle_seconds).toBe(2);
  });
  test('are null where only beginnings and ends were captured', async () => {
    expect((await eventOf(...open.slice(0, 2), s(2000, 'R.', 5001, 1001))).idle_seconds).toBeNull();
  });
  test.each<[string, readonly At[]]>([
    ['a gap in what one side sent', [...open, c(50, 'P.', 1101, 5001, { length: 5 }), s(60, 'R.', 5001, 1106)]],
    ['what was acknowledged, and not seen', [...open, s(50, '.', 5001, 1301), s(60, 'R.', 5001, 1301)]],
    ['a reset with a number beyond what was seen', [...open, s(60, 'R.', 5101, 1001)]],
    ['a reset that acknowledges what was not seen', [...open, s(60, 'R.', 5001, 1101)]],
    ['nothing else', [s(60, 'R.', 5101, 1001)]],
  ])('are null with %s', async (_, frames) => {
    expect((await eventOf(...frames)).idle_seconds).toBeNull();
  });
  test('survive a retransmission and segments out of order', async () => {
    const [first, second] = [c(30, 'P.', 1001, 5001, { length: 5 }), c(31, 'P.', 1006, 5001, { length: 5 })];
    const again = c(300, 'P.', 1001, 5001, { length: 5 });
    expect((await eventOf(...open, first, second, again, s(400, 'R.', 5001, 1011))).idle_seconds).toBe(0.1);
  });
});

describe('bytes each way', () => {
  test('come from the sequence numbers, also where the data was not captured', async () => {
    const reset = s(60, 'R.', 5101, 1301);
    const event = await eventOf(...open, reset);
    expect([event.bytes_to_server, event.bytes_to_client]).toEqual([300, 100]);
    const control = await analyse(classic([...open.slice(0, 2), reset]));
    expect(onlyEvent(control)).toMatchObject({ bytes_to_server: 300, bytes_to_client: 100 });
  });
  test('do not count SYN and FIN', async () => {
    const frames = [...open, ...hello, c(50, 'F.', 1006, 5001), s(60, '.', 5001, 1007), s(70, 'R.', 5001, 1007)];
    expect(await eventOf(...frames)).toMatchObject({ bytes_to_server: 5, bytes_to_client: 0 });
  });
  test('swap with who resets', async () => {
    expect(await eventOf(...open, ...hello, c(50, 'R.', 1006, 5001))).toMatchObject({
      reset_by: 'client',
      bytes_to_server: 5,
      bytes_to_client: 0,
    });
  });
  test('count what was sent beyond what was acknowledged, and retransmissions once', async () => {
    const data = (at: number): At => c(at, 'P.', 1001, 5001, { length: 100 });
    expect(await eventOf(...open, data(30), data(300), s(400, 'R', 5001, 0))).toMatchObject({ bytes_to_server: 100 });
  });
  test.each<[string, readonly At[]]>([
    ['SYN', open.slice(1)],
    ['SYN-ACK', [open[0]!, open[2]!]],
    ['handshake', hello],
  ])('are null without the %s', async (_, frames) => {
    const event = await eventOf(...frames, s(60, 'R.', 5001, 1301));
    expect([event.bytes_to_server, event.bytes_to_client]).toEqual([null, null]);
  });
  test('are not what a forger writes', async () => {
    expect(await eventOf(...open, s(60, 'R.', 5001 + 2 ** 31, 1001))).toMatchObject({ bytes_to_client: 0 });
    const off = await eventOf(...open, s(60, 'R.', 5001 + 2 ** 24, 1001));
    expect(off).toMatchObject({ cause: 'out-of-window', bytes_to_server: 0, bytes_to_client: 0 });
    const forged = await eventOf(...open, s(60, 'R.', 5001, 1301, { ttl: 117 }));
    expect(forged).toMatchObject({ cause: 'injected', bytes_to_server: 0, bytes_to_client: 0 });
  });
  test('are known one way only where beginnings and ends were captured, and the reset acknowledges nothing', async () => {
    const event = await eventOf(...open.slice(0, 2), s(60, 'R', 5101, 0));
    expect(event).toMatchObject({ bytes_to_server: null, bytes_to_client: 100 });
    const byClient = await eventOf(...open.slice(0, 2), c(60, 'R', 1301, 0));
    expect(byClient).toMatchObject({ bytes_to_server: 300, bytes_to_client: null });
  });
  test.each([1.5, 3])('are not known where few segments bear so much: %d GiB', async (gibibytes) => {
    const count = gibibytes * 2 ** 30;
    const parts = Array.from({ length: 2 * gibibytes }, (_, i) =>
      c(30 + i, '.', 1001 + (i + 1) * 2 ** 29 - 5, 5001, { length: 5 }),
    );
    const frames = [...open, ...parts, s(100, '.', 5001, 1001 + count), s(110, 'R.', 5001, 1001 + count)];
    expect(await eventOf(...frames)).toMatchObject({ bytes_to_server: null, bytes_to_client: 0 });
    const fin = [c(90, 'F.', 1001 + count, 5001), s(110, 'R.', 5001, 1002 + count)];
    expect(await eventOf(...open, ...parts, ...fin)).toMatchObject({ bytes_to_server: null, bytes_to_client: 0 });
  });
  test('wrap around', async () => {
    const wrapping = handshake(both, 0, [0xfffffffe, 0xffffffff]);
    const data = c(30, 'P.', 0xffffffff, 0, { length: 10 });
    const event = await eventOf(...wrapping, data, s(40, '.', 0, 9), s(1040, 'R.', 20, 9));
    expect(event).toMatchObject({ bytes_to_server: 10, bytes_to_client: 20, stage: 'data', conn_state: 'RSTR' });
  });
});
