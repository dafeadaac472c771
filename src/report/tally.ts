/**
 * Counts resets per endpoint, port, host, process and cause as they settle. Every reset counts once in each list; of
 * processes, once as sent and once as received.
 *
 * Knows no files, no clock and no output. Lists are bounded: addresses come from strangers. Past a bound new rows are
 * left out and counted, and distinct peers become unknown rather than wrong.
 */

import type { Attribution } from '../attribute/process.js';
import { clientIp, serverIp, type Reset } from '../conversation/reset.js';
import type { Connections } from '../conversation/roles.js';
import type { Cause, Confidence, Origin, Patterned, Verdict } from '../conversation/verdict.js';
import { CommonPattern } from './common-pattern.js';
import { Distinct, NEW, NO_ROOM } from './distinct.js';
import { FewCounts } from './few-counts.js';
import { NameRoom, PortNames } from './port-names.js';
import { ProcessTally } from './process-tally.js';
import { TimelineTally } from './timeline.js';
import { causeCounts, compare, rate, Traffic } from './traffic.js';
import { timeText } from './time-text.js';
import type {
  CauseExample,
  CauseRow,
  EndpointRow,
  HostRow,
  PortRow,
  ProcessRow,
  Timeline,
  UnnamedRow,
} from './types.js';

/** Addresses that are told apart; hosts and endpoints beyond are left out of their lists. */
const MAX_ADDRESSES = 20_000;
const MAX_ENDPOINTS = 20_000;
const NO_NUMBER = -1;

/** What the rows need beside the counts. */
export interface RowContext {
  readonly seconds: number | null;
  readonly service: (port: number) => string | null;
  readonly connections: ConnectionCounts;
}

/** Connections whose SYN was seen, and how many of them were reset; null: none was, or it is not known. */
export interface ConnectionCounts {
  /** To the server with that number: `Reset.server`. */
  connectionsOf(server: number): Connections | null;
  connectionsOfPort(port: number): Connections | null;
}

interface EndpointTally {
  readonly ip: string;
  readonly port: number;
  readonly server: number | null;
  readonly traffic: Traffic;
}

interface PortTally {
  readonly port: number | null;
  readonly traffic: Traffic;
  sent: number;
  received: number;
  /** null: no process was named. */
  names: PortNames | null;
}

interface HostTally {
  readonly ip: string;
  from: number;
  to: number;
  readonly ports: number[];
  readonly causes: FewCounts<Cause>;
  readonly patterns: CommonPattern;
}

interface CauseTally {
  readonly cause: Cause;
  resets: number;
  readonly confidence: Record<Confidence, number>;
  readonly origins: Map<Origin, number>;
  example: Example;
}

/** As little as its sentences need: a million resets wait for the end of the report. */
interface Example {
  readonly reset: Reset;
  readonly verdict: Verdict;
}

const SUREST: readonly Confidence[] = ['certain', 'likely', 'possible', 'unknown'];

export class Tally {
  resets = 0;
  endpointsOmitted = 0;
  hostsOmitted = 0;
  /** Address → its number, counted from 0. */
  private readonly addresses = new Map<string, number>();
  /** By number of the address and port. */
  private readonly endpoints = new Map<number, EndpointTally>();
  private readonly ports = new Map<number | null, PortTally>();
  /** By number of the address; an address that is only a server's translated one has none. */
  private readonly hosts = new Map<number, HostTally>();
  private readonly causes = new Map<Cause, CauseTally>();
  private readonly timeline = new TimelineTally();
  /** Peers of endpoints and ports, by the numbers of both. */
  private readonly peers = new Distinct();
  private traffics = 0;
  private readonly hostPorts = new Distinct(1 << 18);
  private readonly processes = new ProcessTally();
  private readonly nameRoom = new NameRoom();

  /** `group`: what the reset is part of, together with others. */
  add(reset: Reset, who: Attribution, group: Patterned | null): void {
    this.resets++;
    this.timeline.add(reset.seconds);
    const source = this.number(reset.srcIp);
    const destination = this.number(reset.destIp);
    this.addEndpoint(reset, source, destination, group);
    this.addPort(reset, who, source, destination, group);
    this.addHost(reset, source, true, group);
    this.addHost(reset, destination, false, group);
    this.addCause(reset);
    this.processes.add(reset, who);
  }

  private number(ip: string): number {
    const known = this.addresses.get(ip);
    if (known !== undefined) return known;
    const { size } = this.addresses;
    if (size >= MAX_ADDRESSES) return NO_NUMBER;
    this.addresses.set(ip, size);
    return size;
  }

  private addEndpoint(reset: Reset, source: number, destination: number, group: Patterned | null): void {
    const ip = serverIp(reset);
    const port = reset.servicePort;
    if (ip === null || port === null) return;
    const number = ip === reset.srcIp ? source : ip === reset.destIp ? destination : this.number(ip);
    const key = number * 65536 + port;
    let row = this.endpoints.get(key);
    if (row === undefined) {
      if (number === NO_NUMBER || this.endpoints.size >= MAX_ENDPOINTS) {
        this.endpointsOmitted++;
        return;
      }
      row = { ip, port, server: reset.server, traffic: new Traffic(this.traffics++, reset, group) };
      this.endpoints.set(key, row);
    }
    this.addTraffic(row.traffic, reset, source, destination, group);
  }

  private addPort(reset: Reset, who: Attribution, source: number, destination: number, group: Patterned | null): void {
    const port = reset.servicePort;
    let row = this.ports.get(port);
    if (row === undefined) {
      row = { port, traffic: new Traffic(this.traffics++, reset, group), sent: 0, received: 0, names: null };
      this.ports.set(port, row);
    }
    if (reset.direction === 'sent' || reset.direction === 'local') row.sent++;
    if (reset.direction === 'received' || reset.direction === 'local') row.received++;
    if (who.sender.process !== null || who.receiver.process !== null) {
      row.names ??= new PortNames(this.nameRoom);
      row.names.add(who, reset.resetBy);
    }
    this.addTraffic(row.traffic, reset, source, destination, group);
  }

  private addTraffic(row: Traffic, reset: Reset, source: number, destination: number, group: Patterned | null): void {
    row.add(reset, group);
    const peer = clientIp(reset);
    if (peer === null || peer === reset.srcIp) this.addPeer(row, source);
    if (peer === null || peer === reset.destIp) this.addPeer(row, destination);
    else if (peer !== reset.srcIp) this.addPeer(row, this.number(peer));
  }

  private addPeer(row: Traffic, peer: number): void {
    if (row.peers === null) return;
    const answer = peer === NO_NUMBER ? NO_ROOM : this.peers.add(row.number, peer);
    if (answer === NEW) row.peers++;
    else if (answer === NO_ROOM) row.peers = null;
  }

  private addHost(reset: Reset, number: number, from: boolean, group: Patterned | null): void {
    if (number === NO_NUMBER) {
      this.hostsOmitted++;
      return;
    }
    const { cause } = reset.verdict;
    let row = this.hosts.get(number);
    if (row === undefined) {
      row = {
        ip: from ? reset.srcIp : reset.destIp,
        from: 0,
        to: 0,
        ports: [],
        causes: new FewCounts(cause),
        patterns: new CommonPattern(group),
      };
      this.hosts.set(number, row);
    }
    if (from) row.from++;
    else row.to++;
    row.causes.add(cause);
    row.patterns.add(group);
    const port = reset.servicePort;
    if (port !== null && this.hostPorts.add(number, port) === NEW) row.ports.push(port);
  }

  private addCause(reset: Reset): void {
    const { verdict } = reset;
    const { cause, confidence, origin } = verdict;
    let row = this.causes.get(cause);
    if (row === undefined) {
      const counts = { certain: 0, likely: 0, possible: 0, unknown: 0 };
      row = { cause, resets: 0, confidence: counts, origins: new Map(), example: { reset, verdict } };
      this.causes.set(cause, row);
    } else if (SUREST.indexOf(confidence) < SUREST.indexOf(row.example.verdict.confidence)) {
      row.example = { reset, verdict };
    }
    row.resets++;
    row.confidence[confidence]++;
    row.origins.set(origin, (row.origins.get(origin) ?? 0) + 1);
  }

  endpointRows(context: RowContext): EndpointRow[] {
    return [...this.endpoints.values()]
      .sort((a, b) => b.traffic.resets - a.traffic.resets || compare(a.ip, b.ip) || a.port - b.port)
      .map(({ ip, port, server, traffic }) => ({
        ip,
        port,
        service: context.service(port),
        resets: traffic.resets,
        by_server: traffic.byServer,
        by_client: traffic.byClient,
        ...ratio(server === null ? null : context.connections.connectionsOf(server)),
        clients: traffic.peers,
        rate: rate(traffic.resets, context.seconds),
        peak_10s: traffic.peak.most,
        causes: traffic.causeCounts(),
        pattern: traffic.pattern,
        first: traffic.span.first,
        last: traffic.span.last,
      }));
  }

  portRows(context: RowContext): PortRow[] {
    return [...this.ports.values()]
      .sort((a, b) => b.traffic.resets - a.traffic.resets || (a.port ?? 65536) - (b.port ?? 65536))
      .map(({ port, traffic, sent, received, names }) => ({
        port,
        service: port === null ? null : context.service(port),
        resets: traffic.resets,
        by_server: traffic.byServer,
        by_client: traffic.byClient,
        sent,
        received,
        ...ratio(port === null ? null : context.connections.connectionsOfPort(port)),
        rate: rate(traffic.resets, context.seconds),
        peak_10s: traffic.peak.most,
        peers: traffic.peers,
        causes: traffic.causeCounts(),
        pattern: traffic.pattern,
        processes: names?.list() ?? [],
        first: traffic.span.first,
        last: traffic.span.last,
      }));
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
        pattern: row.patterns.pattern,
      }));
  }

  processRows(): ProcessRow[] {
    return this.processes.rows();
  }

  unnamedRows(): UnnamedRow[] {
    return this.processes.unnamedRows();
  }

  get processesOmitted(): number {
    return this.processes.omitted;
  }

  causeRows(): CauseRow[] {
    return [...this.causes.values()]
      .sort((a, b) => b.resets - a.resets || compare(a.cause, b.cause))
      .map(({ cause, resets, confidence, origins, example }) => ({
        cause,
        resets,
        ...confidence,
        origin: mostOf(origins),
        example: exampleOf(example),
      }));
  }

  timelineResult(): Timeline {
    return this.timeline.result();
  }
}

/** The one origin, or "unknown" where they differ. */
function mostOf(origins: ReadonlyMap<Origin, number>): Origin {
  const [only] = origins.keys();
  return origins.size === 1 && only !== undefined ? only : 'unknown';
}

function exampleOf({ reset, verdict }: Example): CauseExample {
  return {
    timestamp: timeText(reset),
    src_ip: reset.srcIp,
    src_port: reset.srcPort,
    dest_ip: reset.destIp,
    dest_port: reset.destPort,
    confidence: verdict.confidence,
    evidence: verdict.evidence,
  };
}

function ratio(counts: Connections | null): Pick<EndpointRow, 'connections' | 'reset_ratio'> {
  if (counts === null) return { connections: null, reset_ratio: null };
  return { connections: counts.opened, reset_ratio: Number((counts.reset / counts.opened).toFixed(6)) };
}
