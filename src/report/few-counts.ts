/** Counts by key where most have one key only: nothing but two fields until a second key comes. */

export class FewCounts<K> {
  private readonly key: K;
  private count = 0;
  private others: Map<K, number> | null = null;

  /** `key` is the first that will be counted. */
  constructor(key: K) {
    this.key = key;
  }

  add(key: K): void {
    if (key === this.key) this.count++;
    else {
      this.others ??= new Map();
      this.others.set(key, (this.others.get(key) ?? 0) + 1);
    }
  }

  entries(): [K, number][] {
    return [[this.key, this.count], ...(this.others ?? [])];
  }
}
