/**
 * How often looks are made: the slower, the more they cost, so that watching takes a small and known part of a
 * processor whatever the number of sockets. Knows no clock: times are handed in, in seconds.
 */

/** A look is followed by so many times its own time without one: 1 % of a core. */
const PAUSE = 100;
const MIN_PAUSE = 2;
const MAX_PAUSE = 60;

export function pauseAfter(seconds: number): number {
  return Math.min(Math.max(seconds * PAUSE, MIN_PAUSE), MAX_PAUSE);
}

/** Descriptors that are all known are scanned again at longer intervals: processes pass them on, and fork. */
const SCAN_PAUSE = 200;
const MIN_SCAN_PAUSE = 10;

export function isScanDue(now: number, last: number, seconds: number): boolean {
  return now - last >= Math.max(seconds * SCAN_PAUSE, MIN_SCAN_PAUSE);
}

const WINDOW = 10;
/** 2.5 % of a core, beside what looks take that nobody asked for. */
const SHARE = 0.025;
/** One thing that takes more may be done where nothing else was. */
const AT_ONCE = 0.05;

/** What was lately spent on questions, and whether more may be. */
export class Budget {
  private readonly spent: { readonly at: number; readonly seconds: number }[] = [];

  spend(at: number, seconds: number): void {
    this.spent.push({ at, seconds });
  }

  /** Something that takes so long may be done now. */
  allows(now: number, seconds: number): boolean {
    while ((this.spent[0]?.at ?? now) < now - WINDOW) this.spent.shift();
    if (this.spent.length === 0) return seconds <= WINDOW * AT_ONCE;
    let sum = seconds;
    for (const each of this.spent) sum += each.seconds;
    return sum <= WINDOW * SHARE;
  }
}
