/**
 * The thread that looks at the sockets of this machine, now and then by itself and sooner when it is asked about what
 * has happened since: reading /proc takes long on a machine with many sockets, and whoever takes packets can't wait.
 */

import { readFileSync } from 'node:fs';
import { thread } from '../../base/spawn.js';
import { ProcessReader } from '../proc/reader.js';
import { answer } from './answer.js';
import { makesOthers } from './children.js';
import { Looker } from './looker.js';
import type { AskOrder, Listener, WatchOrder, WatchWord } from './watch-protocol.js';

/** Looks for the sake of questions are at least so far apart: many resets come at once. */
const AGAIN_MS = 200;
/** Questions that wait for a look; more are answered as far as is known. */
const MAX_WAITING = 20_000;

/**
 * Seconds that this thread has had a processor (to some milliseconds). Where the kernel does not say, the time that has
 * gone by, which is more.
 */
function worked(): number {
  try {
    const nanoseconds = Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]);
    if (nanoseconds > 0) return nanoseconds / 1e9;
  } catch {
    // A kernel without it.
  }
  return performance.now() / 1000;
}

const own = thread();
if (own !== null) {
  const { proc, ahead } = own.order as WatchOrder;
  const reader = new ProcessReader();
  const looker = new Looker({
    proc,
    read: (pid) => reader.read(pid),
    now: () => Date.now() / 1000 + ahead,
    stopwatch: () => performance.now() / 1000,
    worked,
  });
  const tell = (word: WatchWord): void => own.send(word);

  const look = (): void => {
    const pause = looker.look();
    tell({ kind: 'looked', effort: looker.effort });
    setTimeout(look, pause * 1000);
  };

  let waiting: AskOrder[] = [];
  let waitingQueries = 0;
  let timer: NodeJS.Timeout | null = null;
  let lastAgain = -Infinity;

  const reply = ({ id, queries }: AskOrder): void => {
    const parents = new Map<number, boolean>();
    const isParent = (pid: number): boolean => {
      const known = parents.get(pid) ?? makesOthers(proc, pid);
      parents.set(pid, known);
      return known;
    };
    // As it is now: children that were made since the last look may have the connection.
    const withChildren = (listener: Listener): Listener =>
      listener.single && listener.group !== null && isParent(listener.group.pid)
        ? { ...listener, single: false }
        : listener;
    const answers = queries.map((query) => {
      const found = answer(looker.history, query);
      return { ...found, listeners: found.listeners.map(withChildren) };
    });
    tell({ kind: 'answer', id, answers });
  };
  const lookAgain = (): void => {
    timer = null;
    // Another look may have been made meanwhile.
    const behind = waiting.flatMap(({ queries }) => queries.filter((query) => looker.isBehind(query)));
    if (behind.length > 0 && looker.hasTime(behind)) {
      looker.lookAgain(behind);
      tell({ kind: 'looked', effort: looker.effort });
      lastAgain = performance.now();
    }
    const orders = waiting;
    waiting = [];
    waitingQueries = 0;
    orders.forEach(reply);
  };

  look();
  own.listen((message) => {
    const order = message as AskOrder;
    const behind = order.queries.filter((query) => looker.isBehind(query));
    if (behind.length === 0 || !looker.hasTime(behind) || waitingQueries + order.queries.length > MAX_WAITING) {
      reply(order);
      return;
    }
    waiting.push(order);
    waitingQueries += order.queries.length;
    timer ??= setTimeout(lookAgain, Math.max(0, lastAgain + AGAIN_MS - performance.now()));
  });
}
