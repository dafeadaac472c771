/**
 * Which addresses are this host's, in all its network namespaces: those that are watched as soon as they change, those
 * of others as they are looked at now and then.
 *
 * Knows nothing of captures.
 */

import type { LinkWatch } from './link-watch.js';
import { readLinks } from './links.js';
import { allNamespaces, type Namespace } from './namespaces.js';

const EVERY_MS = 10_000;
/** Namespaces beside those that are captured in; each takes a program that is started. */
const MAX_OTHERS = 256;
const AT_ONCE = 4;

export class HostAddresses {
  private others = new Set<string>();
  private known: readonly string[] = [];
  private print = '';
  private readonly watches: readonly LinkWatch[];
  private readonly watched: ReadonlySet<number | null>;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private looked: readonly unknown[] = [];

  /** `namespaces` are those of `watches`. */
  constructor(watches: readonly LinkWatch[], namespaces: readonly Namespace[]) {
    this.watches = watches;
    this.watched = new Set(namespaces.map(({ inode }) => inode));
  }

  /** In the form that the decoder prints, sorted; the same array while nothing changes. */
  get list(): readonly string[] {
    this.renew();
    return this.known;
  }

  async start(): Promise<void> {
    await this.lookAtOthers();
    this.plan();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      void this.lookAtOthers().then(() => {
        this.plan();
      });
    }, EVERY_MS).unref();
  }

  private async lookAtOthers(): Promise<void> {
    const others = allNamespaces()
      .filter(({ inode }) => !this.watched.has(inode))
      .slice(0, MAX_OTHERS);
    const found = new Set<string>();
    const next = async (): Promise<void> => {
      for (let one = others.pop(); one !== undefined; one = others.pop()) {
        for (const { addresses } of await readLinks(one)) for (const address of addresses) found.add(address);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    this.others = found;
    this.looked = [];
  }

  /** Makes list and set anew where a watch has read other links. */
  private renew(): void {
    const now = [...this.watches.map(({ links }) => links), this.others];
    if (now.length === this.looked.length && now.every((one, i) => one === this.looked[i])) return;
    this.looked = now;
    const all = new Set(this.others);
    for (const { links } of this.watches) for (const link of links) for (const one of link.addresses) all.add(one);
    const known = [...all].sort();
    const print = known.join();
    if (print === this.print) return;
    this.print = print;
    this.known = known;
  }
}
