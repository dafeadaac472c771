/** Accounts of namespaces and what hinders a capture, as tests want them. */
import type { Hindrances } from '../../src/health/hindrances.js';
import type { Foreign, Ground, Ledger, Unseen } from '../../src/health/ledger.js';
import type { Reconciliation } from '../../src/report/types.js';

export const FREE: Hindrances = { filter: null, interfaces: null, dropped: 0, lost: false };

/** The own namespace, captured in. */
export const OWN = 4026531840;
/** A container's, not captured in. */
export const OTHER = 4026532281;

/** `sent` are also traced unless told. */
export function ground(more: Partial<Ground> = {}): Ground {
  const sent = more.sent ?? 0;
  return {
    ...{ netns: OWN, name: null, key: null, captured: true, broken: false, counted: sent, countedInside: null },
    ...{ failed: 0, sent, matched: sent },
    ...more,
  };
}

export function container(more: Partial<Ground> = {}): Ground {
  return ground({ netns: OTHER, name: 'web', key: 'web', captured: false, ...more });
}

export const NO_DOUBTS = { listeners: 0, apart: 0, apartSeconds: 0, translated: 0 };

/** All was traced, and nothing hindered. */
export function ledger(grounds: readonly Ground[], more: Partial<Ledger> = {}): Ledger {
  const matched = grounds.reduce((sum, one) => sum + one.matched, 0);
  return {
    grounds,
    ...{ strays: 0, copies: 0, matched, inexact: null, withCopies: false, unseen: [], foreign: [], hindrances: FREE },
    doubts: NO_DOUBTS,
    ...more,
  };
}

/** Such a one without the trace. */
export function untraced(grounds: readonly Ground[], more: Partial<Ledger> = {}): Ledger {
  return ledger(grounds, { inexact: 'the kernel was not traced', ...more });
}

/** So many that were sent and not captured, each from a port of its own. */
export function missed(n: number, more: Partial<Unseen> = {}): Unseen[] {
  return Array.from({ length: n }, (_, i) => ({
    ...{ netns: OWN, edge: false, tuple: `10.0.0.1 ${String(8000 + i)} 10.0.0.9 50000` },
    ...more,
  }));
}

export function foreign(n: number, more: Partial<Foreign> = {}): Foreign[] {
  return Array.from({ length: n }, () => ({ netns: OWN, source: '10.0.0.1:80', ...more }));
}

/** What the sum leaves: 0 wherever the account is right. */
export function remainder(of: Reconciliation): number {
  const { kernel_counted, captured_sent, not_by_tcp, not_captured, edge, unexplained } = of;
  return kernel_counted - (captured_sent - not_by_tcp + not_captured + edge + unexplained);
}
