/**
 * Resets whose connections are watched for a while: what comes behind them may tell what they were.
 *
 * What is noted depends on the segments and their times alone, never on when somebody looks. Bounded: of many resets, the
 * oldest are not watched any longer.
 */

import { word } from '../base/bytes.js';
import { ACK, RST, SYN } from '../decode/net/tcp-layout.js';
import { isReset, noteAfter, noteResetAfter, segmentOf } from './conversation-facts.js';
import type { ConversationTable } from './conversation-table.js';
import { AFTER_SECONDS, seqDiff, type ConversationFacts, type SegmentFacts, type SideFacts } from './facts.js';
import { BITS, STATE_WORDS, WATCHED } from './state-layout.js';

const MOST_ROWS = 8192;
const FEW_ROWS = 256;
/** So many are left when there were too many. */
const ROOM_MADE = 6144;
const MOST_OF_A_ROW = 8;
/** Far longer than what follows a reset is looked at: frames may lie in disorder. */
const KEPT_SECONDS = 60;
/** Octets. */
const FAR = 1 << 28;

interface Watch {
  readonly facts: ConversationFacts;
  readonly first: { readonly seq: number; readonly ack: number; readonly at: number };
  readonly senderIsLower: boolean;
  /** A new connection has begun on the same addresses and ports. */
  over: boolean;
}

export class Watches {
  private readonly tables = new Map<ConversationTable, Map<number, Watch[]>>();
  /** Rows of a table after which it is looked for those that are over. */
  private many = FEW_ROWS;

  begin(table: ConversationTable, row: number, facts: ConversationFacts, first: Watch['first']): void {
    const rows = this.of(table);
    const senderIsLower = table.sourceIsLower;
    const watches = rows.get(row);
    if (watches === undefined) {
      this.makeRoom(table, rows, first.at);
      rows.set(row, [{ facts, first, senderIsLower, over: false }]);
      const at = row * STATE_WORDS + BITS;
      table.words[at] = word(table.words, at) | WATCHED;
    } else if (watches.length < MOST_OF_A_ROW) {
      watches.push({ facts, first, senderIsLower, over: false });
    }
  }

  /** Nothing that comes is looked at any more: it may not be all there is. */
  endAll(): void {
    this.tables.clear();
  }

  /** Ends what nothing can come behind any more, oldest first: whoever stays silent never ends it by itself. */
  private makeRoom(table: ConversationTable, rows: Map<number, Watch[]>, now: number): void {
    if (rows.size < this.many) return;
    for (const [row, watches] of rows) {
      const last = watches.at(-1)?.first.at ?? 0;
      // Many at once: to find the first that is left takes longer the more were taken away before it.
      if (now - last <= KEPT_SECONDS && rows.size < ROOM_MADE) break;
      this.end(table, row);
    }
    this.many = Math.min(Math.max(FEW_ROWS, 2 * rows.size), MOST_ROWS);
  }

  /** A segment of the row, or a reset that is no copy, came by. */
  see(table: ConversationTable, row: number, words: Uint32Array, at: number, time: number): void {
    const watches = this.tables.get(table)?.get(row);
    if (watches === undefined) return;
    const segment = segmentOf(words, at, time);
    let isOpen = false;
    for (const watch of watches) {
      const { facts, first, senderIsLower } = watch;
      const bySender = senderIsLower === table.sourceIsLower;
      watch.over ||= beginsAnother(segment, bySender ? facts.sender : facts.receiver);
      if (watch.over || time - first.at > AFTER_SECONDS) continue;
      isOpen = true;
      if (isReset(segment)) noteResetAfter(facts, first, segment, bySender);
      else noteAfter(facts, segment, bySender);
    }
    if (!isOpen) this.end(table, row);
  }

  /** The row is not watched any more. */
  end(table: ConversationTable, row: number): void {
    this.of(table).delete(row);
    const at = row * STATE_WORDS + BITS;
    table.words[at] = word(table.words, at) & ~WATCHED;
  }

  private of(table: ConversationTable): Map<number, Watch[]> {
    const known = this.tables.get(table);
    if (known !== undefined) return known;
    const fresh = new Map<number, Watch[]>();
    this.tables.set(table, fresh);
    return fresh;
  }
}

/** A SYN, or SYN-ACK, other than the one that the side had sent; or numbers that no connection gets to so soon. */
function beginsAnother({ flags, seq }: SegmentFacts, side: SideFacts): boolean {
  if ((flags & RST) !== 0) return false;
  if ((flags & SYN) !== 0) return (flags & ACK) === 0 ? side.isn !== seq : side.seen && side.isn !== seq;
  return side.next !== null && Math.abs(seqDiff(seq, side.next)) > FAR;
}
