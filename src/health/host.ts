/** What this host is, as far as the alerts ask: since when it is up, and whether this is its own network namespace. */

import { readFileSync } from 'node:fs';
import { INITIAL_PID_NAMESPACE, pidNamespace } from '../base/spawn.js';
import { netNamespaceOf } from '../attribute/sockets/descriptors.js';

const PROC = '/proc';
/** The host's own since Linux 6.17 (include/uapi/linux/nsfs.h); before, no namespace has the number. */
export const NET_NS_INIT_INO = 0xeffffff9;
const HOSTS = "the host's network namespace";

/** Seconds; null: nobody says. */
export function hostUptime(): number | null {
  try {
    const seconds = Number(readFileSync(`${PROC}/uptime`, 'latin1').split(' ')[0]);
    return Number.isFinite(seconds) ? seconds : null;
  } catch {
    return null;
  }
}

/**
 * Whose counters are read here, in words. The host's namespace is that of its first process; in a container, or where it
 * may not be asked, that cannot be told.
 */
export function whichNamespace(): string {
  const own = netNamespaceOf(PROC, 'self');
  if (own === NET_NS_INIT_INO) return HOSTS;
  const first = pidNamespace() === INITIAL_PID_NAMESPACE ? netNamespaceOf(PROC, 1) : null;
  if (first === null) return 'this network namespace';
  return first === own
    ? HOSTS
    : "this network namespace, which is not the host's (an agent on the host counts another one)";
}
