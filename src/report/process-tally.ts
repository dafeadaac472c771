/**
 * Counts resets by the processes at their ends.
 *
 * Bounded: units, containers and executables beyond the limit have no row, and what they would have counted is counted
 * together. A reset between two processes of one row counts once as sent and once as received, and once by its cause.
 */

import type { Attribution, End, MissingReason } from '../attribute/process.js';
import type { Reset } from '../conversation/reset.js';
import type { Cause } from '../conversation/verdict.js';
import { Distinct, NEW, NO_ROOM } from './distinct.js';
import { FewCounts } from './few-counts.js';
import { groupOf, type ProcessGroup } from './process-group.js';
import { processInfo } from './process-info.js';
import { causeCounts, compare } from './traffic.js';
import type { ProcessRow, UnnamedRow } from './types.js';

const MAX_ROWS = 1000;
/** Process identifiers, and ports, of all rows together. */
const MAX_MEMBERS = 1 << 16;

type FoundEnd = Extract<End, { readonly reason: null }>;

interface Row {
  readonly group: ProcessGroup;
  readonly number: number;
  sent: number;
  received: number;
  byGroup: number;
  pids: number | null;
  readonly ports: number[];
  readonly causes: FewCounts<Cause>;
  sample: FoundEnd;
}

export class ProcessTally {
  /** Ends of resets whose process has no row. */
  omitted = 0;
  private readonly byIdentity = new Map<string, Row>();
  private readonly pids = new Distinct(MAX_MEMBERS);
  private readonly ports = new Distinct(MAX_MEMBERS);
  private readonly unnamed = new Map<MissingReason, { senders: number; receivers: number }>();

  add(reset: Reset, { sender, receiver }: Attribution): void {
    const from = isFound(sender) ? this.end(reset, sender) : null;
    const to = isFound(receiver) ? this.end(reset, receiver) : null;
    if (sender.reason !== null) this.missing(sender.reason).senders++;
    if (receiver.reason !== null) this.missing(receiver.reason).receivers++;
    if (from !== null) from.sent++;
    if (to !== null) to.received++;
    if (from !== null && from === to) {
      this.count(reset, from, isOfGroup(sender) && isOfGroup(receiver));
      return;
    }
    if (from !== null) this.count(reset, from, isOfGroup(sender));
    if (to !== null) this.count(reset, to, isOfGroup(receiver));
  }

  private missing(reason: MissingReason): { senders: number; receivers: number } {
    let counts = this.unnamed.get(reason);
    if (counts === undefined) {
      counts = { senders: 0, receivers: 0 };
      this.unnamed.set(reason, counts);
    }
    return counts;
  }

  private end(reset: Reset, end: FoundEnd): Row | null {
    const { process } = end;
    const row = this.rowOf(reset, end);
    if (row === null) {
      this.omitted++;
      return null;
    }
    if (row.pids !== null) {
      const answer = this.pids.add(row.number, process.pid);
      if (answer === NEW) row.pids++;
      else if (answer === NO_ROOM) row.pids = null;
    }
    // One of a group stands for nobody in particular.
    if (isOfGroup(row.sample) && !isOfGroup(end)) row.sample = end;
    return row;
  }

  private rowOf({ verdict }: Reset, end: FoundEnd): Row | null {
    const group = groupOf(end.process);
    const known = this.byIdentity.get(group.identity);
    if (known !== undefined) return known;
    const number = this.byIdentity.size;
    if (number >= MAX_ROWS) return null;
    const causes = new FewCounts(verdict.cause);
    const row: Row = { group, number, sent: 0, received: 0, byGroup: 0, pids: 0, ports: [], causes, sample: end };
    this.byIdentity.set(group.identity, row);
    return row;
  }

  private count({ verdict, servicePort }: Reset, row: Row, byGroup: boolean): void {
    row.causes.add(verdict.cause);
    if (byGroup) row.byGroup++;
    if (servicePort !== null && this.ports.add(row.number, servicePort) === NEW) row.ports.push(servicePort);
  }

  /** Most resets first. */
  rows(): ProcessRow[] {
    return [...this.byIdentity.values()]
      .sort(
        (a, b) =>
          b.sent + b.received - (a.sent + a.received) ||
          compare(a.group.name, b.group.name) ||
          compare(a.group.identity, b.group.identity),
      )
      .map((row) => ({
        key: row.group.key,
        name: row.group.name,
        pids: row.pids,
        resets_sent: row.sent,
        resets_received: row.received,
        by_group: row.byGroup,
        ports: [...row.ports].sort((a, b) => a - b),
        causes: causeCounts(row.causes),
        sample: processInfo(row.sample.process, row.sample.match),
      }));
  }

  /** Most first. */
  unnamedRows(): UnnamedRow[] {
    return [...this.unnamed]
      .map(([reason, counts]) => ({ reason, ...counts }))
      .sort((a, b) => b.senders + b.receivers - (a.senders + a.receivers) || compare(a.reason, b.reason));
  }
}

function isFound(end: End): end is FoundEnd {
  return end.process !== null;
}

/** Not one process was found, only the listeners that it is one of. */
function isOfGroup({ match }: End): boolean {
  return match === 'listener-group';
}
