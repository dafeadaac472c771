/**
 * Do the resets that were captured account for those that the kernel counted? Sums and, where the kernel was traced, one
 * by one; every difference with what explains it, and none explained away.
 *
 * kernel_counted = captured_sent − not_by_tcp + not_captured + edge + unexplained. Pure. Equality is looked for among
 * resets sent only: no counter counts all that are received.
 */

import type { Difference, Reconciliation } from '../report/types.js';
import {
  copyDifference,
  doubtDifferences,
  edgeDifference,
  elsewhereDifference,
  foreignDifference,
  surplusDifference,
  uncountedDifference,
  unexplainedDifference,
  vanishedDifference,
} from './differences.js';
import { reasonsFor, type Hindrances } from './hindrances.js';
import type { Ground, Ledger, Unseen } from './ledger.js';

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
  /** Captured, and ascribed to no namespace or to another one: taken to be of this one. */
  given: number;
}

export interface Share {
  readonly counted: number;
  readonly captured: number;
  readonly notByTcp: number;
  readonly traced: number;
}

export interface Reconciled {
  readonly reconciliation: Reconciliation;
  /** In the order of the grounds: what each adds to the whole. */
  readonly shares: readonly Share[];
  /** Sent in namespaces that came and went, of which nothing else is known. */
  readonly vanished: number;
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
      given: 0,
    };
  });
  const isStray = ({ netns }: { readonly netns: number | null }): boolean =>
    !open.some(({ ground }) => ground.netns === netns);
  const strayForeign = exact ? ledger.foreign.filter(isStray).length : 0;
  const ungiven = giveStrays(open, ledger.strays - strayForeign, exact);
  const differences: Difference[] = [];
  const nowhere = exact ? ledger.unseen.filter(isStray) : [];
  const pool = { inside: nowhere.filter(({ edge }) => !edge).length, edge: nowhere.filter(({ edge }) => edge).length };
  const surplus = exact || ledger.withCopies ? 0 : claimSurplus(open) + ungiven;
  const foreign = exact ? ledger.foreign.length : surplus;
  if (foreign > 0) differences.push(foreignDifference(foreign, ledger.foreign, exact));
  let notCaptured = 0;
  for (const one of open.filter(({ ground }) => ground.captured)) {
    const atEdge = exact ? edgeOf(one, pool) : Infinity;
    one.edge = Math.min(Math.max(one.left, 0), atEdge, edgeByCounter(one.ground, exact));
    one.left -= one.edge;
    const uncounted = one.unseen.filter(({ edge }) => !edge).length - Math.max(one.left, 0);
    notCaptured += hindered(one, ledger.hindrances, differences);
    if (uncounted > 0) differences.push(uncountedDifference(uncounted, one.ground));
  }
  // Behind those whose edges are known: what they did not take is of these.
  for (const one of open.filter(({ ground }) => !ground.captured)) notCaptured += elsewhere(one, pool, differences);
  // Sent where no counter could be read any more: the trace is the kernel's word too.
  const vanished = pool.inside;
  if (vanished > 0) differences.push(vanishedDifference(vanished));
  notCaptured += vanished;
  const sum = (of: (one: Open) => number): number => open.reduce((total, one) => total + of(one), 0);
  const counted = sum(({ ground }) => ground.counted) + vanished;
  const captured = sum(({ ground }) => ground.sent) + ledger.strays;
  const edge = sum((one) => one.edge);
  const unexplained = counted - (captured - foreign) - notCaptured - edge;
  if (ledger.copies > 0) differences.push(copyDifference(ledger.copies));
  if (edge > 0) differences.push(edgeDifference(edge));
  const gone = open.filter(({ ground }) => ground.broken).map(({ ground }) => ground);
  if (unexplained < 0) differences.push(surplusDifference(-unexplained, gone));
  if (unexplained > 0) {
    const where = open.filter(({ left }) => left > 0).map(({ ground }) => ground);
    // What the trace tells without a namespace may be of another one.
    const isAlone = open.every(({ ground }) => ground.captured || ground.counted === 0);
    const isThere = ({ netns }: Unseen): boolean =>
      netns === null ? isAlone : where.some((ground) => ground.netns === netns);
    const inside = ledger.unseen.filter((one) => !one.edge && isThere(one));
    differences.push(unexplainedDifference(unexplained, where, { exact, inside, gone }));
  }
  const { dropped, lost } = ledger.hindrances;
  const inDoubt = exact ? doubtDifferences(ledger.doubts) : [];
  differences.push(...inDoubt);
  const isWhole = exact && inDoubt.length === 0 && notCaptured === 0 && unexplained === 0 && dropped === 0 && !lost;
  const missedInside = ledger.unseen.some((one) => !one.edge);
  const traced = ledger.matched + sum((one) => one.unseen.length + one.pooled) + vanished;
  return {
    reconciliation: {
      captured_sent: captured,
      traced: exact ? traced : null,
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
    vanished,
    shares: open.map(({ ground, notByTcp, unseen, pooled, given }) => ({
      counted: ground.counted,
      captured: ground.sent + given,
      notByTcp,
      traced: ground.matched + given + unseen.length + pooled,
    })),
  };
}

/**
 * What was captured from an address that several namespaces have, or none that is known, goes to whoever's counter has
 * more than was captured of it; and so does what was ascribed to a namespace that did not count it.
 * @returns how many are left.
 */
function giveStrays(open: readonly Open[], strays: number, exact: boolean): number {
  let more = Math.max(strays, 0);
  for (const one of open) {
    // What the trace tells to be missed here is not what was captured.
    const given = Math.min(Math.max(one.left - one.unseen.length, 0), more);
    one.left -= given;
    one.given += given;
    more -= given;
  }
  // Those that were not captured in first: of the others what is left may be missing in truth, which only the trace tells.
  const rich = open.filter(({ ground }) => !ground.captured);
  if (exact) rich.push(...open.filter(({ ground }) => ground.captured));
  for (const poor of open) {
    for (const one of rich) {
      const moved = Math.min(Math.max(-poor.left, 0), Math.max(one.left - one.unseen.length, 0));
      poor.left += moved;
      poor.given -= moved;
      one.left -= moved;
      one.given += moved;
    }
  }
  return more;
}

/** Without the trace: what was captured beyond what the kernel counted can't have been counted. @returns how many. */
function claimSurplus(open: readonly Open[]): number {
  let all = 0;
  for (const one of open) {
    if (one.left >= 0) continue;
    one.notByTcp = -one.left;
    one.left = 0;
    all += one.notByTcp;
  }
  return all;
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
  differences.push(elsewhereDifference(left, ground));
  return left;
}

function edgeOf(one: Open, pool: Pool): number {
  const own = one.unseen.filter(({ edge }) => edge).length;
  const rest = Math.max(one.left - one.unseen.length, 0);
  const { countedInside } = one.ground;
  // Where the counter was not read at the edges, what is not known to be there was missed.
  const room = countedInside === null ? rest - Math.min(pool.inside, rest) : edgeByCounter(one.ground, true) - own;
  const more = Math.min(pool.edge, rest, Math.max(room, 0));
  const inside = Math.min(pool.inside, rest - more);
  pool.inside -= inside;
  pool.edge -= more;
  one.pooled = more + inside;
  return own + more;
}

/** What was counted while the capture opened and closed; of it some may have been captured. */
function edgeByCounter({ counted, countedInside }: Ground, exact: boolean): number {
  if (countedInside === null) return exact ? Infinity : 0;
  return Math.max(counted - countedInside, 0);
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
