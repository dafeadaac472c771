/** What is said of the kernel's counters, for JSON, written field by field: of a report, and of `rstscope health`. */

import type {
  AbortRow,
  AlertRow,
  CounterRow,
  Difference,
  HealthNamespaceRow,
  KernelNamespaceRow,
  KernelReport,
  ListenQueueRow,
  ReceivedResets,
  Reconciliation,
  SysctlRow,
} from '../report/types.js';

export function kernelFields(kernel: KernelReport): KernelReport {
  return {
    counters: kernel.counters,
    namespaces: kernel.namespaces.map(namespaceFields),
    reconciliation: reconciliationFields(kernel.reconciliation),
    received: receivedFields(kernel.received),
    aborts: kernel.aborts.map(abortFields),
    listeners: kernel.listeners.map(listenQueueFields),
    sysctls: kernel.sysctls.map(sysctlFields),
  };
}

export function alertFields(row: AlertRow): AlertRow {
  return {
    id: row.id,
    state: row.state,
    value: row.value,
    threshold: row.threshold,
    since: row.since,
    reason: row.reason,
    counter: row.counter,
    counts: row.counts,
  };
}

export function counterFields(row: CounterRow): CounterRow {
  return {
    name: row.name,
    total: row.total,
    delta: row.delta,
    rate: row.rate,
    meaning: row.meaning,
    cause: row.cause,
  };
}

export function healthNamespaceFields(row: HealthNamespaceRow): HealthNamespaceRow {
  return {
    netns: row.netns,
    name: row.name,
    counters: row.counters.map(counterFields),
  };
}

export function listenQueueFields(row: ListenQueueRow): ListenQueueRow {
  return {
    ip: row.ip,
    port: row.port,
    netns: row.netns,
    backlog: row.backlog,
    backlog_max: row.backlog_max,
  };
}

export function sysctlFields(row: SysctlRow): SysctlRow {
  return {
    name: row.name,
    value: row.value,
    netns: row.netns,
    message: row.message,
  };
}

function namespaceFields(row: KernelNamespaceRow): KernelNamespaceRow {
  return {
    netns: row.netns,
    name: row.name,
    captured: row.captured,
    out_rsts: row.out_rsts,
    captured_sent: row.captured_sent,
    not_by_tcp: row.not_by_tcp,
    traced: row.traced,
    counters: row.counters,
  };
}

function reconciliationFields(sums: Reconciliation): Reconciliation {
  return {
    captured_sent: sums.captured_sent,
    traced: sums.traced,
    kernel_counted: sums.kernel_counted,
    not_by_tcp: sums.not_by_tcp,
    not_captured: sums.not_captured,
    edge: sums.edge,
    unexplained: sums.unexplained,
    exact: sums.exact,
    nothing_missed: sums.nothing_missed,
    because: sums.because,
    differences: sums.differences.map(differenceFields),
  };
}

function differenceFields(row: Difference): Difference {
  return {
    what: row.what,
    resets: row.resets,
    netns: row.netns,
    name: row.name,
    message: row.message,
    next_step: row.next_step,
  };
}

function receivedFields(received: ReceivedResets): ReceivedResets {
  return {
    captured: received.captured,
    taken: received.taken,
  };
}

function abortFields(row: AbortRow): AbortRow {
  return {
    counter: row.counter,
    delta: row.delta,
    causes: row.causes,
    resets: row.resets,
    agrees: row.agrees,
    message: row.message,
  };
}
