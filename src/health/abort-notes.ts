/**
 * The kernel's counters of aborts against the causes that were named: one is raised where the other is made, so they
 * should agree; where they don't, that is said, with what else raises the counter. Pure.
 *
 * Sources: Linux net/ipv4/tcp.c __tcp_close, tcp_input.c tcp_rcv_state_process, tcp_timer.c tcp_write_err.
 */

import { plural } from '../base/text.js';
import type { AbortRow, Cause } from '../report/types.js';

/** Resets of one cause and one reason of the kernel. */
export interface CauseCount {
  readonly cause: Cause;
  /** SK_RST_REASON_ without its prefix; null: the kernel did not say. */
  readonly reason: string | null;
  readonly resets: number;
}

interface Counter {
  readonly name: string;
  readonly causes: readonly Cause[];
  readonly raisedBy: (cause: Cause, reason: string | null) => boolean;
  /** What else raises it. */
  readonly also: string;
  /** What of its causes may not raise it. */
  readonly except: string | null;
}

const COUNTERS: readonly Counter[] = [
  {
    name: 'TCPAbortOnClose',
    causes: ['abort-unread-data'],
    raisedBy: (cause) => cause === 'abort-unread-data',
    also: 'it is raised by every close with data unread',
    except: 'a connection of MPTCP ends without raising it',
  },
  {
    name: 'TCPAbortOnData',
    causes: ['abort-linger', 'late-data'],
    raisedBy: (cause, reason) =>
      (cause === 'abort-linger' && reason !== 'TCP_ABORT_ON_LINGER') ||
      (cause === 'late-data' && reason === 'TCP_ABORT_ON_DATA'),
    also: 'closing with SO_LINGER 0 raises it also where the connection is over and no reset is sent',
    except: 'a connection that answers several late segments raises it once',
  },
  {
    name: 'TCPAbortOnMemory',
    causes: ['abort-memory'],
    raisedBy: (cause) => cause === 'abort-memory',
    also: 'connections dropped for lack of memory while they were being made raise it without a reset',
    except: null,
  },
  {
    name: 'TCPAbortOnTimeout',
    causes: ['abort-timeout'],
    raisedBy: (cause) => cause === 'abort-timeout',
    also: 'a retransmission timeout raises it and sends no reset',
    except: null,
  },
  {
    name: 'TCPAbortOnLinger',
    causes: ['abort-linger'],
    raisedBy: (cause, reason) => cause === 'abort-linger' && reason === 'TCP_ABORT_ON_LINGER',
    also: 'it is raised by every close with TCP_LINGER2 below 0 whose FIN was acknowledged',
    except: null,
  },
];

/** Of a program's aborts whose way is not known. */
const VAGUE: readonly Cause[] = ['abort', 'unknown'];

/** `rose`: of the namespaces that were captured in; `causes`: of the resets that these sent. Counters that stood still and were not expected to move are left out. */
export function abortRows(rose: ReadonlyMap<string, number>, causes: readonly CauseCount[]): AbortRow[] {
  const vague = causes.filter(({ cause }) => VAGUE.includes(cause)).reduce((sum, { resets }) => sum + resets, 0);
  return COUNTERS.flatMap(({ name, causes: named, raisedBy, also, except }) => {
    const delta = rose.get(name);
    if (delta === undefined) return [];
    const such = causes.filter(({ cause, reason }) => raisedBy(cause, reason));
    const resets = such.reduce((sum, one) => sum + one.resets, 0);
    if (delta === 0 && resets === 0) return [];
    const which = such.length === 0 ? named : named.filter((cause) => such.some((one) => one.cause === cause));
    const found = `${plural(resets, 'reset')} ${resets === 1 ? 'is' : 'are'} ${which.join(' or ')}`;
    const agrees = delta === resets;
    const head = `${name} rose by ${String(delta)}, and ${found}`;
    const maybe =
      delta > resets && vague > 0 ? `; of ${plural(vague, 'more reset')} the cause is not known as closely` : '';
    const why = delta > resets ? `; ${also}${maybe}` : except === null ? '' : `; ${except}`;
    const message = agrees ? head : `${head}: they differ by ${String(Math.abs(delta - resets))}${why}`;
    return [{ counter: name, delta, causes: which, resets, agrees, message }];
  });
}
