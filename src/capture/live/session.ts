/**
 * A live capture: which programs listen to which interfaces of which namespaces, what to do when an interface goes away
 * or comes back, and what of all that its report must say.
 *
 * Gives one growing capture that is read like any other. Knows no packets and no output.
 */

import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { grouped, plural, printable } from '../../base/text.js';
import type { CapturedHost, TimeSpan } from '../frame-batch.js';
import type { OpenCapture } from '../open.js';
import type { CaptureFile } from '../story.js';
import { FLOOD_PACKETS_A_MS } from './cap-order.js';
import { Channel, isThere, Refused, type Backend } from './channel.js';
import { captureFilter } from './filter.js';
import { HostAddresses } from './host-addresses.js';
import { LinkWatch } from './link-watch.js';
import type { Link } from './links.js';
import { Handover } from './handover.js';
import { LiveReader } from './live-reader.js';
import { Narrowing } from './narrowing.js';
import { inodeAt, namespaceLabel, type Namespace } from './namespaces.js';
import { ANY, backendsFor, devicesIn, mustExist, sentenceFor, type LiveOrder } from './order.js';
import { Outages } from './outages.js';
import type { Surroundings } from './relabel.js';
import { Pump } from './pump.js';
import { RateWatch } from './rate-watch.js';
import { sweep, Watchdog } from './watchdog.js';

/** What was lost or not seen. */
export interface Loss {
  readonly reason: 'interface-lost' | 'packets-dropped';
  readonly interface: string | null;
  readonly gapSeconds: number | null;
  readonly message: string;
}

/** Memory of the kernel for all rings together, and what one gets at least and at most. */
const RING_BYTES = 128 * 1024 * 1024;
const LEAST_RING = 4 * 1024 * 1024;
const MOST_RING: Readonly<Record<Backend, number>> = { tcpdump: 32 * 1024 * 1024, cap: 128 * 1024 * 1024 };
/** Of all TCP: some seconds, until it is known that it is too much. */
const MOST_FULL_RING = 64 * 1024 * 1024;
/** The kernel gives a ring its memory at once: of a small machine's, no more than this part. */
const MEMORY_SHARE = 32;
/** What was sent until the end was asked for is captured by then: a program that is ended leaves unread what its ring holds. */
const LAST_MS = 30;
const REOPEN_FIRST_MS = 50;
const REOPEN_MOST_MS = 1000;
/** Frames of one stream come in order; those of several come as their programs get their turn. */
const PATIENCE_ONE = 0.06;
const PATIENCE_SEVERAL = 0.35;

/** One frame's times by two programs: the kernel's stamp, and the moment of arrival. */
const STAMPS_APART = 0.002;
const ARRIVALS_APART = 0.3;
/** Two programs listen at once for so long at most, and how often it is looked whether one is enough. */
const MOST_OVERLAP_MS = 10_000;
const OVERLAP_LOOK_MS = 20;

/** One interface (or any) of one namespace, over all programs that ever listened to it. */
interface Post {
  readonly namespace: Namespace;
  readonly device: string;
  readonly watch: LinkWatch;
  readonly outages: Outages;
  channel: Channel | null;
  /** Kernel's number of the interface that is listened to; null: any. */
  index: number | null;
  opening: boolean;
  wait: number;
}

export class LiveCapture {
  readonly backend: Backend;
  readonly order: LiveOrder;
  /** Seconds that the frames of one reset may lie apart in the order in which they come. */
  readonly patience: number;
  private readonly reader = new LiveReader();
  private readonly watchdog: Watchdog;
  private readonly pump: Pump;
  private readonly watches: ReadonlyMap<Namespace, LinkWatch>;
  private readonly posts: Post[] = [];
  /** Programs that run, or whose last words were not read yet, with their streams. */
  private readonly channels = new Map<Channel, OpenCapture | null>();
  /** What those said that are gone. */
  private readonly past = { lost: 0, silent: false, flooded: false, forced: 0 };
  private readonly hosts = new Map<Namespace, CapturedHost>();
  private readonly addresses: HostAddresses;
  private localList: readonly string[] = [];
  private localSet: ReadonlySet<string> = new Set();
  private readonly refused: Loss[] = [];
  private readonly now: () => number;
  private readonly rate: RateWatch | null;
  private readonly narrowing = new Narrowing();
  private ending: Promise<void> | null = null;

  constructor(order: LiveOrder, backend: Backend, parts: Parts, now: () => number) {
    this.order = order;
    this.backend = backend;
    this.watchdog = parts.watchdog;
    this.pump = parts.pump;
    this.watches = parts.watches;
    this.addresses = parts.addresses;
    this.now = now;
    this.rate = order.narrowAbove === null ? null : new RateWatch(order.narrowAbove, Date.now);
    this.reader.heard = (capture, batch) => {
      this.narrowing.note(capture, batch);
      this.rate?.note(batch);
      if (this.rate?.exceeded !== null && this.rate?.exceeded !== undefined) this.narrow();
    };
    for (const [namespace, watch] of parts.watches) {
      for (const device of devicesIn(order.interfaces, watch)) {
        const outages = new Outages(labelOf(device, namespace, order.namespaces.length > 1));
        this.posts.push({ namespace, device, watch, outages, channel: null, index: null, opening: false, wait: 0 });
      }
    }
    this.patience = this.posts.length > 1 ? PATIENCE_SEVERAL : PATIENCE_ONE;
    parts.changed.listener = (namespace) => {
      for (const post of this.posts) if (post.namespace === namespace) this.check(post);
    };
  }

  /**
   * Starts to capture; when it resolves, every interface is listened to. Throws a UserError that says what is missing.
   * `now`: milliseconds of a clock that only goes forward.
   */
  static async start(order: LiveOrder, now: () => number): Promise<LiveCapture> {
    sweep();
    const watchdog = new Watchdog();
    const pump = new Pump();
    const changed: Parts['changed'] = { listener: () => undefined };
    const watches = new Map(
      order.namespaces.map((namespace) => {
        const onChange = (): void => changed.listener(namespace);
        return [namespace, new LinkWatch(namespace, onChange, watchdog.tell)];
      }),
    );
    const addresses = new HostAddresses([...watches.values()], order.namespaces);
    try {
      await Promise.all([...[...watches.values()].map((watch) => watch.start()), addresses.start()]);
      mustExist(order, watches);
      return await firstThatWorks(order, { watchdog, pump, watches, addresses, changed }, now);
    } catch (error) {
      addresses.stop();
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
      await Promise.all([watchdog.stop(), pump.stop()]);
      throw error;
    }
  }

  /** All streams as one capture; may be opened once. */
  get file(): CaptureFile {
    const { reader } = this;
    const open = (): Promise<OpenCapture> =>
      Promise.resolve({
        name: 'live',
        reader,
        container: 'pcapng',
        size: null,
        bytesRead: () => 0,
        close: () => undefined,
      });
    return { name: 'live', once: true, open };
  }

  /** This host's addresses, in all its namespaces, as they are by now. */
  readonly isLocal = (ip: string): boolean => {
    const { list } = this.addresses;
    if (list !== this.localList) {
      this.localList = list;
      this.localSet = new Set(list);
    }
    return this.localSet.has(ip);
  };

  /** The one network namespace that has the address, of several `near` if it has it; null: none is known, or several are. */
  readonly netnsOf = (ip: string, near: number | null = null): number | null => this.addresses.netnsOf(ip, near);

  get timestamps(): CapturedHost['timestamps'] {
    return this.backend === 'cap' ? 'arrival' : 'kernel';
  }

  /** The first and the last time of what was captured. */
  get times(): TimeSpan {
    return this.reader.times;
  }

  /** Everything that has come was read. */
  get idle(): boolean {
    return this.reader.idle;
  }

  /** What is captured: less than was ordered where that was too much. */
  get wanted(): LiveOrder['wanted'] {
    return this.narrowing.isOn ? 'control' : this.order.wanted;
  }

  /** Packets a second that were too many to follow all of TCP; null: there never were. */
  get tooMany(): number | null {
    return this.narrowing.isOn ? (this.rate?.exceeded ?? null) : null;
  }

  /** How many streams of all TCP have come to their end and are streams of control segments now. */
  get narrowed(): number {
    return this.narrowing.done;
  }

  /** The expression that libpcap was given. */
  get filter(): string {
    return captureFilter(this.wanted, this.order.filter);
  }

  private get mostRing(): number {
    const most = MOST_RING[this.backend];
    return this.wanted === 'full' ? Math.max(MOST_FULL_RING, most) : most;
  }

  /** Interfaces that see foreign frames because of us. */
  get promiscuous(): string[] {
    const { backend, order } = this;
    if (backend === 'tcpdump' && !order.promiscuous) return [];
    return [...new Set(this.posts.map(({ device }) => device))].filter((device) => device !== ANY && device !== 'lo');
  }

  /** Link types of the streams, as their programs told at the start. */
  get linkTypes(): ReadonlySet<number> {
    const streams = [...this.channels.values()].filter((stream) => stream !== null);
    return new Set(streams.flatMap(({ reader }) => reader.interfaces.map(({ linkType }) => linkType)));
  }

  /** Packets lost; null where nobody can say. */
  get dropped(): number | null {
    const lost = this.known;
    const silent = this.backend === 'cap' || this.past.silent || [...this.channels.keys()].some(isSilent);
    return lost === 0 && silent ? null : lost;
  }

  /** What is known to be lost. */
  private get known(): number {
    return [...this.channels].reduce((sum, [channel, stream]) => sum + lossOf(channel, stream), this.past.lost);
  }

  /** All that was captured there has been read, or there never was anything: its figures are kept, and nothing else. */
  private forget(channel: Channel): void {
    const stream = this.channels.get(channel) ?? null;
    if (!this.channels.delete(channel)) return;
    const { past } = this;
    past.lost += lossOf(channel, stream);
    past.silent ||= stream !== null && isSilent(channel);
    past.flooded ||= channel.flooded;
    if (channel.forced && stream !== null) past.forced++;
  }

  /** What the user should know of the counts, and no number can say. */
  get notes(): string[] {
    if (!this.past.flooded && ![...this.channels.keys()].some(({ flooded }) => flooded)) return [];
    return [
      `packets came faster than ${grouped(FLOOD_PACKETS_A_MS * 1000)} a second for a while: cap cannot tell how many it missed, --backend tcpdump can`,
    ];
  }

  /** Packets that are known to be lost; there may have been more. */
  get knownLost(): number {
    return this.known;
  }

  get losses(): Loss[] {
    const lost = this.known;
    const dropped: Loss = {
      reason: 'packets-dropped',
      interface: null,
      gapSeconds: null,
      message: `${this.backend === 'cap' ? 'at least ' : ''}${plural(lost, 'packet')} dropped while capturing: counts are too low`,
    };
    const outages = this.posts.flatMap(({ outages, device }) =>
      outages.all.map(({ gapSeconds, message }): Loss => ({
        reason: 'interface-lost',
        interface: device,
        gapSeconds,
        message,
      })),
    );
    const forced: Loss = {
      reason: 'packets-dropped',
      interface: null,
      gapSeconds: null,
      message: `${plural(this.past.forced, 'capturing program')} had to be ended by force: the last packets may be missing`,
    };
    return [...this.refused, ...outages, ...(lost > 0 ? [dropped] : []), ...(this.past.forced > 0 ? [forced] : [])];
  }

  /** Ends the capturing; what has come until now can still be read, and then the capture is at its end. */
  finish(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  /** Lets go of everything; what was not read by now is lost. */
  async close(): Promise<void> {
    await this.finish();
    await this.pump.stop();
  }

  private async end(): Promise<void> {
    this.addresses.stop();
    await sleep(LAST_MS);
    await Promise.all([
      ...[...this.channels.keys()].map((channel) => channel.stop()),
      ...[...this.watches.values()].map((watch) => watch.stop()),
    ]);
    this.reader.end();
    await this.watchdog.stop();
  }

  /** Opens every post for the first time. Throws the first refusal. */
  async open(): Promise<void> {
    // While they are opened for the first time, a change of their links opens none a second time.
    for (const post of this.posts) post.opening = true;
    const answers = await Promise.allSettled(this.posts.map((post) => this.listen(post)));
    for (const post of this.posts) post.opening = false;
    const failures = answers.flatMap((answer, i) =>
      answer.status === 'rejected' ? [{ answer, post: this.posts[i] }] : [],
    );
    const [first] = failures;
    if (first === undefined) return;
    const some = failures.length < answers.length;
    const own = failures.some(({ post }) => post?.namespace.path === null);
    if (!some || own || !this.order.lenient) {
      await Promise.all([...this.channels.keys()].map((channel) => channel.stop()));
      throw first.answer.reason;
    }
    for (const { answer, post } of failures) {
      if (post === undefined) continue;
      const reason: unknown = answer.reason;
      const why = reason instanceof Error ? reason.message : String(reason);
      this.refused.push({
        reason: 'interface-lost',
        interface: post.device,
        gapSeconds: null,
        message: `${labelOf(post.device, post.namespace, true)} can't be captured: ${printable(why)}`,
      });
      this.posts.splice(this.posts.indexOf(post), 1);
    }
  }

  /** From now on control segments alone, on every post: what listens is replaced, and nothing is missed meanwhile. */
  private narrow(): void {
    if (this.narrowing.isOn || this.ending !== null) return;
    this.narrowing.isOn = true;
    for (const post of this.posts) {
      const { channel } = post;
      const stream = channel === null ? null : (this.channels.get(channel) ?? null);
      if (channel === null || stream === null) continue;
      this.replace(post, channel, stream).catch(() => {
        // The old one listens on: it is more than can be followed, and better than nothing.
        this.narrowing.forget(stream);
      });
    }
  }

  private async replace(post: Post, old: Channel, stream: OpenCapture): Promise<void> {
    const { narrowing, reader } = this;
    const gone = old.ended;
    const handover = new Handover(Date.now() / 1000, this.backend === 'cap' ? ARRIVALS_APART : STAMPS_APART);
    narrowing.begin(stream, handover);
    await this.listen(post, { stream, handover });
    const end = this.now() + MOST_OVERLAP_MS;
    // Until the old one has handed over what came before the new one listened.
    while (!narrowing.hasReached(stream) && !reader.idle && this.now() < end && this.ending === null) {
      await sleep(OVERLAP_LOOK_MS);
    }
    void old.stop();
    await gone;
  }

  /** Starts to listen; where that `replaces` a stream, its own comes behind it. */
  private async listen(
    post: Post,
    replaces: { readonly stream: OpenCapture; readonly handover: Handover } | null = null,
  ): Promise<void> {
    const { namespace, device, watch } = post;
    const { order, backend } = this;
    if (isGone(namespace)) throw new Refused('no-device', `${namespaceLabel(namespace)} is gone`);
    const share = Math.floor(Math.min(RING_BYTES, totalmem() / MEMORY_SHARE) / this.posts.length);
    const index = device === ANY ? null : (linkOf(post)?.index ?? null);
    const channel = new Channel(
      {
        backend,
        namespace,
        device,
        filter: this.filter,
        snaplen: order.snaplen,
        bufferBytes: Math.min(this.mostRing, Math.max(LEAST_RING, share)),
        promiscuous: order.promiscuous,
      },
      this.pump,
      this.watchdog.tell,
    );
    this.channels.set(channel, null);
    let capture: OpenCapture;
    try {
      capture = await channel.opened;
    } catch (error) {
      this.forget(channel);
      throw error;
    }
    this.channels.set(channel, capture);
    post.channel = channel;
    post.index = index;
    const join = (): void => {
      this.reader.join(
        capture,
        device === ANY ? null : device,
        () => this.around(namespace, watch),
        () => {
          this.narrowing.left(capture);
          void channel.ended.then(() => {
            this.forget(channel);
          });
        },
        replaces === null
          ? null
          : (batch) => {
              replaces.handover.sift(batch);
            },
      );
    };
    if (replaces === null) join();
    else this.narrowing.opened(replaces.stream, Date.now() / 1000, join);
    void channel.ended.then(() => {
      if (post.channel === channel) this.lose(post, channel);
    });
  }

  private around(namespace: Namespace, watch: LinkWatch): Surroundings {
    const local = this.addresses.list;
    const stacked = watch.links.some(({ master, stacked: lies }) => lies || master !== null);
    let host = this.hosts.get(namespace);
    if (host?.local !== local || host.stacked !== stacked) {
      host = { netns: namespace.inode, local, timestamps: this.timestamps, stacked };
      this.hosts.set(namespace, host);
    }
    const nameOf = (index: number): string | null => {
      const name = watch.nameOf(index);
      if (name === null) watch.refresh();
      return name;
    };
    return { host, links: watch.links, nameOf };
  }

  /** The program that listened has ended, and nobody told it to. */
  private lose(post: Post, channel: Channel): void {
    post.channel = null;
    if (this.ending !== null || channel.isStopping) return;
    const link = linkOf(post);
    post.outages.begin(
      this.now(),
      post.device === ANY || link?.up === true ? 'could not be listened to for a while' : 'went away',
    );
    post.watch.refresh();
    this.reopen(post);
  }

  /** The links of the namespace have changed. */
  private check(post: Post): void {
    if (this.ending !== null || post.device === ANY) return;
    const link = linkOf(post);
    if (link?.up !== true) {
      post.outages.begin(this.now(), link === null ? 'went away' : 'went down');
    } else if (post.channel !== null && post.index === link.index) {
      // The same interface is up again, and tcpdump listens on.
      post.outages.end(this.now());
      return;
    }
    if (post.channel !== null && link !== null && post.index !== link.index) {
      // Another interface of the same name.
      post.outages.begin(this.now(), 'went away');
      const { channel } = post;
      post.channel = null;
      void channel.stop();
    }
    if (link?.up === true) this.reopen(post);
  }

  private reopen(post: Post): void {
    if (post.opening || post.channel !== null || this.ending !== null || isGone(post.namespace)) return;
    if (post.device !== ANY && linkOf(post)?.up !== true) return;
    post.opening = true;
    setTimeout(() => {
      void this.tryAgain(post);
    }, post.wait).unref();
  }

  private async tryAgain(post: Post): Promise<void> {
    post.wait = Math.min(Math.max(2 * post.wait, REOPEN_FIRST_MS), REOPEN_MOST_MS);
    try {
      if (this.ending === null) await this.listen(post);
      if (post.channel !== null) {
        post.outages.end(this.now());
        post.wait = 0;
      }
    } catch {
      // It went away again, or is not ready yet: the next change, or the next attempt, tells.
    }
    post.opening = false;
    if (this.isEnding()) {
      void post.channel?.stop();
    } else if (post.channel === null) {
      this.reopen(post);
    }
  }

  private isEnding(): boolean {
    return this.ending !== null;
  }
}

interface Parts {
  readonly watchdog: Watchdog;
  readonly pump: Pump;
  readonly watches: ReadonlyMap<Namespace, LinkWatch>;
  readonly addresses: HostAddresses;
  /** Hears of namespaces whose links have changed. */
  readonly changed: { listener: (namespace: Namespace) => void };
}

/** Tries the backends in their order. Throws the UserError of the last one. */
async function firstThatWorks(order: LiveOrder, parts: Parts, now: () => number): Promise<LiveCapture> {
  const backends = backendsFor(order, parts.watches);
  const failures: Refused[] = [];
  for (const backend of backends) {
    if (!isThere(backend)) {
      failures.push(
        new Refused('unavailable', backend === 'cap' ? 'the program was not built' : 'it is not installed'),
      );
      continue;
    }
    const capture = new LiveCapture(order, backend, parts, now);
    try {
      await capture.open();
      return capture;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      failures.push(error);
      // Another program would hear the same of the filter and of the interface.
      if (error.why !== 'unavailable' && error.why !== 'permission') break;
    }
  }
  throw sentenceFor(order, backends, failures);
}

function linkOf({ watch, device }: Post): Link | null {
  return watch.links.find(({ name }) => name === device) ?? null;
}

/** Packets that are known to be lost between the interface and us. */
function lossOf(channel: Channel, stream: OpenCapture | null): number {
  return (channel.lost ?? 0) + channel.dropped + (stream?.reader.dropped ?? 0);
}

function isSilent({ lost }: Channel): boolean {
  return lost === null;
}

/** The path leads to another namespace now, or nowhere: its process has ended, perhaps its PID was given away. */
function isGone({ path, inode }: Namespace): boolean {
  return path !== null && inode !== null && inodeAt(path) !== inode;
}

function labelOf(device: string, namespace: Namespace, several: boolean): string {
  return several ? `${device} in ${namespaceLabel(namespace)}` : device;
}
