/** What waits for its counterpart, by keys and by time. Bounded; knows nothing of what it holds. */

/** A thing that found its counterpart takes no room. */
const MOST = 200_000;
/** So many empty places at the front of a row are worth a move of the others. */
const MOST_GAP = 1024;

/** A moment, and how far before and behind it something may lie. Seconds. */
export interface Around {
  readonly at: number;
  readonly before: number;
  readonly behind: number;
}

export interface Timed {
  readonly at: number;
}

/** What waits for its counterpart, by every key that it may be found under. */
export class Shelf<T extends Timed> {
  /** Of most keys there is one. */
  private readonly byKey = new Map<string, T | Row<T>>();
  private readonly keys = new Map<T, readonly string[]>();
  private readonly most: number;

  constructor(most = MOST) {
    this.most = most;
  }

  get all(): readonly T[] {
    return [...this.keys.keys()];
  }

  /** @returns whether there was room without losing another one. */
  put(one: T, keys: readonly string[]): boolean {
    this.keys.set(one, keys);
    for (const key of keys) {
      const there = this.byKey.get(key);
      if (there === undefined) this.byKey.set(key, one);
      else if (there instanceof Row) there.put(one);
      else this.byKey.set(key, new Row(there, one));
    }
    if (this.keys.size <= this.most) return true;
    const [oldest] = this.keys.keys();
    if (oldest !== undefined) this.take(oldest);
    return false;
  }

  /** Takes away the one under the key that lies nearest. */
  nearest(key: string, around: Around): T | null {
    const there = this.byKey.get(key);
    if (there === undefined) return null;
    const best = there instanceof Row ? there.nearest(around) : isWithin(there, around) ? there : null;
    if (best !== null) this.take(best);
    return best;
  }

  /** It is here no more. */
  take(one: T): void {
    for (const key of this.keys.get(one) ?? []) {
      const there = this.byKey.get(key);
      if (there instanceof Row) there.remove(one);
      if (!(there instanceof Row) || there.size === 0) this.byKey.delete(key);
    }
    this.keys.delete(one);
  }
}

/** Things in the order of their times: a listener that answers a flood has many, and those that leave are near one end. */
class Row<T extends Timed> {
  private readonly list: (T | undefined)[] = [];
  private head = 0;

  constructor(...all: readonly T[]) {
    for (const one of all) this.put(one);
  }

  get size(): number {
    return this.list.length - this.head;
  }

  put(one: T): void {
    let i = this.list.length;
    for (; i > this.head && (this.list[i - 1]?.at ?? 0) > one.at; i--) this.list[i] = this.list[i - 1];
    this.list[i] = one;
  }

  nearest(around: Around): T | null {
    const { at } = around;
    const i = this.placeOf(at);
    // What lies further on the same side of the moment is not nearer.
    const sides = [i > this.head ? this.list[i - 1] : undefined, this.list[i]];
    const [before = null, after = null] = sides.map((one) => (one !== undefined && isWithin(one, around) ? one : null));
    if (before === null || after === null) return before ?? after;
    return at - before.at <= after.at - at ? before : after;
  }

  remove(one: T): void {
    const { list } = this;
    let i = this.placeOf(one.at);
    while (i < list.length && list[i] !== one) i++;
    if (i === list.length) return;
    if (i - this.head < list.length - i) {
      for (; i > this.head; i--) list[i] = list[i - 1];
      list[this.head++] = undefined;
      if (this.head > MOST_GAP && this.head * 2 > list.length) {
        list.splice(0, this.head);
        this.head = 0;
      }
    } else {
      for (; i + 1 < list.length; i++) list[i] = list[i + 1];
      list.pop();
    }
  }

  /** Of the first that is not before `at`. */
  private placeOf(at: number): number {
    let low = this.head;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.list[middle]?.at ?? Infinity) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isWithin(one: Timed, { at, before, behind }: Around): boolean {
  return one.at >= at - before && one.at <= at + behind;
}
