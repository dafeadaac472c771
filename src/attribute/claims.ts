/**
 * Which captured reset each traced one was: one of the trace explains one that was captured, and a second one with the
 * same ends was sent by somebody else. Copies that are counted one by one (`--no-fold`) are still the same reset.
 */

/** What copies of a reset have in common. */
export type Likeness = string;

const MAX_CLAIMS = 65_536;

export class Claims {
  private readonly bySerial = new Map<number, Likeness>();

  /** It is free, or was claimed for a reset that looks the same. */
  allows(serial: number, likeness: Likeness): boolean {
    const known = this.bySerial.get(serial);
    return known === undefined || known === likeness;
  }

  claim(serial: number, likeness: Likeness): void {
    this.bySerial.set(serial, likeness);
    if (this.bySerial.size <= MAX_CLAIMS) return;
    const [oldest] = this.bySerial.keys();
    if (oldest !== undefined) this.bySerial.delete(oldest);
  }
}
