/**
 * Segments of one connection by which the same connection is known in another capture: sequence number, acknowledgement
 * and kind, what no NAT changes.
 *
 * Of many segments few are kept, and of two captures the same ones: a number made of the segment itself decides, and a
 * connection that has more than fit keeps every second, every fourth, and so on. Two captures that have come to
 * different fractions have the smaller one in common.
 */

import { mix } from '../decode/records.js';

/** A segment without data; one with; a FIN without; the SYN; its answer. */
export const PURE = 0;
export const DATA = 1;
export const FINAL = 2;
export const OPENING = 3;
export const ANSWER = 4;
export type Kind = typeof PURE | typeof DATA | typeof FINAL | typeof OPENING | typeof ANSWER;

/** Segments that are kept of a connection. */
export const MOST_MARKS = 16;
/** The same segment within so many seconds: another interface's copy. Later, it was said again. */
const COPY_SECONDS = 0.002;
const MOST_LEVEL = 30;

export interface Mark {
  readonly seq: number;
  readonly ack: number;
  readonly kind: Kind;
  readonly fromLower: boolean;
  /** Seconds since 1970; NaN: the capture gave it no time. */
  readonly at: number;
  readonly ttl: number;
  /** Said again later: its time tells nothing. */
  again: boolean;
}

export class Marks {
  readonly list: Mark[] = [];
  /** One of 2^level segments is kept, and the handshake. */
  level = 0;

  take(seq: number, ack: number, kind: Kind, fromLower: boolean, at: number, ttl: number): void {
    if (!isKept(this.level, seq, ack, kind)) return;
    const known = this.find(seq, ack, kind, fromLower);
    if (known !== null) {
      if (!(at - known.at < COPY_SECONDS)) known.again = true;
      return;
    }
    while (this.list.length >= MOST_MARKS) {
      if (this.level >= MOST_LEVEL) return;
      this.level++;
      this.thin();
      if (!isKept(this.level, seq, ack, kind)) return;
    }
    this.list.push({ seq, ack, kind, fromLower, at, ttl, again: false });
  }

  find(seq: number, ack: number, kind: Kind, fromLower: boolean): Mark | null {
    for (const mark of this.list) {
      if (mark.seq === seq && mark.ack === ack && mark.kind === kind && mark.fromLower === fromLower) return mark;
    }
    return null;
  }

  private thin(): void {
    const kept = this.list.filter(({ seq, ack, kind }) => isKept(this.level, seq, ack, kind));
    this.list.splice(0, this.list.length, ...kept);
  }
}

/** Whether a connection that keeps one of 2^level segments keeps this one. */
export function isKept(level: number, seq: number, ack: number, kind: Kind): boolean {
  return kind >= OPENING || level === 0 || (mix(seq, ack, kind, 0) & ((1 << level) - 1)) === 0;
}

/** 64 bits that a connection has for itself: of a SYN there are only 32, and zeros are nobody's own. */
export function isStrong({ seq, ack, kind }: Mark): boolean {
  return kind !== OPENING && seq !== 0 && ack !== 0;
}
