/** What the kernel's counters say, made up: of a live report with every list filled, and of a run of `health`. */
import { KNOWN_COUNTERS } from '../../src/health/known-counters.js';
import type {
  AlertRow,
  CounterRow,
  HealthDocument,
  HealthNamespaceRow,
  KernelReport,
  Reconciliation,
} from '../../src/report/types.js';

const START = Date.UTC(2026, 2, 1, 12, 0, 0) / 1000;
/** Inode numbers: of the own network namespace, and of a container's. */
export const OWN = 4026531840;
export const WEB = 4026532281;

/** 120 sent and 120 counted: nothing missed. */
export function sampleReconciliation(changes: Partial<Reconciliation> = {}): Reconciliation {
  return {
    captured_sent: 120,
    traced: 120,
    kernel_counted: 120,
    not_by_tcp: 0,
    not_captured: 0,
    edge: 0,
    unexplained: 0,
    exact: true,
    nothing_missed: true,
    because: null,
    differences: [],
    ...changes,
  };
}

export function sampleKernel(changes: Partial<KernelReport> = {}): KernelReport {
  return {
    counters: { OutRsts: 120 },
    namespaces: [
      {
        netns: OWN,
        name: null,
        captured: true,
        out_rsts: 120,
        captured_sent: 120,
        not_by_tcp: 0,
        traced: 120,
        counters: { OutRsts: 120 },
      },
    ],
    reconciliation: sampleReconciliation(),
    received: { captured: 0, taken: null },
    aborts: [],
    listeners: [],
    sysctls: [],
    ...changes,
  };
}

/** With every list filled; 1,131 = 1,130 − 30 + 20 + 4 + 7. */
export function fullKernel(): KernelReport {
  return {
    counters: { OutRsts: 1111, AttemptFails: 1203, EstabResets: 40, TCPAbortOnClose: 12, ListenOverflows: 5 },
    namespaces: [
      {
        netns: OWN,
        name: null,
        captured: true,
        out_rsts: 1111,
        captured_sent: 1130,
        not_by_tcp: 30,
        traced: 1111,
        counters: { OutRsts: 1111, AttemptFails: 1203, EstabResets: 40, TCPAbortOnClose: 12, ListenOverflows: 5 },
      },
      {
        netns: WEB,
        name: 'web',
        captured: false,
        out_rsts: 20,
        captured_sent: 0,
        not_by_tcp: 0,
        traced: null,
        counters: { OutRsts: 20 },
      },
    ],
    reconciliation: {
      captured_sent: 1130,
      traced: 1131,
      kernel_counted: 1131,
      not_by_tcp: 30,
      not_captured: 20,
      edge: 4,
      unexplained: 7,
      exact: false,
      nothing_missed: false,
      because: 'the kernel was not traced',
      differences: [
        {
          what: 'not_by_tcp',
          resets: 30,
          netns: null,
          name: null,
          message:
            '30 resets not sent by TCP but by a packet filter or a raw socket: 20 from 10.0.0.1:443, 10 from 10.0.0.1:80',
          next_step: 'sudo nft list ruleset | grep -B5 reject; sudo iptables-save | grep REJECT',
        },
        {
          what: 'not_captured',
          resets: 20,
          netns: WEB,
          name: 'web',
          message: '20 resets sent in network namespace web, which was not captured in',
          next_step: 'sudo rstscope live --netns web',
        },
        {
          what: 'edge',
          resets: 4,
          netns: null,
          name: null,
          message: '4 resets counted while the capture opened or closed',
          next_step: null,
        },
        {
          what: 'unexplained',
          resets: 7,
          netns: OWN,
          name: null,
          message:
            '7 resets that the kernel counted and no interface showed: dropped on the way out, or missed by the capture',
          next_step: 'sudo nft list ruleset',
        },
      ],
    },
    received: { captured: 2300, taken: 1100 },
    aborts: [
      {
        counter: 'TCPAbortOnClose',
        delta: 12,
        causes: ['abort-unread-data'],
        resets: 10,
        agrees: false,
        message:
          'TCPAbortOnClose rose by 12, and 10 resets are abort-unread-data: they differ by 2; it is raised by every close with data unread',
      },
    ],
    listeners: [
      { ip: '0.0.0.0', port: 80, netns: OWN, backlog: 129, backlog_max: 128 },
      { ip: '2001:db8:1111:2222:3333:4444:5555:6666', port: 8080, netns: WEB, backlog: 1, backlog_max: null },
      { ip: '::', port: 443, netns: OWN, backlog: 0, backlog_max: 4096 },
    ],
    sysctls: [
      {
        name: 'net.ipv4.tcp_abort_on_overflow',
        value: '0',
        netns: OWN,
        message: '5 handshakes found an accept queue full and were dropped without a reset',
      },
    ],
  };
}

export function sampleAlert(changes: Partial<AlertRow> = {}): AlertRow {
  return {
    id: 'netdata_resets_sent',
    state: 'clear',
    value: 1.5,
    threshold: 50,
    since: '2026-03-01T12:00:10.000Z',
    reason: '1.5/s in the last 10 s, not above 50/s',
    counter: 'OutRsts',
    counts: 'resets that TCP sends',
    ...changes,
  };
}

/** One of each state; what cannot be told is null. */
export function fullAlerts(): AlertRow[] {
  return [
    sampleAlert({
      state: 'warning',
      value: 112.345,
      reason:
        "112/s in the last 10 s, above 50/s: 10 times the minute before (2/s, taken as 5); the host's uptime stands for the agent's",
    }),
    sampleAlert({
      id: 'netdata_resets_received',
      counter: 'AttemptFails',
      counts: 'connections that end in their handshake in this network namespace: not resets received',
    }),
    sampleAlert({
      id: 'logicmonitor_failed_connections',
      counter: 'AttemptFails',
      counts: 'connections that end in their handshake in this network namespace: not resets received',
      state: 'undefined',
      value: null,
      threshold: null,
      since: null,
      reason: null,
    }),
  ];
}

export function sampleCounter(changes: Partial<CounterRow> = {}): CounterRow {
  return {
    name: 'OutRsts',
    total: 1234,
    delta: 100,
    rate: 50,
    meaning: 'resets sent by TCP, IPv4 and IPv6',
    cause: null,
    ...changes,
  };
}

/** Of these, the first two have moved; this kernel has the first four. */
export function sampleCounters(): CounterRow[] {
  return [
    sampleCounter(),
    sampleCounter({
      name: 'AttemptFails',
      total: 1001,
      delta: 1,
      rate: 0.5,
      meaning: 'connections that ended in their handshake: refused, or given up by the other end',
      cause: 'closed-port',
    }),
    sampleCounter({
      name: 'TCPAbortOnClose',
      total: 7,
      delta: 0,
      rate: 0,
      meaning: 'programs that closed with received data unread',
      cause: 'abort-unread-data',
    }),
    sampleCounter({
      name: 'TCPAbortFailed',
      total: 0,
      delta: 0,
      rate: 0,
      meaning: 'resets that TCP could not hand to the network',
    }),
    sampleCounter({
      name: 'TCPMigrateReqFailure',
      total: null,
      delta: null,
      rate: null,
      meaning: 'connections not yet accepted that no other listener could take over',
      cause: 'listener-closed',
    }),
  ];
}

/** Every counter there is, all of them moved, with figures as large as they get. */
export function everyCounter(): CounterRow[] {
  return KNOWN_COUNTERS.map(({ name, meaning, cause }, i) =>
    sampleCounter({ name, meaning, cause, total: 2 ** 40 + i, delta: 123_456 + i, rate: 12_345.678 + i }),
  );
}

export function sampleNamespace(changes: Partial<HealthNamespaceRow> = {}): HealthNamespaceRow {
  return {
    netns: WEB,
    name: 'web',
    counters: [sampleCounter({ total: 20, delta: 20, rate: 10 })],
    ...changes,
  };
}

export function sampleHealth(changes: Partial<HealthDocument> = {}): HealthDocument {
  return {
    type: 'health',
    schema_version: 1,
    tool: { name: 'rstscope', version: '0.1.0' },
    window: {
      start: '2026-03-01T12:00:00.000Z',
      start_epoch: START,
      end: '2026-03-01T12:00:02.000Z',
      end_epoch: START + 2,
      seconds: 2,
    },
    boot_seconds: 216_000,
    counters: sampleCounters(),
    namespaces: [],
    alerts: [],
    listeners: [],
    sysctls: [],
    ...changes,
  };
}

/** With every list filled. */
export function fullHealth(): HealthDocument {
  const { listeners, sysctls } = fullKernel();
  const unread = sampleCounters().map((row) => ({ ...row, total: null, delta: null, rate: null }));
  const namespaces = [sampleNamespace(), sampleNamespace({ netns: null, name: null, counters: unread })];
  return sampleHealth({ namespaces, alerts: fullAlerts(), listeners, sysctls });
}
