/**
 * Do the resets that were captured account for those that the kernel counted? Sums and, where the kernel was traced, one
 * by one; every difference with what explains it, and none explained away.
 *
 * kernel_counted = captured_sent − not_by_tcp + not_captured + edge + unexplained. Pure. Equality is looked for among
 * resets sent only: no counter counts all that are received.
 */

import { plural, printable } from '../base/text.js';
import type { Difference, Reconciliation } from '../report/types.js';
import { reasonsFor, type Hindrances } from './hindrances.js';

/** One network namespace. */
export interface Ground {
  readonly netns: number | null;
  readonly name: string | null;
  /** How it is named on the command line: a name, or a PID in it; null: it is the own one, or nothing leads there. */
  readonly key: string | null;
  /** It was captured in. */
  readonly captured: boolean;
  /** Its counter was not read at the end: it had gone, or another one had taken its place. */
  readonly broken: boolean;
  /** OutRsts, from before the capture opened until after it closed, and while all was listened to (null: not read then). */
  readonly counted: number;
  readonly countedInside: number | null;
  /** TCPAbortFailed: counted, and not sent. */
  readonly failed: number;
  /** Captured with one of its addresses as the source. */
  readonly sent: number;
  /** Of these, those that the trace tells of. */
  readonly matched: number;
}

/** The trace tells of it, and no frame was captured. */
export interface Unseen {
  readonly netns: number | null;
  /** It fell while the capture opened or closed. */
  readonly edge: boolean;
  readonly tuple: string;
}

/** A reset that was captured and that TCP did not send. */
export interface Foreign {
  readonly netns: number | null;
  /** "10.0.0.1:8080". */
  readonly source: string;
}

export interface Ledger {
  readonly grounds: readonly Ground[];
  /** Captured as sent, and it is not known which namespace has the address. */
  readonly strays: number;
  /** All that the trace tells, between the first reading and the last; null: it does not tell all. */
  readonly traced: number | null;
  /** Why captured and traced resets could not be compared one by one; null: they were. */
  readonly inexact: string | null;
  /** Copies were counted as resets: what was captured beyond what was counted need not be of somebody else. */
  readonly withCopies: boolean;
  /** Of an exact comparison. */
  readonly unseen: readonly Unseen[];
  readonly foreign: readonly Foreign[];
  readonly hindrances: Hindrances;
}

/** A namespace while its account is made up. */
interface Open {
  readonly ground: Ground;
  /** Counted, and neither captured nor explained yet. */
  left: number;
  notByTcp: number;
  edge: number;
  readonly unseen: readonly Unseen[];
  /** Of what the trace tells without a namespace: taken to be of this one. */
  pooled: number;
}

export interface Reconciled {
  readonly reconciliation: Reconciliation;
  /** In the order of the grounds: what each adds to the whole. */
  readonly shares: readonly { readonly counted: number; readonly notByTcp: number; readonly traced: number }[];
}

export function reconcile(ledger: Ledger): Reconciled {
  const exact = ledger.inexact === null;
  const open = ledger.grounds.map((ground): Open => {
    const own = (one: { readonly netns: number | null }): boolean => one.netns === ground.netns;
    const notByTcp = exact ? ledger.foreign.filter(own).length : 0;
    const unseen = exact ? ledger.unseen.filter(own) : [];
    // What went with a namespace that is gone can only be told by the trace, or by what was captured of it.
    const known = exact ? ground.matched + unseen.length : ground.sent;
    const counted = ground.broken ? Math.max(ground.counted, known) : ground.counted;
    return {
      ground: { ...ground, counted },
      left: counted - (ground.sent - notByTcp),
      notByTcp,
      edge: 0,
      unseen,
      pooled: 0,
    };
  });
  const strayForeign = exact
    ? ledger.foreign.filter(({ netns }) => !open.some((one) => one.ground.netns === netns))
    : [];
  giveStrays(open, ledger.strays - strayForeign.length);
  const differences: Difference[] = [];
  const nowhere = ledger.unseen.filter(({ netns }) => !open.some((one) => one.ground.netns === netns));
  const pool = { inside: nowhere.filter(({ edge }) => !edge).length, edge: nowhere.filter(({ edge }) => edge).length };
  if (!exact && !ledger.withCopies) claimSurplus(open);
  const foreign = open.reduce((sum, one) => sum + one.notByTcp, 0) + strayForeign.length;
  if (foreign > 0) differences.push(foreignDifference(foreign, ledger));
  let notCaptured = 0;
  for (const one of open.filter(({ ground }) => !ground.captured)) notCaptured += elsewhere(one, pool, differences);
  for (const one of open.filter(({ ground }) => ground.captured)) {
    one.edge = Math.min(Math.max(one.left, 0), exact ? edgeOf(one, pool) : edgeByCounter(one.ground));
    one.left -= one.edge;
    notCaptured += hindered(one, ledger.hindrances, differences);
  }
  const sum = (of: (one: Open) => number): number => open.reduce((total, one) => total + of(one), 0);
  const counted = sum(({ ground }) => ground.counted);
  const captured = sum(({ ground }) => ground.sent) + ledger.strays;
  const edge = sum((one) => one.edge);
  const unexplained = counted - (captured - foreign) - notCaptured - edge;
  if (edge > 0) differences.push(edgeDifference(edge));
  if (unexplained !== 0) differences.push(unexplainedDifference(unexplained, open, exact));
  const { dropped, lost } = ledger.hindrances;
  const isWhole = exact && notCaptured === 0 && unexplained === 0 && dropped === 0 && !lost;
  const missedInside = ledger.unseen.some((one) => !one.edge);
  return {
    reconciliation: {
      captured_sent: captured,
      traced: ledger.traced,
      kernel_counted: counted,
      not_by_tcp: foreign,
      not_captured: notCaptured,
      edge,
      unexplained,
      exact,
      nothing_missed: isWhole && !missedInside,
      because: ledger.inexact,
      differences,
    },
    shares: open.map(({ ground, notByTcp, unseen, pooled }) => ({
      counted: ground.counted,
      notByTcp,
      traced: ground.matched + unseen.length + pooled,
    })),
  };
}

/**
 * What was captured from an address that several namespaces have, or none that is known, goes to whoever's counter has
 * more than was captured of it; and so does what was ascribed to a namespace that did not count it.
 */
function giveStrays(open: readonly Open[], strays: number): void {
  let more = Math.max(strays, 0);
  for (const one of open) {
    const given = Math.min(Math.max(one.left, 0), more);
    one.left -= given;
    more -= given;
  }
  for (const poor of open) {
    for (const rich of open) {
      if (poor.left >= 0 || rich.left <= 0 || rich.ground.captured) continue;
      const moved = Math.min(-poor.left, rich.left);
      poor.left += moved;
      rich.left -= moved;
    }
  }
}

/** Without the trace: what was captured beyond what the kernel counted can't have been counted. */
function claimSurplus(open: readonly Open[]): void {
  for (const one of open) {
    if (one.left >= 0) continue;
    one.notByTcp = -one.left;
    one.left = 0;
  }
}

interface Pool {
  inside: number;
  edge: number;
}

/** Nobody listened in there. */
function elsewhere(one: Open, pool: Pool, differences: Difference[]): number {
  const { ground, left, unseen } = one;
  if (left <= 0) return 0;
  // What the trace tells without a namespace may be of this one, on whose loopback it then was.
  const without = Math.max(left - unseen.length, 0);
  const inside = Math.min(pool.inside, without);
  const edge = Math.min(pool.edge, without - inside);
  pool.inside -= inside;
  pool.edge -= edge;
  one.pooled = inside + edge;
  one.left = 0;
  const { key, netns, name } = ground;
  differences.push({
    what: 'not_captured',
    resets: left,
    netns,
    name,
    message: `${plural(left, 'reset')} sent in ${labelOf(ground)}, which was not captured in`,
    next_step: key === null ? 'sudo rstscope live --netns all' : `sudo rstscope live --netns ${printable(key)}`,
  });
  return left;
}

function edgeOf(one: Open, pool: Pool): number {
  const own = one.unseen.filter(({ edge }) => edge).length;
  const more = Math.min(pool.edge, Math.max(one.left - own, 0));
  pool.edge -= more;
  const inside = Math.min(pool.inside, Math.max(one.left - one.unseen.length - more, 0));
  pool.inside -= inside;
  one.pooled = more + inside;
  return own + more;
}

/** Without the trace: what was counted while the capture opened and closed may or may not have been captured. */
function edgeByCounter({ counted, countedInside }: Ground): number {
  return countedInside === null ? 0 : Math.max(counted - countedInside, 0);
}

/** What is left was counted while all was listened to. */
function hindered(one: Open, hindrances: Hindrances, differences: Difference[]): number {
  let told = 0;
  const { netns, name, failed } = one.ground;
  const inside = one.unseen.filter(({ edge }) => !edge).map(({ tuple }) => tuple);
  for (const { resets, message, nextStep } of reasonsFor(one.left, failed, inside, hindrances)) {
    differences.push({ what: 'not_captured', resets, netns, name, message, next_step: nextStep });
    told += resets;
  }
  one.left -= told;
  return told;
}

const SOURCES_TOLD = 3;

function foreignDifference(resets: number, { foreign, inexact }: Ledger): Difference {
  const bySource = new Map<string, number>();
  for (const { source } of foreign) bySource.set(source, (bySource.get(source) ?? 0) + 1);
  const most = [...bySource].sort(([, a], [, b]) => b - a);
  const told = most.slice(0, SOURCES_TOLD).map(([source, n]) => `${String(n)} from ${source}`);
  const more = most.length > SOURCES_TOLD ? [plural(most.length - SOURCES_TOLD, 'other source')] : [];
  const which = inexact !== null || told.length === 0 ? '' : `: ${[...told, ...more].join(', ')}`;
  const atLeast = inexact === null ? '' : 'at least ';
  return {
    what: 'not_by_tcp',
    resets,
    netns: null,
    name: null,
    message: `${atLeast}${plural(resets, 'reset')} not sent by TCP but by a packet filter or a raw socket${which}`,
    next_step: 'sudo nft list ruleset | grep -B5 reject; sudo iptables-save | grep REJECT',
  };
}

function edgeDifference(resets: number): Difference {
  const message = `${plural(resets, 'reset')} counted while the capture opened or closed`;
  return { what: 'edge', resets, netns: null, name: null, message, next_step: null };
}

const TUPLES_TOLD = 3;

function unexplainedDifference(resets: number, open: readonly Open[], exact: boolean): Difference {
  const what = 'unexplained';
  const gone = open.filter(({ ground }) => ground.broken).map(({ ground }) => labelOf(ground));
  const went = gone.length === 0 ? '' : `; ${gone.join(', ')} went away before its counter was read`;
  if (resets < 0) {
    const message = `${plural(-resets, 'reset')} captured as sent beyond what the kernel counted${went}`;
    return { what, resets, netns: null, name: null, message, next_step: null };
  }
  const [most, ...others] = open.filter(({ left }) => left > 0);
  const one = others.length === 0 ? most?.ground : undefined;
  const unseen = open.flatMap((ns) => ns.unseen).filter(({ edge }) => !edge);
  const examples = unseen.slice(0, TUPLES_TOLD).map(({ tuple }) => arrow(tuple));
  const such = examples.length === 0 ? '' : ` (${examples.join(', ')}${unseen.length > examples.length ? ' …' : ''})`;
  const how = exact
    ? 'dropped on the way out by a packet filter, without a route, or missed by the capture'
    : 'dropped on the way out, or missed by the capture';
  const message = `${plural(resets, 'reset')} that the kernel counted and no interface showed${such}: ${how}${went}`;
  return {
    what,
    resets,
    netns: one?.netns ?? null,
    name: one?.name ?? null,
    message,
    next_step: 'sudo nft list ruleset',
  };
}

/** "127.0.0.1 7211 127.0.0.1 4242" as people write it. */
export function arrow(tuple: string): string {
  const [localIp = '', localPort = '', remoteIp = '', remotePort = ''] = tuple.split(' ');
  const end = (ip: string, port: string): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);
  return remotePort === '0' ? end(localIp, localPort) : `${end(localIp, localPort)} to ${end(remoteIp, remotePort)}`;
}

function labelOf({ name, netns, key }: Ground): string {
  const called = name ?? (netns === null ? (key ?? 'unknown') : String(netns));
  return `network namespace ${printable(called)}`;
}
