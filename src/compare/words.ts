/** What a comparison comes to, in sentences. */

import { grouped, plural } from '../base/text.js';
import type { Comparison, End, NotComparableReason, OneSidedVerdict, VerdictRow } from '../report/comparison-types.js';

export interface Said {
  readonly names: Readonly<Record<End, string>>;
  /** Connections that were opened from the end of the server's capture, by the times or TTLs of their segments. */
  readonly swapped: number;
  /** Connections with the same ends and other sequence numbers in both. */
  readonly rewritten: number;
}

export function summaryOf(comparison: Omit<Comparison, 'summary'>, said: Said): string[] {
  const { matched_connections: matched, captures, both, verdicts, not_comparable: rows } = comparison;
  if (captures === null) return [];
  const { client, server } = captures;
  const { names } = said;
  const sentences: string[] = [];
  if (matched === 0) {
    sentences.push(
      `no connection of ${names.client} (${grouped(client.connections)}) is in ${names.server} (${grouped(server.connections)}): nothing can be compared`,
      ...(said.rewritten > 0 ? [rewrittenText(said.rewritten)] : [whyNothing(client.connections, server.connections)]),
    );
    return sentences;
  }
  for (const seen of ['client', 'server'] as const) sentences.push(...verdictsText(verdicts, seen, 'middlebox'));
  for (const verdict of ['lost', 'repeated', 'unsure'] as const) {
    for (const seen of ['client', 'server'] as const) sentences.push(...verdictsText(verdicts, seen, verdict));
  }
  const apart = rows.reduce((sum, { resets }) => sum + resets, 0);
  if (verdicts.length === 0) sentences.push(allBoth(both, apart));
  if (said.swapped * 2 > matched) {
    sentences.push(
      `${grouped(said.swapped)} of ${plural(matched, 'connection')} were opened at the end where ${names.server} was made, by the times and TTLs of their segments: are the two files the wrong way round?`,
    );
  }
  if (said.rewritten > 0) sentences.push(rewrittenText(said.rewritten));
  return sentences;
}

function allBoth(both: number, apart: number): string {
  if (both > 0) {
    const can = apart === 0 ? '' : ' that can be compared';
    return both === 1
      ? `the one reset${can} was seen at both ends: none was sent or dropped between them`
      : `all ${plural(both, 'reset')}${can} were seen at both ends: none was sent or dropped between them`;
  }
  return apart === 0 ? 'neither capture holds a reset' : 'no reset can be compared';
}

function verdictsText(verdicts: readonly VerdictRow[], seen: End, verdict: OneSidedVerdict): string[] {
  const rows = verdicts.filter((row) => row.seen === seen && row.verdict === verdict);
  const n = rows.length;
  if (n === 0) return [];
  const far = seen === 'client' ? 'server' : 'client';
  const resets = plural(n, 'reset');
  const were = n === 1 ? 'was' : 'were';
  const those = n === 1 ? 'that one' : 'those';
  switch (verdict) {
    case 'middlebox':
      return [
        `${resets} ${were} seen at the ${seen} only, from the ${far}'s address, that the ${far} never sent: a device between them sent ${those}`,
      ];
    case 'lost':
      return [`${resets} that the ${seen} sent ${were} not seen at the ${far}: dropped on the way`];
    case 'repeated':
      return [
        `${resets} ${were} seen at the ${seen} once more than at the ${far}, with the same numbers: repeated on the way, or lost on it`,
      ];
    case 'unsure':
      return [
        `${resets} ${were} seen at the ${seen} only, and a device between may have sent or dropped ${those}, but that is not sure: ${commonest(rows)}`,
      ];
  }
}

function commonest(rows: readonly VerdictRow[]): string {
  const counts = new Map<string, number>();
  for (const { because } of rows) counts.set(because[0] ?? '', (counts.get(because[0] ?? '') ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

function rewrittenText(rewritten: number): string {
  return `${plural(rewritten, 'connection has', 'connections have')} the same addresses and ports in both and other sequence numbers: a device between rewrites them, or ends connections and opens its own (a proxy, a balancer)`;
}

function whyNothing(client: number, server: number): string {
  if (client === 0 || server === 0) return `${client === 0 ? 'the client' : 'the server'}'s capture holds no TCP`;
  return 'are these captures of the same time and hosts? A proxy or balancer between, or a device that rewrites sequence numbers, makes other connections of them';
}

/** `own` has the resets, `other` does not. */
export function notComparableText(
  reason: NotComparableReason,
  n: number,
  [own, other]: readonly [own: string, other: string],
): string {
  const resets = `${plural(n, 'reset')} of ${own}`;
  const lie = n === 1 ? 'lies' : 'lie';
  switch (reason) {
    case 'before-its-window':
      return `${resets} ${lie} before the first packet of ${other}`;
    case 'after-its-window':
      return `${resets} ${lie} after the last packet of ${other}`;
    case 'no-such-connection':
      return `${resets} ${n === 1 ? 'belongs to a connection' : 'belong to connections'} that ${other} does not have: a device between answered for it, or ${other} does not see that path`;
    case 'no-connection-in-common':
      return `${resets}: no connection is in both captures, so their clocks can't be compared`;
    case 'no-time':
      return `${resets} ${n === 1 ? 'has' : 'have'} no time, or ${other} has none`;
    case 'ambiguous':
      return `${resets} may be one of several in ${other}: their numbers are not theirs alone`;
    case 'too-many':
      return `${resets}: there are more connections or resets than are remembered`;
  }
}
