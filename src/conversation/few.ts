/** A set of mostly one or two members, in order of arrival: a list while it is short, with an index once it is long. */

const SHORT = 16;

export class Few<T> {
  private readonly list: T[] = [];
  private index: Set<T> | null = null;

  get members(): readonly T[] {
    return this.list;
  }

  get size(): number {
    return this.list.length;
  }

  has(member: T): boolean {
    return this.index === null ? this.list.includes(member) : this.index.has(member);
  }

  add(member: T): void {
    if (this.has(member)) return;
    this.list.push(member);
    if (this.index !== null) this.index.add(member);
    else if (this.list.length > SHORT) this.index = new Set(this.list);
  }
}
