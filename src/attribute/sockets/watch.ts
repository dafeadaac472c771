/**
 * Watches the sockets of this machine while a capture runs: who held the two ends of a connection, who listens and who
 * listened. The looking is done in another thread (socket-thread.ts).
 */

import { startThread, type Thread } from '../../base/spawn.js';
import {
  NOT_LOOKED,
  type AskOrder,
  type Effort,
  type Query,
  type SocketAnswer,
  type WatchOrder,
  type WatchWord,
} from './watch-protocol.js';

export type { Effort, Listener, Query, SocketAnswer } from './watch-protocol.js';

/** Of two hundred thousand sockets, a hundred megabytes are kept. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 };
/** Questions that are sent at once; more would keep the thread from looking. */
const MAX_QUERIES = 1000;

/** Two readings of one clock lie a little apart. */
const SAME_CLOCK_MS = 20;

type Answers = readonly SocketAnswer[];

export class SocketWatch {
  private readonly thread: Thread;
  private readonly asked = new Map<number, (answers: Answers | null) => void>();
  private next = 0;
  private over = false;
  private told: Effort = { looks: 0, scans: 0, namespaces: 0, sockets: 0, seconds: 0 };
  private looked: (isDone: boolean) => void = () => undefined;

  private constructor(thread: Thread) {
    this.thread = thread;
    thread.on('message', (word: WatchWord) => {
      if (word.kind === 'looked') {
        this.told = word.effort;
        this.looked(true);
        return;
      }
      const tell = this.asked.get(word.id);
      this.asked.delete(word.id);
      tell?.(word.answers);
    });
    // Who captures goes on without knowing whose sockets they are.
    thread.on('error', () => this.end());
    thread.on('exit', () => this.end());
  }

  /**
   * Resolved when the first look is done; null where none can be made. `now`: the clock that moments are told by, in
   * milliseconds since 1970; `proc`: where /proc is mounted.
   */
  static async start(now: () => number = Date.now, proc = '/proc'): Promise<SocketWatch | null> {
    const ahead = now() - Date.now();
    const order: WatchOrder = { proc, ahead: Math.abs(ahead) < SAME_CLOCK_MS ? 0 : ahead / 1000 };
    const thread = startThread('socket-thread', order, LIMITS);
    if (thread === null) return null;
    const watch = new SocketWatch(thread);
    const isDone = await new Promise<boolean>((resolve) => {
      watch.looked = resolve;
    });
    if (isDone && watch.told.namespaces > 0) return watch;
    await watch.close();
    return null;
  }

  /**
   * One answer for each question. They are given from what has been seen; where nobody has looked since, a look is
   * made first if that costs little, so an answer may take some tenths of a second. Never throws.
   */
  async ask(queries: readonly Query[]): Promise<Answers> {
    const pieces: Promise<Answers>[] = [];
    for (let i = 0; i < queries.length; i += MAX_QUERIES) pieces.push(this.askPiece(queries.slice(i, i + MAX_QUERIES)));
    return (await Promise.all(pieces)).flat();
  }

  private async askPiece(queries: readonly Query[]): Promise<Answers> {
    const answers = await new Promise<Answers | null>((resolve) => {
      if (this.over) {
        resolve(null);
        return;
      }
      const order: AskOrder = { id: this.next++, queries };
      this.asked.set(order.id, resolve);
      this.thread.postMessage(order);
    });
    return answers ?? queries.map(() => NOT_LOOKED);
  }

  /** What all looks have taken until now. */
  get effort(): Effort {
    return this.told;
  }

  async close(): Promise<void> {
    this.end();
    await this.thread.terminate();
  }

  private end(): void {
    this.over = true;
    this.looked(false);
    for (const tell of this.asked.values()) tell(null);
    this.asked.clear();
  }
}
