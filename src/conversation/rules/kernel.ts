/**
 * The kernel's own word (tracepoint tcp:tcp_send_reset, include/net/rstreason.h) and what its stack said. A kernel that
 * gives no reason (before 6.10) still says by its stack how a program sent one.
 */

import type { Facts } from '../facts.js';
import type { KernelPath, KernelSent } from '../kernel-facts.js';
import type { Cause } from '../verdict.js';
import { no, yes, type Rule } from './rule.js';
import { PATH_WORDS, words } from './kernel-words.js';
import { isAlone, isRefusal, sentOf } from './shape.js';

export { words } from './kernel-words.js';

const PATHS: Readonly<Record<Exclude<KernelPath, 'killed' | 'close'>, Cause>> = {
  linger: 'abort-linger',
  'listener-closed': 'listener-closed',
  disconnect: 'abort-disconnect',
  'sock-destroy': 'abort-admin',
  keepalive: 'abort-timeout',
};

const REASONS: ReadonlyMap<string, Cause> = new Map([
  ['TCP_ABORT_ON_CLOSE', 'abort-unread-data'],
  ['TCP_ABORT_ON_LINGER', 'abort-linger'],
  ['TCP_ABORT_ON_MEMORY', 'abort-memory'],
  ['TCP_KEEPALIVE_TIMEOUT', 'abort-timeout'],
  ['TCP_ABORT_ON_DATA', 'late-data'],
  ['TCP_TIMEWAIT_SOCKET', 'late-data'],
  ['TCP_OLD_ACK', 'port-reuse'],
  ['TCP_INVALID_ACK_SEQUENCE', 'handshake-mismatch'],
  ['TCP_FLAGS', 'handshake-mismatch'],
]);
const OF_PROGRAMS: ReadonlySet<Cause> = new Set(['abort-unread-data', 'abort-linger']);

export const kernelPath: Rule = {
  name: 'the stack of the reset',
  cause: 'abort',
  source: 'Linux net/ipv4/tcp.c, inet_connection_sock.c, tcp_timer.c',
  test: (facts) => {
    const sent = sentOf(facts);
    if (sent === null) return no(noWord(facts));
    const { path } = sent;
    if (path === null) return no('no stack was told');
    if (path === 'close' || path === 'killed') return no(`the stack says ${PATH_WORDS[path]}, which several things do`);
    return yes(PATHS[path], 'certain', path === 'keepalive' ? 'kernel' : 'application', () => words(sent));
  },
};

export const kernelReason: Rule = {
  name: "the kernel's reason",
  cause: 'abort',
  source: 'Linux include/net/rstreason.h',
  test: (facts) => {
    const sent = sentOf(facts);
    if (sent === null) return no(noWord(facts));
    const { reason } = sent;
    if (reason === null) return no('this kernel gives no reason');
    // Of a listener that its host has set to say so: nobody else answers a handshake's third segment by it.
    if (reason === 'INVALID_SYN') {
      const cause = isRefusal(facts) ? 'handshake-mismatch' : 'listen-queue-full';
      return yes(cause, 'certain', 'kernel', () => words(sent));
    }
    const cause = REASONS.get(reason);
    if (cause === undefined) return no(`${reason} is not the name of one mechanism`);
    // What a listener, or a SYN, could not take: which of several histories led to it, only the connection tells.
    const isOpen = cause === 'handshake-mismatch' && isAlone(facts);
    // In answer to its SYN, an acknowledgement of an older connection is the commonest of them.
    const lone = reason === 'TCP_INVALID_ACK_SEQUENCE' ? 'possible' : 'likely';
    return yes(cause, isOpen ? lone : 'certain', OF_PROGRAMS.has(cause) ? 'application' : 'kernel', () => [
      ...words(sent),
      ...restarted(facts, sent),
    ]);
  },
};

/** Before 6.10: close() that resets without SO_LINGER has data unread, or no memory (tcp_close; TCPAbortOnMemory is rare). */
export const kernelClose: Rule = {
  name: 'a close that resets',
  cause: 'abort-unread-data',
  source: 'Linux net/ipv4/tcp.c __tcp_close',
  test: (facts) => {
    const sent = sentOf(facts);
    if (sent === null) return no(noWord(facts));
    const { reason } = sent;
    if (reason !== null) return no(() => `the kernel gives a reason, ${reason}`);
    if (sent.path !== 'close' && sent.path !== 'killed') return no('the stack does not say that a socket was closed');
    return yes('abort-unread-data', 'likely', 'application', () => words(sent));
  },
};

/** What remains of the kernel's words: a reason that no mechanism is known for, once the connection has been asked. */
export const kernelActive: Rule = {
  name: 'a socket sent it by itself',
  cause: 'abort',
  source: 'Linux net/ipv4/tcp_output.c tcp_send_active_reset',
  test: (facts) => {
    const sent = sentOf(facts);
    if (sent === null) return no(noWord(facts));
    if (sent.active !== true)
      return no(() => `the kernel does not say that a socket sent it by itself: ${words(sent).join(', ')}`);
    return yes('abort', 'certain', 'application', () => words(sent));
  },
};

/** The commonest way to a listener that is asked for what it does not know. */
function restarted({ conversation }: Facts, { listening }: KernelSent): string[] {
  const { sender, receiver, established } = conversation;
  const wasKnown = established || sender.dataSegments > 0 || receiver.dataSegments > 0;
  if (!listening || !wasKnown) return [];
  // Reset in between, say by late data: the segments that were on their way find the listener alone.
  if (sender.finEnd !== null)
    return ['its sender had closed the connection, of which the listener there knows nothing'];
  return ['the connection had been established, and the listener there does not know it: the service was started anew'];
}

function noWord({ kernel }: Facts): string {
  return kernel.sent === 'silent' ? "the kernel's TCP did not send it" : 'nothing is known from the kernel';
}
