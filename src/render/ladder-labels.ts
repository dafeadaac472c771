/** What is written on a rung of the ladder: the segment as tcpdump shows it, the fullest first. */

import { grouped, plural } from '../base/text.js';
import type { Rung } from '../report/explained.js';
import { endpoint } from './figures.js';
import { safe, type Style } from './style.js';

const REPEATS: Readonly<Record<NonNullable<Rung['repeat']>, string>> = {
  again: 'said again',
  late: 'out of order',
  probe: 'probe',
};

/** In one line each, from all that is known to what is needed most. */
export function rungLabels(rung: Rung, style: Style): readonly string[] {
  const flags = `[${safe(rung.flags, style)}]`;
  const { payload_length: length } = rung;
  const seq = rung.relative_seq ?? rung.seq;
  const ack = rung.ack === null ? null : (rung.relative_ack ?? rung.ack);
  const range = length === 0 ? String(seq) : `${String(seq)}:${String(seq + length)}`;
  const size = length === 0 ? [] : [plural(length, 'byte')];
  const marks = [
    ...(rung.new_connection ? ['a new connection'] : []),
    ...(rung.repeat === null ? [] : [REPEATS[rung.repeat]]),
    ...(rung.frames.length > 1 ? [`${grouped(rung.frames.length)} frames`] : []),
  ];
  return [
    [`${flags} seq ${range}`, ...(ack === null ? [] : [`ack ${String(ack)}`]), ...size, ...marks].join(', '),
    [`${flags} ${range}${ack === null ? '' : ` ack ${String(ack)}`}`, ...marks].join(', '),
    [`${flags} ${range}${ack === null ? '' : ` ack ${String(ack)}`}`].join(', '),
    [flags, ...size].join(' '),
    flags,
  ];
}

/** The numbers of the reset as they are on the wire, which the rules go by. */
export function rawWords({ seq, ack, window }: Rung, ttl: number, ipId: number | null): readonly string[] {
  return [
    [`on the wire: seq ${String(seq)}`, ...(ack === null ? [] : [`ack ${String(ack)}`])].join(', '),
    [
      `win ${window === null ? 'cut off' : String(window)}`,
      `TTL ${String(ttl)}`,
      ...(ipId === null ? [] : [`IP ID ${String(ipId)}`]),
    ].join(', '),
  ];
}

/** What is missing before the segment, as far as its number and its acknowledgement tell. */
export function missingWords(rung: Rung): readonly string[] {
  const other = rung.side === 'sender' ? 'receiver' : 'sender';
  const name = (side: Rung['side']): string => {
    if (rung.from === 'unknown') return `the reset's ${side}`;
    const isSame = side === rung.side;
    return `the ${isSame ? rung.from : rung.from === 'server' ? 'client' : 'server'}`;
  };
  const { missing_bytes: missing, unseen_bytes: unseen } = rung;
  return [
    ...(missing > 0 ? [`not captured: ${octets(missing)} of ${name(rung.side)}`] : []),
    ...(unseen > 0 ? [`acknowledged next, and not captured: ${octets(unseen)} of ${name(other)}`] : []),
  ];
}

export function translationWords({ translation }: Rung, style: Style): string | null {
  if (translation === null) return null;
  const { src_ip: from, src_port: fromPort, dest_ip: to, dest_port: toPort } = translation;
  const ends = [endpoint(from, fromPort), endpoint(to, toPort)].map((text) => safe(text, style));
  return `behind the NAT: ${ends.join(' to ')}`;
}

/** A FIN takes a number too. */
function octets(count: number): string {
  return count === 1 ? '1 byte, or a FIN,' : plural(count, 'byte');
}
