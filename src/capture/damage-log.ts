/** A bounded list of damage: a hostile file must not fill the memory with complaints about itself. */

import { plural } from '../base/text.js';
import type { Damage } from './frame-batch.js';

const LIMIT = 50;

export class DamageLog {
  readonly entries: Damage[] = [];
  private more = 0;

  add(damage: Damage): void {
    if (this.entries.length < LIMIT) {
      this.entries.push(damage);
      return;
    }
    this.more += 1;
    this.entries[LIMIT] = {
      ...damage,
      message: `${plural(this.more, 'more place')} of damage, the last: ${damage.message}`,
    };
  }
}
