/** First in, first out, in a ring: what has left is not held any longer. */

const FIRST_CAPACITY = 256;

export class Queue<T> {
  size = 0;
  private ring = new Array<T | null>(FIRST_CAPACITY).fill(null);
  private head = 0;

  get first(): T | null {
    return this.ring[this.head] ?? null;
  }

  push(item: T): void {
    if (this.size === this.ring.length) this.grow();
    this.ring[(this.head + this.size) & (this.ring.length - 1)] = item;
    this.size++;
  }

  shift(): T | null {
    const { first } = this;
    if (first === null) return null;
    this.ring[this.head] = null;
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.size--;
    return first;
  }

  private grow(): void {
    const { ring, head } = this;
    const room = new Array<T | null>(ring.length).fill(null);
    this.ring = [...ring.slice(head), ...ring.slice(0, head), ...room];
    this.head = 0;
  }
}
