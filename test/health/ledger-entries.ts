/** Captured and traced resets for a live ledger, on a machine that is made up. */
import { LiveLedger, type Places } from '../../src/health/live-ledger.js';
import type { TracedOwner, TracedReset } from '../../src/attribute/trace/protocol.js';
import { Few } from '../../src/conversation/few.js';
import type { Copies, Reset, Twin } from '../../src/conversation/reset.js';
import { START } from '../report/analysing.js';
import { processOf, resetOf } from '../report/attributing.js';
import { OTHER, OWN } from './made-up.js';

/** The own addresses, and whose they are: 10.0.0.3 is of two namespaces, loopback has been seen in one only. */
const ADDRESSES: Readonly<Record<string, number | null>> = {
  ...{ '10.0.0.1': OWN, 'fd00::1': OWN, '192.0.2.1': OWN, '172.17.0.2': OTHER, '10.0.0.3': null },
  ...{ '127.0.0.1': OWN, '::1': OWN },
};

export const PLACES: Places = {
  local: (ip) => ip in ADDRESSES,
  netnsOf: (ip) => ADDRESSES[ip] ?? null,
  own: OWN,
};

export function liveLedger(): LiveLedger {
  return new LiveLedger(PLACES, { early: 0.005, late: 2, listener: 0 });
}

/** "10.0.0.1:443 > 10.0.0.9:50000" and the like, so many seconds after the start. */
export function sentBy(ends: string, at = 0, more: Partial<Reset> = {}): Reset {
  const { nanos, seconds } = moment(at);
  return resetOf({ ...tupleOf(ends), seconds, nanos, ...more });
}

/** The same reset under another tuple, as a NAT made it. */
export function withTwins(reset: Reset, ...twins: (readonly [ends: string, at: number])[]): Reset {
  const all = twins.map(([ends, at]): Twin => ({ ...tupleOf(ends), ...moment(at), interface: 'eth0' }));
  const copies: Copies = { frames: [2], interfaces: new Few(), sightings: new Few(), twins: all };
  return { ...reset, copies };
}

function moment(at: number): { seconds: number; nanos: number } {
  return { seconds: START + Math.floor(at), nanos: Math.round((at - Math.floor(at)) * 1e9) };
}

function tupleOf(ends: string): Pick<Reset, 'srcIp' | 'srcPort' | 'destIp' | 'destPort'> {
  const [[srcIp, srcPort], [destIp, destPort]] = ends.split(' > ').map(endOf) as [End, End];
  return { srcIp, srcPort, destIp, destPort };
}

type End = [ip: string, port: number];

function endOf(text: string): End {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon).replace(/[[\]]/g, ''), Number(text.slice(colon + 1))];
}

export function ownerIn(netns: number | null): TracedOwner {
  return { process: processOf({ netns }), task: 100, how: 'self', shared: false };
}

/** What the trace tells, so many seconds after the start of both clocks. */
export function tracedBy(ends: string, at = 0, more: Partial<TracedReset> = {}): TracedReset {
  const { srcIp, srcPort, destIp, destPort } = tupleOf(ends);
  return {
    ...{ serial: 1, kind: 'send', at: START + at, mono: at * 1e9, active: false, reason: null, path: null },
    tuple: `${srcIp} ${srcPort} ${destIp} ${destPort}`,
    ...{ socketless: false, listening: false, connected: true, owner: null, destroyer: null, open: false },
    ...more,
  };
}
