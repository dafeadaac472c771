/**
 * A reset of a growing capture as it is known when no copy of it can come any more. Its event is made when it is asked
 * for: of a flood, few are.
 */

import { framesOf, type Reset } from '../conversation/reset.js';
import { eventOf } from './event.js';
import type { Glimpse, ResetEvent } from './types.js';

export { eventId, eventOf } from './event.js';

export class Announcement implements Glimpse {
  private made: ResetEvent | null = null;
  private readonly view: Reset;

  constructor(view: Reset) {
    this.view = view;
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

  /** The same one each time. */
  event(): ResetEvent {
    return (this.made ??= eventOf(this.view, null));
  }

  /** The event as somebody got it, where they did and `now` is known to be otherwise; else null. */
  outdatedBy(now: Reset): ResetEvent | null {
    const { view } = this;
    const same =
      view.servicePort === now.servicePort &&
      view.resetBy === now.resetBy &&
      view.direction === now.direction &&
      view.verdict === now.verdict &&
      (view.copies === now.copies || framesOf(view).length === framesOf(now).length);
    return same ? null : this.made;
  }
}
