/**
 * Where other threads are started: the one place that knows how their code is found, in the package and in a bundle.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker, workerData } from 'node:worker_threads';

export type Thread = Worker;

/** The threads there are; each is a file beside the program's own. */
export type ThreadName = 'scan-worker';

/** A thread that is given `order`, or null where its code is not there to be started (a program that was not built). */
export function startThread(name: ThreadName, order: unknown): Thread | null {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  return existsSync(file) ? new Worker(file, { workerData: order }) : null;
}

/** In a thread: what it was given, and the way to its starter; null in the main thread. */
export function thread(): { order: unknown; send: (message: unknown) => void } | null {
  const port = parentPort;
  if (port === null) return null;
  return {
    order: workerData,
    send: (message) => {
      port.postMessage(message);
    },
  };
}
