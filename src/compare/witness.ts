/** What each capture is, as the other one's resets are judged by it and as the comparison tells it. */

import type { ComparedCapture, End } from '../report/comparison-types.js';
import type { Capture } from './capture.js';
import { tupleOf, type Connection } from './connection.js';
import type { Wholeness } from './course.js';
import type { Witness } from './judge.js';
import { isWhole, type Line } from './lines.js';

/** Without their folders where that tells them apart. */
export function namesOf(client: Capture, server: Capture): Record<End, string> {
  const short = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
  const [a, b] = [nameOf(client), nameOf(server)];
  return short(a) === short(b) ? { client: a, server: b } : { client: short(a), server: short(b) };
}

function nameOf({ files }: Capture): string {
  const [first = ''] = files;
  return files.length > 1 ? `${first} and ${String(files.length - 1)} more` : first;
}

export function witnessOf({ report, footprints }: Capture, end: End, name: string, wholeness: Wholeness): Witness {
  const { window, source, packets, incomplete } = report;
  return {
    end,
    name,
    first: window.start_epoch,
    last: window.end_epoch,
    context: source.context,
    resets: packets.resets,
    dropped: packets.dropped,
    overflowed: footprints.omitted > 0,
    incomplete,
    wholeness,
  };
}

export function comparedOf(
  { files, report, footprints }: Capture,
  groups: ReadonlyMap<number, Line>,
  wholeness: Wholeness,
  end: End,
): ComparedCapture {
  let unmatched = 0;
  for (const line of groups.values()) if (!isWhole(line)) unmatched += line[end].length;
  const { window, source, packets } = report;
  return {
    files,
    start: window.start,
    end: window.end,
    seconds: window.seconds,
    context: source.context,
    resets: packets.unique,
    connections: footprints.connections.length,
    unmatched,
    segments_omitted: footprints.omitted,
    dropped: packets.dropped,
    checked: wholeness.checked,
    lacking: wholeness.lacking,
  };
}

/** Connections with the same addresses and ports in both captures, and with other sequence numbers. */
export function rewrittenOf(groups: ReadonlyMap<number, Line>): number {
  const alone = (end: End): Connection[] =>
    [...groups.values()]
      .flatMap((line) => (isWhole(line) ? [] : line[end]))
      .filter(({ openerIsn }) => openerIsn !== null);
  const theirs = new Set(alone('server').map(tupleOf));
  return alone('client').filter((one) => theirs.has(tupleOf(one))).length;
}
