/** A made-up report to render, whole in itself: its counts keep the promises that the README makes. */
import type {
  CauseExample,
  EndpointRow,
  FailedConnectRow,
  HostRow,
  PortRow,
  ProcessInfo,
  ProcessRow,
  Report,
  ResetEvent,
  StartLine,
} from '../../src/report/types.js';
import type { Style } from '../../src/render/style.js';
import { fullAlerts, fullKernel } from './sample-kernel.js';

export const PLAIN: Style = { color: 0, width: 80, utc: true, unicode: true };

const START = Date.UTC(2026, 2, 1, 12, 0, 0) / 1000;

export function sampleProcess(changes: Partial<ProcessInfo> = {}): ProcessInfo {
  return {
    pid: 4242,
    ppid: 1,
    parent: 'systemd',
    name: 'nginx',
    exe: '/usr/sbin/nginx',
    command: 'nginx: worker process',
    user: 'www-data',
    unit: 'nginx.service',
    container: { id: 'abc123', runtime: 'docker', name: 'web', pod: null, pod_namespace: null },
    netns: 4026531840,
    started: '2026-03-01T08:00:00Z',
    match: 'listener',
    ...changes,
  };
}

export function sampleEvent(changes: Partial<ResetEvent> = {}): ResetEvent {
  return {
    type: 'reset',
    id: 'f1',
    timestamp: '2026-03-01T12:00:01.123456Z',
    epoch: START + 1.123456,
    src_ip: '10.0.0.1',
    src_port: 443,
    dest_ip: '10.0.0.2',
    dest_port: 51000,
    ip_version: 4,
    src_mac: '00:1a:2b:3c:4d:5e',
    dest_mac: null,
    tcp_flags: 'R.',
    seq: 1,
    ack: 4294967295,
    window: 0,
    ttl: 64,
    ip_id: 0,
    payload_length: 0,
    payload_text: null,
    vlan: [100, 7],
    outer: [{ encapsulation: 'vxlan', src_ip: '192.0.2.1', dest_ip: '192.0.2.2', id: 42 }],
    file: 'office.pcap',
    frame: 17,
    frames: [17, 18],
    interface: 'eth0',
    interfaces: ['eth0', 'docker0'],
    copies: 2,
    translations: [
      { src_ip: '198.51.100.1', src_port: 443, dest_ip: '10.0.0.2', dest_port: 51000, interface: 'docker0' },
    ],
    netns: null,
    direction: 'sent',
    service_port: 443,
    reset_by: 'server',
    conn_state: 'REJ',
    stage: 'handshake',
    idle_seconds: 0.25,
    bytes_to_server: 0,
    bytes_to_client: null,
    cause: 'closed-port',
    confidence: 'likely',
    origin: 'kernel',
    pattern: 'scan',
    evidence: ['it answered a SYN in 0.1 ms'],
    kernel_reason: null,
    kernel_path: null,
    sender: sampleProcess(),
    receiver: null,
    sender_reason: null,
    receiver_reason: 'remote',
    community_id: '1:abcdefghijklmnopqrstuvwxyz0=',
    ...changes,
  };
}

export function sampleEndpoint(changes: Partial<EndpointRow> = {}): EndpointRow {
  return {
    ip: '10.0.0.1',
    port: 443,
    service: 'https',
    resets: 100,
    by_server: 90,
    by_client: 10,
    connections: null,
    reset_ratio: null,
    clients: 12,
    rate: 100 / 60,
    peak_10s: 40,
    causes: [{ cause: 'unknown', resets: 100 }],
    pattern: null,
    first: '2026-03-01T12:00:01.123456Z',
    last: '2026-03-01T12:00:59.5Z',
    ...changes,
  };
}

export function samplePort(changes: Partial<PortRow> = {}): PortRow {
  return {
    port: 443,
    service: 'https',
    resets: 100,
    by_server: 90,
    by_client: 10,
    sent: 0,
    received: 0,
    connections: null,
    reset_ratio: null,
    rate: 100 / 60,
    peak_10s: 40,
    peers: 12,
    causes: [{ cause: 'unknown', resets: 100 }],
    pattern: null,
    processes: [],
    first: '2026-03-01T12:00:01.123456Z',
    last: '2026-03-01T12:00:59.5Z',
    ...changes,
  };
}

export function sampleExample(changes: Partial<CauseExample> = {}): CauseExample {
  return {
    timestamp: '2026-03-01T12:00:01.123456Z',
    src_ip: '10.0.0.1',
    src_port: 443,
    dest_ip: '192.0.2.7',
    dest_port: 50001,
    confidence: 'likely',
    evidence: ['it answers the SYN of 20 µs before, and acknowledges just that'],
    ...changes,
  };
}

export function sampleHost(changes: Partial<HostRow> = {}): HostRow {
  return {
    ip: '10.0.0.1',
    resets_from: 100,
    resets_to: 21,
    ports: [443, 8080],
    causes: [{ cause: 'unknown', resets: 121 }],
    pattern: null,
    ...changes,
  };
}

export function sampleProcessRow(changes: Partial<ProcessRow> = {}): ProcessRow {
  return {
    key: 'unit',
    name: 'nginx.service',
    pids: 4,
    resets_sent: 90,
    resets_received: 10,
    by_group: 0,
    ports: [443],
    causes: [{ cause: 'abort', resets: 90 }],
    sample: sampleProcess(),
    ...changes,
  };
}

export function sampleFailedConnect(changes: Partial<FailedConnectRow> = {}): FailedConnectRow {
  return {
    process: sampleProcess({ name: 'curl', exe: '/usr/bin/curl', unit: null, container: null, match: 'kernel-trace' }),
    pids: 1,
    ip: '10.0.0.7',
    port: 8125,
    attempts: 30,
    refused: 24,
    icmp: 3,
    timed_out: 2,
    abandoned: 1,
    ...changes,
  };
}

const LONG_IPV6 = '2001:db8:1111:2222:3333:4444:5555:6666';

export function sampleReport(changes: Partial<Report> = {}): Report {
  return {
    type: 'report',
    schema_version: 1,
    tool: { name: 'rstscope', version: '0.1.0' },
    source: {
      kind: 'file',
      interfaces: ['eth0', 'docker0'],
      files: ['office.pcap'],
      filter: null,
      backend: null,
      link_types: ['EN10MB', 'LINUX_SLL'],
      context: 'full',
      timestamps: null,
      trace: 'off',
      namespaces: [],
    },
    window: {
      start: '2026-03-01T12:00:00Z',
      start_epoch: START,
      end: '2026-03-01T12:01:00Z',
      end_epoch: START + 60,
      seconds: 60,
    },
    packets: {
      seen: 1234,
      tcp: 1200,
      not_tcp: 30,
      fragments: 1,
      cut: 0,
      malformed: 3,
      unknown_link: 0,
      resets: 133,
      copies: 12,
      unique: 121,
      filtered_out: 0,
      dropped: null,
    },
    endpoints: [
      sampleEndpoint(),
      sampleEndpoint({ ip: LONG_IPV6, port: 8080, service: 'http-alt', resets: 20, by_server: 0, by_client: 20 }),
      sampleEndpoint({ ip: '10.0.0.3', port: 7211, service: null, resets: 1, by_server: 1, by_client: 0, rate: null }),
    ],
    ports: [
      samplePort(),
      samplePort({ port: 8080, service: 'http-alt', resets: 20, by_server: 0, by_client: 20, peers: null }),
      samplePort({ port: null, service: null, resets: 1, by_server: 0, by_client: 0, rate: null, first: null }),
    ],
    hosts: [sampleHost(), sampleHost({ ip: LONG_IPV6, resets_from: 20, resets_to: 0, ports: manyPorts(40) })],
    processes: [],
    causes: [
      {
        cause: 'unknown',
        resets: 121,
        certain: 0,
        likely: 0,
        possible: 0,
        unknown: 121,
        origin: 'unknown',
        example: sampleExample(),
      },
    ],
    patterns: [],
    timeline: {
      bucket_seconds: 1,
      start: '2026-03-01T12:00:00Z',
      start_epoch: START,
      counts: Array.from({ length: 60 }, (_, i) => (i === 30 ? 62 : i % 2 === 0 ? 2 : i === 1 ? 1 : 0)),
    },
    findings: [],
    failed_connects: [],
    kernel: null,
    alerts: [],
    incomplete: [],
    events: [],
    events_omitted: 0,
    endpoints_omitted: 0,
    hosts_omitted: 0,
    processes_omitted: 0,
    unnamed: [],
    connections_forgotten: 0,
    ...changes,
  };
}

/** With every list filled, for the places that the plain sample leaves empty. */
export function fullReport(changes: Partial<Report> = {}): Report {
  const causes = [
    { cause: 'closed-port', resets: 70 },
    { cause: 'unknown', resets: 51 },
  ] as const;
  const report = sampleReport();
  return {
    ...report,
    endpoints: report.endpoints.map((row) => ({ ...row, causes, connections: 400, reset_ratio: 0.25 })),
    ports: report.ports.map((row) => ({ ...row, causes, sent: 3, received: 4, processes: ['nginx', 'haproxy'] })),
    hosts: report.hosts.map((row) => ({ ...row, causes })),
    processes: [
      sampleProcessRow({ by_group: 4 }),
      sampleProcessRow({ key: 'exe', name: '/opt/東京/サーバー', pids: 1 }),
      sampleProcessRow({
        key: 'container',
        name: 'web',
        pids: null,
        sample: sampleProcess({ match: 'listener-group' }),
      }),
    ],
    causes: [
      {
        cause: 'closed-port',
        resets: 70,
        certain: 0,
        likely: 70,
        possible: 0,
        unknown: 0,
        origin: 'kernel',
        example: sampleExample(),
      },
      {
        cause: 'unknown',
        resets: 51,
        certain: 0,
        likely: 0,
        possible: 0,
        unknown: 51,
        origin: 'unknown',
        example: sampleExample(),
      },
    ],
    failed_connects: [
      sampleFailedConnect(),
      sampleFailedConnect({ process: sampleProcess(), pids: 3, ip: LONG_IPV6, attempts: 5, refused: 5, icmp: 0 }),
    ],
    processes_omitted: 7,
    unnamed: [
      { reason: 'no-listener', senders: 70, receivers: 0 },
      { reason: 'permission', senders: 1, receivers: 2 },
    ],
    connections_forgotten: 5,
    patterns: [
      {
        pattern: 'scan',
        resets: 70,
        summary: '192.0.2.7 tried 70 ports of 10.0.0.1 within 3 seconds',
        client: '192.0.2.7',
        server: '10.0.0.1',
        port: null,
        interval_seconds: null,
      },
    ],
    findings: [
      {
        id: 'closed-ports',
        severity: 'warning',
        summary: '10.0.0.1 refused 70 connections to port 443: nothing listened there between 12:00:01 and 12:00:58',
        evidence: ['70 SYNs were answered by resets', 'no SYN-ACK was seen from 10.0.0.1:443'],
        next_steps: ['ss -ltnp sport = :443'],
        ports: [443],
        hosts: ['10.0.0.1'],
        resets: 70,
      },
    ],
    kernel: fullKernel(),
    alerts: fullAlerts(),
    incomplete: [
      {
        reason: 'cut-off',
        interface: 'eth0',
        gap_seconds: 2.5,
        file: 'office.pcap',
        byte: 7024,
        message: 'record 101 at byte 7024 claims 4294967280 bytes, the snapshot length is 262144',
      },
    ],
    events: [sampleEvent(), sampleEvent({ id: 'f2', outer: [], vlan: [], translations: [], sender: null })],
    ...changes,
  };
}

export function emptyReport(packets: Partial<Report['packets']> = {}): Report {
  return sampleReport({
    packets: { ...sampleReport().packets, resets: 0, copies: 0, unique: 0, ...packets },
    endpoints: [],
    ports: [],
    hosts: [],
    causes: [],
    timeline: { bucket_seconds: 1, start: null, start_epoch: null, counts: [] },
  });
}

export const sampleStart: StartLine = {
  type: 'start',
  schema_version: 1,
  tool: { name: 'rstscope', version: '0.1.0' },
  timestamp: '2026-03-01T12:00:00Z',
  epoch: START,
  source: sampleReport().source,
};

export function manyPorts(n: number): number[] {
  return Array.from({ length: n }, (_, i) => 8000 + i);
}

/** A name that tries what names can: colours, cursor, title, C1 controls, line breaks, bidirectional and hidden text. */
export const HOSTILE =
  '\u001b[31mred\u001b[0m\u001b]0;title\u0007\r\n\u009b2J\u202egnp.exe\u202c\u2028\u200b\u0000\u007f=1+1,"x"\ud800';

/** Every string of a value replaced, except where a fixed word stands. */
export function withStrings<T>(value: T, change: (text: string, key: string) => string, key = ''): T {
  if (typeof value === 'string') return change(value, key) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => withStrings(one, change, key)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withStrings<unknown>(one, change, name)]),
  ) as T;
}
