/** Resets, processes and what is known of both ends, made up for tests that need no capture. */
import { unattributed, type Attribution, type Container, type Process } from '../../src/attribute/process.js';
import { NO_KERNEL_FACTS, type KernelFacts, type KernelSent } from '../../src/conversation/kernel-facts.js';
import { nothingKnown } from '../../src/conversation/conversation-facts.js';
import type { Reset } from '../../src/conversation/reset.js';
import { UNKNOWN_VERDICT, type Cause } from '../../src/conversation/verdict.js';
import { START } from './analysing.js';

export function resetOf(changes: Partial<Reset> = {}): Reset {
  return {
    ...{ srcIp: '10.0.0.1', srcPort: 443, destIp: '10.0.0.2', destPort: 50000 },
    ...{ seconds: START, nanos: 5000, digits: 6, timed: true, file: 0, frame: 1, ipVersion: 4 },
    ...{ srcMac: -1, destMac: -1, flags: 4, seq: 1, ack: 0, window: 0, ttl: 64, ipId: 0, timestamp: -1, tenant: 0 },
    ...{
      payloadLength: 0,
      payloadText: null,
      diagnostic: null,
      note: null,
      vlan: [],
      outer: [],
      interface: 'lo',
      netns: null,
      copies: null,
    },
    ...{ direction: 'local' as const, servicePort: 443, resetBy: 'server' as const, verdict: UNKNOWN_VERDICT },
    ...{ dontFragment: true, ownFilter: false, conversation: nothingKnown(), server: null, whole: true },
    host: { ttlLeast: null, ttlMost: null, acceptedBefore: null, acceptedAfter: null },
    ...changes,
  };
}

export function verdictOf(cause: Cause): Reset['verdict'] {
  return { ...UNKNOWN_VERDICT, cause };
}

export function processOf(changes: Partial<Process> = {}): Process {
  return {
    ...{ pid: 100, ppid: 1, parent: 'systemd', name: 'node', exe: '/usr/bin/node', command: 'node server.js' },
    ...{ user: 'app', unit: null, container: null, netns: 1, started: START - 10 },
    ...changes,
  };
}

export function containerOf(changes: Partial<Container> = {}): Container {
  return { id: 'f'.repeat(64), runtime: 'docker', name: null, pod: null, podNamespace: null, ...changes };
}

/** What is known of why where the kernel sent it, and said so. */
export function kernelOf(sent: Partial<KernelSent> | null, more: Partial<KernelFacts> = {}): KernelFacts {
  const blank = { reason: null, path: null, active: null, socketless: false, listening: false };
  return { ...NO_KERNEL_FACTS, sent: sent === null ? null : { ...blank, ...sent }, ...more };
}

export function betweenOf(changes: Partial<Attribution> = {}): Attribution {
  return { ...unattributed('unknown'), ...changes };
}
