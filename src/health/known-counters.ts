/**
 * The kernel's counters that speak of resets and of failed connects: what each counts, in plain words, and the cause of
 * resets that it points to.
 *
 * Sources: Linux Documentation/networking/snmp_counter.rst, include/uapi/linux/snmp.h and the places where each is
 * raised; see also the explanations of the causes. A counter that only the RFC defines has its words (RFC 4022).
 */

import type { Cause } from '../report/types.js';

export interface KnownCounter {
  /** As /proc/net/snmp or /proc/net/netstat has it. */
  readonly name: string;
  readonly meaning: string;
  /** The one cause that it speaks of; null: none, or several. */
  readonly cause: Cause | null;
}

/** In the order in which they are shown. */
export const KNOWN_COUNTERS: readonly KnownCounter[] = [
  { name: 'OutRsts', meaning: 'resets sent by TCP, IPv4 and IPv6', cause: null },
  {
    name: 'AttemptFails',
    meaning: 'connections that ended in their handshake: refused, or given up by the other end',
    cause: 'closed-port',
  },
  { name: 'EstabResets', meaning: 'running connections that ended at once, by a reset sent or taken', cause: null },
  {
    name: 'TCPAbortOnData',
    meaning: 'aborts by SO_LINGER 0, or by data that came after the program had closed',
    cause: 'abort-linger',
  },
  { name: 'TCPAbortOnClose', meaning: 'programs that closed with received data unread', cause: 'abort-unread-data' },
  {
    name: 'TCPAbortOnMemory',
    meaning: 'connections dropped for lack of TCP memory, or too many orphans',
    cause: 'abort-memory',
  },
  {
    name: 'TCPAbortOnTimeout',
    meaning: 'connections given up by a timer; only the keepalive timer sends a reset',
    cause: 'abort-timeout',
  },
  { name: 'TCPAbortOnLinger', meaning: 'sockets with TCP_LINGER2 below 0 that were closed', cause: 'abort-linger' },
  { name: 'TCPAbortFailed', meaning: 'resets that TCP could not hand to the network', cause: null },
  {
    name: 'ListenOverflows',
    meaning: 'handshakes that found an accept queue full',
    cause: 'listen-queue-full',
  },
  {
    name: 'ListenDrops',
    meaning: 'SYNs and handshakes that a listener dropped, full queues among them',
    cause: 'listen-queue-full',
  },
  { name: 'TCPReqQFullDrop', meaning: 'SYNs dropped because the SYN queue was full: no reset', cause: null },
  {
    name: 'TCPReqQFullDoCookies',
    meaning: 'SYNs answered by a cookie: the SYN queue was full, or tcp_syncookies is 2',
    cause: null,
  },
  { name: 'SyncookiesSent', meaning: 'SYN cookies sent', cause: null },
  { name: 'SyncookiesRecv', meaning: 'SYN cookies that came back', cause: null },
  {
    name: 'SyncookiesFailed',
    meaning: 'ACKs to a listener that were no valid SYN cookie: answered by a reset',
    cause: 'handshake-mismatch',
  },
  {
    name: 'EmbryonicRsts',
    meaning: 'resets that came in answer to a SYN-ACK, as of a client that gave up or scans',
    cause: 'client-gave-up',
  },
  {
    name: 'TCPChallengeACK',
    meaning: 'challenge ACKs sent: a reset or SYN that was not exactly in sequence (RFC 5961)',
    cause: 'out-of-window',
  },
  {
    name: 'TCPSYNChallenge',
    meaning: 'challenge ACKs sent in answer to a SYN on a running connection',
    cause: 'port-reuse',
  },
  { name: 'TCPACKSkippedChallenge', meaning: 'challenge ACKs withheld by the rate limit', cause: null },
  { name: 'OutOfWindowIcmps', meaning: 'ICMP errors that did not fit the connection they named', cause: null },
  { name: 'TW', meaning: 'connections that went into TIME-WAIT', cause: null },
  { name: 'TWRecycled', meaning: 'TIME-WAIT sockets that a new connection took over', cause: null },
  { name: 'TWKilled', meaning: 'TIME-WAIT sockets that were kept for four seconds or less', cause: null },
  { name: 'TCPTimeWaitOverflow', meaning: 'connections closed without TIME-WAIT: there were too many', cause: null },
  { name: 'PAWSActive', meaning: 'answers to a SYN refused because of their timestamp', cause: null },
  { name: 'PAWSEstab', meaning: 'segments refused because of an old timestamp', cause: null },
  { name: 'PAWSOldAck', meaning: 'bare ACKs with an old timestamp that were passed over', cause: null },
  { name: 'PAWSTimewait', meaning: 'segments in TIME-WAIT refused because of an old timestamp', cause: null },
  { name: 'TSEcrRejected', meaning: 'segments refused because they echo a timestamp never sent', cause: null },
  { name: 'BeyondWindow', meaning: 'data beyond the window that was offered', cause: null },
  { name: 'TCPBacklogDrop', meaning: 'segments dropped because a busy socket had no room for them', cause: null },
  { name: 'TCPDeferAcceptDrop', meaning: 'handshakes held back by TCP_DEFER_ACCEPT', cause: null },
  {
    name: 'TCPMigrateReqSuccess',
    meaning: 'connections not yet accepted that another listener took over',
    cause: null,
  },
  {
    name: 'TCPMigrateReqFailure',
    meaning: 'connections not yet accepted that no other listener could take over',
    cause: 'listener-closed',
  },
  { name: 'TCPMemoryPressures', meaning: 'times that TCP came short of memory', cause: null },
  { name: 'TCPTimeouts', meaning: 'retransmission timers that went off', cause: null },
  { name: 'TCPSynRetrans', meaning: 'SYNs and SYN-ACKs sent again', cause: null },
  { name: 'TCPKeepAlive', meaning: 'keepalive probes sent', cause: null },
  { name: 'ActiveOpens', meaning: 'connects begun', cause: null },
  { name: 'PassiveOpens', meaning: 'connections accepted', cause: null },
];

export const KNOWN_NAMES: ReadonlySet<string> = new Set(KNOWN_COUNTERS.map(({ name }) => name));
