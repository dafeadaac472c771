/**
 * Counts resets per endpoint, port, host and cause as they settle. Every reset counts once in each list.
 *
 * Knows no files, no clock and no output. Lists are bounded: addresses come from strangers. Past a bound new rows are
 * left out and counted, and distinct peers become unknown rather than wrong.
 */

import { isoTime } from '../base/time.js';
import { clientIp, serverIp, type Reset } from '../conversation/reset.js';
import type { Cause, Confidence, Origin } from '../conversation/verdict.js';
import { Peak } from './peak.js';
import { TimelineTally } from './timeline.js';
import type { CauseCount, CauseRow, EndpointRow, HostRow, PortRow, Timeline } from './types.js';

const MAX_ENDPOINTS = 50_000;
const MAX_HOSTS = 50_000;
/** Members of all sets of distinct peers and ports together. */
const MAX_MEMBERS = 1_000_000;

/** What the rows need beside the counts. */
export interface RowContext {
  readonly seconds: number | null;
  readonly service: (port: number) => string | null;
}

interface Common {
  resets: number;
  byServer: number;
  byClient: number;
  /** Distinct peers; null once there were too many to tell. */
  peers: Set<string> | null;
  readonly peak: Peak;
  readonly causes: Map<Cause, number>;
  first: Reset;
  last: Reset;
}

interface EndpointTally extends Common {
  readonly ip: string;
  readonly port: number;
}

interface PortTally extends Common {
  readonly port: number | null;
  sent: number;
  received: number;
}

interface HostTally {
  readonly ip: string;
  from: number;
  to: number;
  readonly ports: Set<number>;
  readonly causes: Map<Cause, number>;
}

interface CauseTally {
  readonly cause: Cause;
  resets: number;
  readonly confidence: Record<Confidence, number>;
  readonly origins: Map<Origin, number>;
}

export class Tally {
  resets = 0;
  endpointsOmitted = 0;
  hostsOmitted = 0;
  private readonly endpoints = new Map<string, EndpointTally>();
  private readonly ports = new Map<number | null, PortTally>();
  private readonly hosts = new Map<string, HostTally>();
  private readonly causes = new Map<Cause, CauseTally>();
  private readonly timeline = new TimelineTally();
  private members = 0;

  add(reset: Reset): void {
    this.resets++;
    this.timeline.add(reset.seconds);
    this.addEndpoint(reset);
    this.addPort(reset);
    this.addHost(reset, reset.srcIp, true);
    this.addHost(reset, reset.destIp, false);
    this.addCause(reset);
  }

  private addEndpoint(reset: Reset): void {
    const ip = serverIp(reset);
    const port = reset.servicePort;
    if (ip === null || port === null) return;
    const key = `${ip}|${String(port)}`;
    let row = this.endpoints.get(key);
    if (row === undefined) {
      if (this.endpoints.size >= MAX_ENDPOINTS) {
        this.endpointsOmitted++;
        return;
      }
      row = { ip, port, ...common(reset) };
      this.endpoints.set(key, row);
    }
    this.addCommon(row, reset);
  }

  private addPort(reset: Reset): void {
    const port = reset.servicePort;
    let row = this.ports.get(port);
    if (row === undefined) {
      row = { port, sent: 0, received: 0, ...common(reset) };
      this.ports.set(port, row);
    }
    if (reset.direction === 'sent' || reset.direction === 'local') row.sent++;
    if (reset.direction === 'received' || reset.direction === 'local') row.received++;
    this.addCommon(row, reset);
  }

  private addCommon(row: Common, reset: Reset): void {
    row.resets++;
    if (reset.resetBy === 'server') row.byServer++;
    else if (reset.resetBy === 'client') row.byClient++;
    row.peak.add(reset.seconds, reset.nanos);
    row.causes.set(reset.verdict.cause, (row.causes.get(reset.verdict.cause) ?? 0) + 1);
    if (isBefore(reset, row.first)) row.first = reset;
    if (!isBefore(reset, row.last)) row.last = reset;
    const peer = clientIp(reset);
    if (peer === null) {
      this.addPeer(row, reset.srcIp);
      this.addPeer(row, reset.destIp);
    } else this.addPeer(row, peer);
  }

  private addPeer(row: Common, ip: string): void {
    if (row.peers === null || row.peers.has(ip)) return;
    if (this.members >= MAX_MEMBERS) {
      row.peers = null;
      return;
    }
    this.members++;
    row.peers.add(ip);
  }

  private addHost(reset: Reset, ip: string, from: boolean): void {
    let row = this.hosts.get(ip);
    if (row === undefined) {
      if (this.hosts.size >= MAX_HOSTS) {
        this.hostsOmitted++;
        return;
      }
      row = { ip, from: 0, to: 0, ports: new Set(), causes: new Map() };
      this.hosts.set(ip, row);
    }
    if (from) row.from++;
    else row.to++;
    row.causes.set(reset.verdict.cause, (row.causes.get(reset.verdict.cause) ?? 0) + 1);
    const port = reset.servicePort;
    if (port !== null && !row.ports.has(port) && this.members < MAX_MEMBERS) {
      this.members++;
      row.ports.add(port);
    }
  }

  private addCause(reset: Reset): void {
    const { cause, confidence, origin } = reset.verdict;
    let row = this.causes.get(cause);
    if (row === undefined) {
      row = { cause, resets: 0, confidence: { certain: 0, likely: 0, possible: 0, unknown: 0 }, origins: new Map() };
      this.causes.set(cause, row);
    }
    row.resets++;
    row.confidence[confidence]++;
    row.origins.set(origin, (row.origins.get(origin) ?? 0) + 1);
  }

  endpointRows(context: RowContext): EndpointRow[] {
    return [...this.endpoints.values()]
      .sort((a, b) => b.resets - a.resets || compare(a.ip, b.ip) || a.port - b.port)
      .map((row) => ({
        ip: row.ip,
        port: row.port,
        service: context.service(row.port),
        resets: row.resets,
        by_server: row.byServer,
        by_client: row.byClient,
        connections: null,
        reset_ratio: null,
        clients: row.peers?.size ?? null,
        ...rates(row, context),
      }));
  }

  portRows(context: RowContext): PortRow[] {
    return [...this.ports.values()]
      .sort((a, b) => b.resets - a.resets || (a.port ?? 65536) - (b.port ?? 65536))
      .map((row) => {
        const { rate, peak_10s, causes, first, last } = rates(row, context);
        return {
          port: row.port,
          service: row.port === null ? null : context.service(row.port),
          resets: row.resets,
          by_server: row.byServer,
          by_client: row.byClient,
          sent: row.sent,
          received: row.received,
          connections: null,
          reset_ratio: null,
          rate,
          peak_10s,
          peers: row.peers?.size ?? null,
          causes,
          processes: [],
          first,
          last,
        };
      });
  }

  hostRows(): HostRow[] {
    return [...this.hosts.values()]
      .sort((a, b) => b.from + b.to - (a.from + a.to) || compare(a.ip, b.ip))
      .map((row) => ({
        ip: row.ip,
        resets_from: row.from,
        resets_to: row.to,
        ports: [...row.ports].sort((a, b) => a - b),
        causes: causeCounts(row.causes),
      }));
  }

  causeRows(): CauseRow[] {
    return [...this.causes.values()]
      .sort((a, b) => b.resets - a.resets || compare(a.cause, b.cause))
      .map(({ cause, resets, confidence, origins }) => ({ cause, resets, ...confidence, origin: mostOf(origins) }));
  }

  timelineResult(): Timeline {
    return this.timeline.result();
  }
}

function common(reset: Reset): Common {
  return {
    resets: 0,
    byServer: 0,
    byClient: 0,
    peers: new Set(),
    peak: new Peak(),
    causes: new Map(),
    first: reset,
    last: reset,
  };
}

function rates(
  row: Common,
  { seconds }: RowContext,
): Pick<EndpointRow, 'rate' | 'peak_10s' | 'causes' | 'first' | 'last'> {
  return {
    rate: rate(row.resets, seconds),
    peak_10s: row.peak.most,
    causes: causeCounts(row.causes),
    first: timeText(row.first),
    last: timeText(row.last),
  };
}

/** Per second, to six decimals; null where the window has no length. */
export function rate(count: number, seconds: number | null): number | null {
  return seconds === null || seconds <= 0 ? null : Number((count / seconds).toFixed(6));
}

/** The reset's time as the source had it; null where it gave none. */
export function timeText(reset: Reset): string | null {
  return reset.timed ? isoTime(reset.seconds, reset.nanos, reset.digits) : null;
}

function isBefore(a: Reset, b: Reset): boolean {
  return a.seconds < b.seconds || (a.seconds === b.seconds && a.nanos < b.nanos);
}

function causeCounts(causes: ReadonlyMap<Cause, number>): CauseCount[] {
  return [...causes]
    .map(([cause, resets]) => ({ cause, resets }))
    .sort((a, b) => b.resets - a.resets || compare(a.cause, b.cause));
}

/** The one origin, or "unknown" where they differ. */
function mostOf(origins: ReadonlyMap<Origin, number>): Origin {
  const [only] = origins.keys();
  return origins.size === 1 && only !== undefined ? only : 'unknown';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
