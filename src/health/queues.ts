/** The queues of listeners, and the settings of the kernel, of a network namespace as they are now. Asks the system. */

import { catInside } from '../attribute/inside.js';
import { askListeners } from '../attribute/sockets/ss.js';
import type { Namespace } from '../capture/live/namespaces.js';
import type { ListenQueueRow } from '../report/types.js';
import { SETTINGS } from './settings.js';

const MAX_QUEUES = 256;

/** Of the listeners that `wanted` picks; none where nobody can say. */
export async function listenQueues(
  namespace: Namespace,
  wanted: (queue: ListenQueueRow) => boolean,
): Promise<ListenQueueRow[]> {
  const sockets = (await askListeners(namespace)) ?? [];
  return sockets
    .map(({ row, backlogMax }): ListenQueueRow => ({
      ip: row.localIp,
      port: row.localPort,
      netns: namespace.inode,
      backlog: row.recvQueue,
      backlog_max: backlogMax,
    }))
    .filter(wanted)
    .slice(0, MAX_QUEUES);
}

/** In the order of `SETTINGS`; empty where they cannot be read. */
export async function settingsOf(namespace: Namespace): Promise<readonly string[]> {
  const text = await catInside(
    namespace,
    SETTINGS.map((name) => `/proc/sys/${name.replaceAll('.', '/')}`),
  );
  const lines = text?.trimEnd().split('\n') ?? [];
  return lines.length === SETTINGS.length ? lines : [];
}
