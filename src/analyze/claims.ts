/**
 * What resets ask for of a ring of frames: their own frames and those of their connections before and after them, each
 * waiting for what becomes of its reset.
 */

import type { HeldFrame } from '../capture/writer.js';
import type { Reset } from '../conversation/reset.js';

/** A frame that has left the ring while the fate of some that ask for it was open. */
interface Asked {
  readonly frame: HeldFrame;
  /** How many are open still. */
  open: number;
  /** Bytes of all such frames. */
  readonly budget: { bytes: number };
}

function settle({ frame, budget }: Asked, fate: HeldFrame['fate']): void {
  if (frame.fate !== 'open') return;
  frame.fate = fate;
  budget.bytes -= frame.bytes.length;
}

/** What one reset asks for. */
export class Claim {
  fate: HeldFrame['fate'] = 'open';
  comment: string | null = null;
  /** Some of what led up to it was not held any more. */
  isShort = false;
  /** It turned out to be another sight of that one's reset. */
  private into: Claim | null = null;
  private own: HeldFrame[] = [];
  private others: Asked[] = [];

  get root(): Claim {
    return this.into === null ? this : this.into.root;
  }

  /** A frame that shows the reset. */
  show(frame: HeldFrame): void {
    frame.fate = this.fate;
    frame.comment = this.comment;
    if (this.fate === 'open') this.own.push(frame);
  }

  /** A frame of its connection, which others may ask for too. */
  ask(frame: Asked): void {
    this.others.push(frame);
  }

  join(root: Claim): void {
    this.into = root;
    root.isShort ||= this.isShort;
    for (const frame of this.own) root.show(frame);
    root.others.push(...this.others);
    this.own = [];
    this.others = [];
    if (root.fate !== 'open') root.decide(root.fate, root.comment);
  }

  decide(fate: HeldFrame['fate'], comment: string | null): void {
    this.fate = fate;
    this.comment = comment;
    for (const frame of this.own) {
      frame.fate = fate;
      frame.comment = comment;
    }
    for (const asked of this.others) {
      asked.open--;
      if (fate === 'kept' || asked.open <= 0) settle(asked, fate);
    }
    this.own = [];
    this.others = [];
  }
}

export class Claims {
  private readonly byReset = new Map<Reset, Claim>();

  of(reset: Reset): Claim {
    let claim = this.byReset.get(reset);
    if (claim === undefined) this.byReset.set(reset, (claim = new Claim()));
    return claim;
  }

  join(root: Reset, twin: Reset): void {
    const claim = this.byReset.get(twin);
    if (claim === undefined) return;
    this.byReset.delete(twin);
    claim.join(this.of(root));
  }

  /** @returns the reset's claim where there was one. */
  decide(reset: Reset, fate: 'kept' | 'dropped', comment: string | null): Claim | null {
    const claim = this.byReset.get(reset);
    if (claim === undefined) return null;
    this.byReset.delete(reset);
    claim.decide(fate, comment);
    return claim;
  }

  /** Nobody decides any more. */
  dropOpen(): void {
    for (const claim of this.byReset.values()) claim.decide('dropped', null);
    this.byReset.clear();
  }
}
