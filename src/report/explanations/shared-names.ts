/** Names of the kernel and of other tools that stand for several causes, and what monitoring guides call them. */

import type { SharedWord } from './explanation.js';

export const SHARED_NAMES: readonly SharedWord[] = [
  {
    words: [
      'buffer overflow',
      'TCP buffer overflow',
      'buffer full',
      'socket buffer',
      'receive buffer full',
      'zero window',
    ],
    says:
      'A full socket buffer sends no reset: the window closes and the sender waits. What guides mean by a buffer ' +
      'overflow is one of these:',
    causes: [
      { cause: 'abort-memory', when: 'TCP as a whole is out of memory, or there are too many orphans' },
      { cause: 'abort-unread-data', when: 'the program closed with data in its receive buffer' },
    ],
  },
  {
    words: ['aborting connection', 'connection aborted', 'aborted', 'active abort'],
    says: 'A socket was ended at once instead of in peace; how tells who decided it.',
    causes: [
      { cause: 'abort-unread-data', when: 'closed or killed with data unread' },
      { cause: 'abort-linger', when: 'closed with SO_LINGER 0' },
      { cause: 'listener-closed', when: 'its listener was closed before it was accepted' },
      { cause: 'abort-disconnect', when: 'connect() with AF_UNSPEC' },
      { cause: 'abort-admin', when: 'destroyed by ss -K' },
      { cause: 'abort-timeout', when: 'keepalive gave up' },
      { cause: 'abort-memory', when: 'the kernel ran into a limit' },
      { cause: 'abort', when: 'it is not known which' },
    ],
  },
  {
    words: ['TIME_WAIT', 'TIME-WAIT', 'time wait'],
    says: 'TIME-WAIT is the peaceful end of a connection at the side that closed first. Resets near it:',
    causes: [
      { cause: 'late-data', when: 'data for a connection whose program has closed' },
      { cause: 'time-wait-assassination', when: 'a reset that ends it early' },
      { cause: 'port-reuse', when: 'a new SYN on the same ports' },
      { cause: 'close-reset', when: 'after both FINs, harmless' },
    ],
  },
  {
    words: ['NO_SOCKET'],
    says: "The kernel's reason: no socket for the segment. The segment that it answers tells which:",
    causes: [
      { cause: 'closed-port', when: 'a SYN' },
      { cause: 'client-gave-up', when: 'a SYN-ACK' },
      { cause: 'half-open', when: 'data or an ACK, with no FIN before' },
      { cause: 'time-wait-assassination', when: 'an ACK sent from TIME-WAIT' },
      { cause: 'port-reuse', when: 'a challenge ACK, after a new SYN' },
    ],
  },
  {
    words: ['TCP_STATE'],
    says: "The kernel's reason: a live socket was ended. Its stack tells by whom:",
    causes: [
      { cause: 'abort-linger', when: "tcp_disconnect under the program's close" },
      { cause: 'listener-closed', when: 'inet_csk_listen_stop' },
      { cause: 'abort-disconnect', when: '__inet_stream_connect' },
      { cause: 'abort-admin', when: 'tcp_abort, from sock_diag' },
      { cause: 'abort', when: 'no stack' },
    ],
  },
  {
    words: ['TCP_FLAGS'],
    says: "The kernel's reason: a listener got a segment that it can't take.",
    causes: [
      { cause: 'handshake-mismatch', when: 'a stray or wrong ACK' },
      { cause: 'half-open', when: 'an ACK or data of an old connection, and the port is served again' },
      { cause: 'time-wait-assassination', when: 'an ACK sent from TIME-WAIT, to an end that listens on that port' },
    ],
  },
  {
    words: ['TCP_INVALID_ACK_SEQUENCE'],
    says: "The kernel's reason: a handshake under way got an ACK with a wrong number.",
    causes: [
      { cause: 'port-reuse', when: 'the socket is in SYN_SENT, and the ACK belongs to an older connection' },
      { cause: 'handshake-mismatch', when: 'else' },
    ],
  },
  {
    words: ['TCP_ABORT_ON_DATA', 'TCPAbortOnData', 'baddata'],
    says: 'As a counter (TCPAbortOnData) it is two things; as a reason (TCP_ABORT_ON_DATA) only the second.',
    causes: [
      { cause: 'abort-linger', when: 'a close with SO_LINGER 0' },
      { cause: 'late-data', when: 'data after the close, before its FIN was acknowledged, or TCP_LINGER2 below 0' },
    ],
  },
  {
    words: ['OutRsts', 'resets sent', '10s_ipv4_tcp_resets_sent', '1m_ipv4_tcp_resets_sent', '10s_ip_tcp_resets_sent'],
    says:
      'The resets that the TCP of one network namespace sent, IPv4 and IPv6. Those of packet filters and forged ones ' +
      'are not in it. Most often it is one of these:',
    causes: [
      { cause: 'closed-port', when: 'connects to a port that nobody serves' },
      { cause: 'abort-unread-data', when: 'TCPAbortOnClose moves with it' },
      { cause: 'abort-linger', when: 'TCPAbortOnData moves with it' },
      { cause: 'late-data', when: 'peers go on sending after the close' },
      { cause: 'half-open', when: 'peers speak on connections of before a restart' },
    ],
  },
  {
    words: [
      'AttemptFails',
      'failed connections',
      'failed TCP connections',
      'resets received',
      '10s_ipv4_tcp_resets_received',
      '10s_ip_tcp_resets_received',
      '1m_ipv4_tcp_resets_received',
    ],
    says:
      'AttemptFails counts connections that ended before they were established, with or without a reset; it is no ' +
      'count of resets received, though an alert bears that name. No kernel counter counts those.',
    causes: [
      { cause: 'closed-port', when: 'connect() from here was refused' },
      { cause: 'firewall-reject', when: 'connect() from here was rejected' },
      { cause: 'client-gave-up', when: 'a client of a service here was gone at the SYN-ACK' },
    ],
  },
  {
    words: ['EstabResets'],
    says: 'Connections that went from ESTABLISHED or CLOSE_WAIT to closed at once: by a reset sent, got, or a timeout.',
    causes: [
      { cause: 'abort', when: 'a program here or there aborted' },
      { cause: 'half-open', when: 'the other end no longer knew it' },
      { cause: 'abort-timeout', when: 'keepalive gave up' },
      { cause: 'middlebox-reset', when: 'both ends count one, and OutRsts moves on neither' },
    ],
  },
  {
    words: ['EmbryonicRsts'],
    says: 'Handshakes of a listener that ended with a reset.',
    causes: [
      { cause: 'client-gave-up', when: 'the client reset' },
      { cause: 'listen-queue-full', when: 'the host reset, by tcp_abort_on_overflow' },
    ],
  },
  {
    words: ['TCPChallengeACK', 'challenge ACK'],
    says: 'An ACK that asks whether a reset or SYN was meant (RFC 5961).',
    causes: [
      { cause: 'out-of-window', when: 'it answers a reset that is in the window, but not exact' },
      { cause: 'port-reuse', when: 'it answers a SYN (TCPSYNChallenge)' },
    ],
  },
  {
    words: ['REJ'],
    says: "Zeek's word: the SYN was answered with a reset.",
    causes: [
      { cause: 'closed-port', when: 'nobody listens' },
      { cause: 'firewall-reject', when: 'a packet filter answered' },
    ],
  },
  {
    words: ['RSTO'],
    says: "Zeek's word: the side that opened the connection reset it. It says who, not why.",
    causes: [
      { cause: 'abort', when: 'its program aborted' },
      { cause: 'abort-unread-data', when: 'its program closed without reading all' },
      { cause: 'late-data', when: 'its program had closed, and the server went on sending' },
    ],
  },
  {
    words: ['RSTR'],
    says: "Zeek's word: the side that was connected to reset it. It says who, not why.",
    causes: [
      { cause: 'abort', when: 'its program aborted' },
      { cause: 'listener-closed', when: 'right after the handshake' },
      { cause: 'late-data', when: 'its program had closed, and the client went on sending' },
      { cause: 'half-open', when: 'it no longer knew the connection' },
    ],
  },
  {
    words: ['RSTRH'],
    says: "Zeek's word: a SYN-ACK and then a reset from the same side; the SYN was not seen.",
    causes: [
      { cause: 'listen-queue-full', when: 'the third segment met a full accept queue' },
      { cause: 'handshake-mismatch', when: 'the third segment had a wrong number' },
      { cause: 'listener-closed', when: 'the listener was closed before it accepted' },
    ],
  },
];
