/** Which resets a comparison is about, by ports and addresses: as either capture has them. */

import type { FilterOptions } from '../report/filter.js';
import type { ResetEvent } from '../report/types.js';
import { addressOf, portOf } from './connection.js';
import type { Sighting } from './sightings.js';

export function keeps(filter: Pick<FilterOptions, 'port' | 'host'>, { event, line }: Sighting): boolean {
  const { port, host } = filter;
  if (port === null && host === null) return true;
  const ends = [...endsOf(event), ...(line === null ? [] : endsOfLine(line))];
  return (port === null || ends.some((end) => port(end.port))) && (host === null || ends.some((end) => host(end.ip)));
}

interface AnEnd {
  readonly ip: string;
  readonly port: number;
}

function endsOf(event: ResetEvent): AnEnd[] {
  return [event, ...event.translations].flatMap((one) => [
    { ip: one.src_ip, port: one.src_port },
    { ip: one.dest_ip, port: one.dest_port },
  ]);
}

function endsOfLine({ client, server }: NonNullable<Sighting['line']>): AnEnd[] {
  return [...client, ...server].flatMap((connection) =>
    (['lower', 'higher'] as const).map((side) => ({ ip: addressOf(connection, side), port: portOf(connection, side) })),
  );
}
