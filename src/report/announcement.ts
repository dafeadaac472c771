/**
 * A reset of a growing capture as it is known when no copy of it can come any more, and what was learnt of it since.
 * Its event is made when it is asked for: of a flood, few are.
 */

import type { Attribution, End, Process } from '../attribute/process.js';
import type { KernelFacts } from '../conversation/kernel-facts.js';
import { framesOf, type Reset } from '../conversation/reset.js';
import type { Verdict } from '../conversation/verdict.js';
import { eventOf } from './event.js';
import type { Glimpse, ResetEvent } from './types.js';

export { eventId, eventOf } from './event.js';

/** An event as somebody got it, and as it is known now. */
export interface Revision {
  readonly before: ResetEvent;
  readonly after: ResetEvent;
}

/** An event that somebody got, and what it was made of as far as it can change. */
interface Said {
  readonly event: ResetEvent;
  readonly verdict: Verdict;
  readonly who: Attribution;
}

export class Announcement implements Glimpse {
  private said: Said | null = null;
  private view: Reset;
  private who: Attribution;

  /** `view` is the reset as it is known by now; it must not change any more, where the reset itself may. */
  constructor(view: Reset, who: Attribution) {
    this.view = view;
    this.who = who;
  }

  get src_ip(): string {
    return this.view.srcIp;
  }

  get src_port(): number {
    return this.view.srcPort;
  }

  get dest_ip(): string {
    return this.view.destIp;
  }

  get dest_port(): number {
    return this.view.destPort;
  }

  get service_port(): number | null {
    return this.view.servicePort;
  }

  get reset_by(): Glimpse['reset_by'] {
    return this.view.resetBy;
  }

  get sender(): Glimpse['sender'] {
    return this.who.sender.process;
  }

  get receiver(): Glimpse['receiver'] {
    return this.who.receiver.process;
  }

  /** What was said of it; null: nobody asked. */
  get told(): ResetEvent | null {
    return this.said?.event ?? null;
  }

  /** As it is known now, and from now on what was said; the same one until something is learnt. */
  event(): ResetEvent {
    return (this.said ??= this.say()).event;
  }

  /**
   * Takes what is known now: of the processes and, where that may have changed too, of the reset. Null where nobody got
   * the event or nothing changed that an event tells; else the event of `after` is what was said from now on.
   */
  revise(who: Attribution, now: Reset = this.view): Revision | null {
    this.view = now;
    this.who = who;
    const { said } = this;
    if (said === null || (sameReset(said, now) && sameAttribution(said.who, who))) return null;
    this.said = this.say();
    return { before: said.event, after: this.said.event };
  }

  private say(): Said {
    const { view, who } = this;
    return { event: eventOf(view, null, who), verdict: view.verdict, who };
  }
}

function sameReset({ event, verdict }: Said, now: Reset): boolean {
  return (
    event.service_port === now.servicePort &&
    event.reset_by === now.resetBy &&
    event.direction === now.direction &&
    sameVerdict(verdict, now.verdict) &&
    event.copies === framesOf(now).length
  );
}

function sameVerdict(a: Verdict, b: Verdict): boolean {
  return (
    a === b ||
    (a.cause === b.cause &&
      a.confidence === b.confidence &&
      a.origin === b.origin &&
      a.pattern === b.pattern &&
      a.evidence.join('\n') === b.evidence.join('\n'))
  );
}

function sameAttribution(a: Attribution, b: Attribution): boolean {
  return (
    a === b ||
    (sameEnd(a.sender, b.sender) &&
      sameEnd(a.receiver, b.receiver) &&
      sameKernel(a.kernel, b.kernel) &&
      a.evidence.length === b.evidence.length &&
      a.evidence.every((fact, i) => fact === b.evidence[i]))
  );
}

/** The rules for causes may use what no key tells. */
function sameKernel(a: KernelFacts, b: KernelFacts): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function sameEnd(a: End, b: End): boolean {
  return a.match === b.match && a.reason === b.reason && sameProcess(a.process, b.process);
}

/** A container's name, or that of a unit, may be learnt after the process. */
function sameProcess(a: Process | null, b: Process | null): boolean {
  return a === b || (a !== null && b !== null && a.pid === b.pid && JSON.stringify(a) === JSON.stringify(b));
}
