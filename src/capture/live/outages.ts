/**
 * What a live capture did not see because an interface, or the program that listened to it, went away: when it went, and
 * whether it came back.
 *
 * Times are handed in, milliseconds of one clock.
 */

import { plural } from '../../base/text.js';

export interface Outage {
  readonly interface: string;
  /** Null: it never came back. */
  readonly gapSeconds: number | null;
  readonly message: string;
}

/** Outages that are told one by one; what flaps more often is summed up. */
const TOLD = 32;

export class Outages {
  /** When it went away; null: it is there. */
  private since: number | null = null;
  private why = '';
  private readonly ended: { seconds: number; why: string }[] = [];
  private more = 0;
  private moreSeconds = 0;
  private readonly name: string;

  /** `name`: of the interface, as it is told. */
  constructor(name: string) {
    this.name = name;
  }

  get isOut(): boolean {
    return this.since !== null;
  }

  /** It is away from now on; what is said first counts. */
  begin(now: number, why: string): void {
    if (this.since !== null) return;
    this.since = now;
    this.why = why;
  }

  /** It is there again. */
  end(now: number): void {
    if (this.since === null) return;
    const seconds = Math.max(0, now - this.since) / 1000;
    this.since = null;
    if (this.ended.length < TOLD) {
      this.ended.push({ seconds, why: this.why });
    } else {
      this.more++;
      this.moreSeconds += seconds;
    }
  }

  get all(): Outage[] {
    const { name } = this;
    const told = this.ended.map(({ seconds, why }): Outage => {
      const gapSeconds = rounded(seconds);
      return {
        interface: name,
        gapSeconds,
        message: `${name} ${why} and was captured again ${String(gapSeconds)} s later`,
      };
    });
    if (this.more > 0) {
      const gapSeconds = rounded(this.moreSeconds);
      const message = `${name} went away ${plural(this.more, 'more time')}, for ${String(gapSeconds)} s in all`;
      told.push({ interface: name, gapSeconds, message });
    }
    if (this.since !== null)
      told.push({ interface: name, gapSeconds: null, message: `${name} ${this.why} and was not captured again` });
    return told;
  }
}

function rounded(seconds: number): number {
  return Number(seconds.toFixed(3));
}
