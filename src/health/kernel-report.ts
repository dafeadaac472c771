/**
 * What the report says of the kernel's counters: the accounts of the namespaces and what was captured and traced, put
 * together. Pure.
 */

import { pidOf, type Namespace } from '../capture/live/namespaces.js';
import type { KernelNamespaceRow, KernelReport, Reconciliation } from '../report/types.js';
import { NET_NS_INIT_INO } from './host.js';
import type { Account, Span } from './counter-watch.js';
import type { Hindrances } from './hindrances.js';
import { KNOWN_COUNTERS } from './known-counters.js';
import type { LiveLedger, Sent } from './live-ledger.js';
import type { Foreign, Ground, Ledger, Unseen } from './ledger.js';
import { reconcile, type Share } from './reconcile.js';
import type { TracedSend } from './send-match.js';

/** When the capture opened and closed: nanoseconds of CLOCK_MONOTONIC, and OutRsts by then. */
export interface Boundaries {
  readonly opened: number;
  readonly closing: number;
  readonly insideStart: ReadonlyMap<Account, number>;
  readonly insideEnd: ReadonlyMap<Account, number>;
}

export interface KernelFacts {
  readonly accounts: readonly Account[];
  readonly ledger: LiveLedger;
  readonly boundaries: Boundaries;
  /** Why captured and traced resets can't be compared one by one; null: they can. */
  readonly inexact: string | null;
  readonly hindrances: Hindrances;
  readonly tellsTaken: boolean;
  /** Copies were counted each as its own. */
  readonly unfolded: boolean;
}

type Counted = Pick<KernelReport, 'counters' | 'namespaces' | 'reconciliation' | 'received'>;

export function kernelReport(facts: KernelFacts): Counted {
  const { accounts, ledger, inexact } = facts;
  if (inexact === null) ledger.match.settle();
  const sent = ledger.sentByNetns(inexact === null);
  const told = accounts.filter((account) => hasPart(account, sent));
  const grounds = told.map((account) => groundOf(account, facts, sent.get(account.namespace.inode)?.sent ?? 0));
  const all = [...sent.values()].reduce((sum, one) => sum + one.sent, 0);
  const unseen = unseenOf(facts);
  const foreign = ledger.match.unsent
    .filter(({ mayBeCopy }) => !mayBeCopy)
    .map(({ netns, tuples }): Foreign => ({ netns, source: sourceText(tuples[0] ?? '') }));
  const book: Ledger = {
    grounds,
    strays: all - grounds.reduce((sum, ground) => sum + ground.sent, 0),
    copies: [...sent.values()].reduce((sum, { copies }) => sum + copies, 0),
    matched: ledger.match.matched,
    doubts: ledger.match.doubts,
    inexact,
    withCopies: facts.unfolded,
    unseen,
    foreign,
    hindrances: facts.hindrances,
  };
  const { reconciliation, shares, vanished } = reconcile(book);
  const rows = told.map((account, i) => rowOf(account, shares[i], reconciliation));
  if (vanished > 0)
    rows.push({ ...NOBODY_KNOWS, out_rsts: vanished, traced: vanished, counters: { OutRsts: vanished } });
  return {
    counters: moved(told.filter(({ asked }) => asked)),
    namespaces: rows,
    reconciliation,
    received: { captured: ledger.received, taken: facts.tellsTaken ? ledger.taken : null },
  };
}

/** Of namespaces that came and went. */
const NOBODY_KNOWS = { netns: null, name: null, captured: false, captured_sent: 0, not_by_tcp: 0 } as const;

/** Others that sent nothing are not told. */
function hasPart({ asked, rose, namespace }: Account, sent: ReadonlyMap<number | null, Sent>): boolean {
  return asked || (rose?.get('OutRsts') ?? 0) > 0 || sent.has(namespace.inode);
}

function groundOf(account: Account, { ledger, boundaries }: KernelFacts, sent: number): Ground {
  const { namespace, asked, rose, broken } = account;
  const start = boundaries.insideStart.get(account);
  const end = boundaries.insideEnd.get(account);
  return {
    netns: namespace.inode,
    name: namespace.name,
    key: keyOf(namespace),
    captured: asked,
    broken: broken || rose === null,
    counted: rose?.get('OutRsts') ?? 0,
    countedInside: start === undefined || end === undefined ? null : end - start,
    failed: rose?.get('TCPAbortFailed') ?? 0,
    sent,
    matched: ledger.match.matchedByNetns.get(namespace.inode) ?? 0,
  };
}

function keyOf({ inode, name, path }: Namespace): string | null {
  if (inode === NET_NS_INIT_INO) return '1';
  const pid = path === null ? null : pidOf(path);
  return name ?? (pid === null ? null : String(pid));
}

/** Those that the counters can have counted: what was sent before the first reading or after the last one is not at issue. */
function unseenOf({ accounts, ledger, boundaries, inexact }: KernelFacts): Unseen[] {
  if (inexact !== null) return [];
  const byNetns = new Map(accounts.map((account) => [account.namespace.inode, account]));
  const widest = widestOf(accounts);
  return ledger.match.unseen.flatMap((send): Unseen[] => {
    const account = send.netns === null ? undefined : byNetns.get(send.netns);
    // One that was made meanwhile has counted from the beginning; one that went away counted on to its end.
    const isNew = (account?.first?.from ?? -Infinity) > boundaries.opened;
    const first = isNew ? widest.first : (account?.first ?? widest.first);
    const last = account?.broken === true ? widest.last : (account?.last ?? widest.last);
    if (send.mono < first.from || send.mono > last.to) return [];
    return [{ netns: send.netns, edge: isEdge(send, first, last, boundaries), tuple: send.tuple }];
  });
}

/** Between readings and capture, or while a counter was being read. */
function isEdge({ mono }: TracedSend, first: Span, last: Span, { opened, closing }: Boundaries): boolean {
  return mono <= Math.max(opened, first.to) || mono >= Math.min(closing, last.from);
}

/** Where nothing could be read: all the time that there was. */
function widestOf(accounts: readonly Account[]): { first: Span; last: Span } {
  const firsts = accounts.flatMap(({ first }) => (first === null ? [] : [first]));
  const lasts = accounts.flatMap(({ last }) => (last === null ? [] : [last]));
  if (firsts.length === 0 || lasts.length === 0) {
    return { first: { from: -Infinity, to: -Infinity }, last: { from: Infinity, to: Infinity } };
  }
  const from = (spans: readonly Span[]): number => Math.min(...spans.map((span) => span.from));
  const to = (spans: readonly Span[]): number => Math.max(...spans.map((span) => span.to));
  return { first: { from: from(firsts), to: from(firsts) }, last: { from: to(lasts), to: to(lasts) } };
}

function rowOf(account: Account, share: Share | undefined, { exact }: Reconciliation): KernelNamespaceRow {
  return {
    netns: account.namespace.inode,
    name: account.namespace.name,
    captured: account.asked,
    out_rsts: share?.counted ?? 0,
    captured_sent: share?.captured ?? 0,
    not_by_tcp: share?.notByTcp ?? 0,
    traced: exact ? (share?.traced ?? 0) : null,
    counters: moved([account]),
  };
}

/** By how much the counters of the namespaces together rose, those that did; OutRsts always. */
function moved(accounts: readonly Account[]): Record<string, number> {
  const sums: Record<string, number> = { OutRsts: 0 };
  for (const { name } of KNOWN_COUNTERS) {
    const sum = accounts.reduce((total, { rose }) => total + (rose?.get(name) ?? 0), 0);
    if (sum > 0) sums[name] = sum;
  }
  return sums;
}

/** "127.0.0.1 80 …": the local end as people write it. */
function sourceText(tuple: string): string {
  const [ip = '', port = ''] = tuple.split(' ');
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
