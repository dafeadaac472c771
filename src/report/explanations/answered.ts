/** Causes of resets that answer a segment which fits no connection any more. */

import type { CounterNote, Explanation } from './explanation.js';

const SENT: CounterNote = { name: 'OutRsts', says: 'one more on the host that answered' };

export const ANSWERED: readonly Explanation[] = [
  {
    cause: 'late-data',
    title: 'data came after the program had closed',
    meaning:
      'One end closed in peace, with a FIN, and the other sent more data. Nobody is left to read it, so the kernel of ' +
      "the closer answers with a reset. Typical: a request on a kept-alive HTTP connection meets the server's idle " +
      'close (the keep-alive race behind many 502s), a client that goes away during a long answer, a killed process ' +
      'whose peer goes on sending. The writer gets ECONNRESET or, since the FIN was there before, EPIPE.',
    recognised_by: [
      "a bare R at the closer's FIN + 1, in answer to data",
      'a FIN of the sender before it, none of the other end',
      'the kernel traced as it happens: TCP_TIMEWAIT_SOCKET or TCP_ABORT_ON_DATA',
    ],
    certainty:
      "Certain with the kernel's word, likely from a capture with the FIN and the data. With resets alone unknown.",
    next_steps: [
      {
        say:
          "Look at the idle time before the request: if it gathers at a round number, that is the server's keep-alive " +
          'timeout (Node 5 s, Apache 5 s, gunicorn 2 s, nginx to its upstream 60 s).',
        type: "rstscope read --json --events FILE | jq '.events[].idle_seconds'",
      },
      { say: "Let the client's or balancer's idle timeout be shorter than the server's, and let it retry." },
      { say: 'See whether the closer was killed.', type: 'journalctl -k --since -1h' },
    ],
    counters: [
      SENT,
      {
        name: 'TCPAbortOnData',
        says: "one more when the closer's FIN was not yet acknowledged, or TCP_LINGER2 is below 0",
      },
      { name: 'EstabResets', says: 'one more on the end that wrote' },
    ],
    sysctls: [
      {
        name: 'net.ipv4.tcp_fin_timeout',
        says: "seconds a closed connection waits for the other end's FIN (60); after that half-open",
      },
    ],
    aliases: [
      'late data',
      'data after close',
      'data after FIN',
      'broken pipe',
      'EPIPE',
      'SIGPIPE',
      'write after close',
      'TCP_TIMEWAIT_SOCKET',
      'TCP_LINGER2',
    ],
  },
  {
    cause: 'half-open',
    title: 'a segment met a host that forgot the connection',
    meaning:
      "One end believes in a connection that the other end's kernel does not know: the host crashed, was restarted or " +
      'moved (a container, a virtual machine, an address taken over), a NAT or balancer lost its entry and sends the ' +
      'segment elsewhere, or the connection was ended without a word (a retransmission timeout) long before. Behind ' +
      'Kubernetes services a segment that connection tracking takes for invalid reaches a pod without its translation, ' +
      'with the same result.',
    recognised_by: [
      'a bare R whose sequence number is the acknowledgment number of the segment it answers, or R. with sequence ' +
        'number 0 in answer to a segment without ACK',
      'window 0, no options, and no FIN or reset on that connection before',
      'often a long silence before it',
      'the kernel traced as it happens: NO_SOCKET for a segment that is no SYN (TCP_FLAGS, where the port is served again: ' +
        'that is handshake-mismatch)',
    ],
    certainty:
      'Certain live, where the kernel says NO_SOCKET and the conversation was seen. Likely from a capture with the ' +
      'segment that was answered. With resets alone the shape is all there is: possible.',
    next_steps: [
      { say: 'See whether the host or container was restarted.', type: 'uptime -s; journalctl --list-boots | tail -3' },
      {
        say: "Look at the silence before it: if it is always longer than a device's timer, that device forgot it.",
        type: "rstscope read --json --events FILE | jq '.events[].idle_seconds'",
      },
      {
        say: 'Send keepalives more often than that timer (AWS network balancer 350 s, Azure 240 s).',
        type: 'sudo sysctl -w net.ipv4.tcp_keepalive_time=120',
      },
      {
        say: 'On a Linux NAT see the timer, and whether its table is full.',
        type: 'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max',
      },
      {
        say: 'On Kubernetes nodes see what is done with invalid segments.',
        type: 'sysctl net.netfilter.nf_conntrack_tcp_be_liberal',
      },
    ],
    counters: [SENT, { name: 'EstabResets', says: 'one more on the end that still believed in it' }],
    sysctls: [
      {
        name: 'net.ipv4.tcp_keepalive_time',
        says: 'idle seconds before a connection with SO_KEEPALIVE is probed (7200)',
      },
      {
        name: 'net.netfilter.nf_conntrack_tcp_timeout_established',
        says: 'idle seconds that a Linux NAT remembers (432000)',
      },
      { name: 'net.netfilter.nf_conntrack_tcp_be_liberal', says: '1: only resets outside the window are invalid' },
      { name: 'net.netfilter.nf_conntrack_max', says: 'how many connections are remembered' },
    ],
    aliases: [
      'half open',
      'half opened',
      'half-open connection',
      'half opened connections',
      'stale connection',
      'reboot',
      'conntrack',
      'nf_conntrack',
      'dead connection',
    ],
  },
  {
    cause: 'time-wait-assassination',
    title: 'a reset that ends a TIME-WAIT (RFC 1337)',
    meaning:
      'An old segment of a finished connection reached the end that is in TIME-WAIT. That end answers with an ACK, as ' +
      'it must; the other end has forgotten the connection and resets it; and the reset ends TIME-WAIT before its ' +
      'time. Nothing is lost by the reset itself. What TIME-WAIT guards against, old data in a new connection on the ' +
      'same ports, becomes possible.',
    recognised_by: [
      'both FINs seen, then an old segment, then an ACK from the end in TIME-WAIT',
      "then a bare R from the other end at that ACK's acknowledgment number",
      'the kernel traced as it happens, at that other end: NO_SOCKET, or TCP_FLAGS where it listens on that port',
    ],
    certainty: 'Certain or likely only where the whole exchange was captured. With resets alone it reads as half-open.',
    next_steps: [
      { say: 'Let TIME-WAIT ignore resets, if it matters.', type: 'sudo sysctl -w net.ipv4.tcp_rfc1337=1' },
      { say: 'Look for what repeats old segments: a loop, a lossy or reordering path, two copies of one packet.' },
    ],
    counters: [
      { name: 'OutRsts', says: 'one more at the end that had forgotten; nothing moves at the end in TIME-WAIT' },
    ],
    sysctls: [{ name: 'net.ipv4.tcp_rfc1337', says: '1: resets in TIME-WAIT are ignored; 0 (default): they end it' }],
    aliases: ['time wait assassination', 'TIME-WAIT assassination', 'RFC 1337', 'tcp_rfc1337', 'TWA'],
  },
  {
    cause: 'port-reuse',
    title: 'a new SYN met the remains of an older connection',
    meaning:
      'A client opens a connection from a port that it used before, to the same server, and the server still has the ' +
      "old connection. It answers the SYN with an ACK of the old numbers (a challenge ACK, RFC 5961); the client's " +
      'kernel resets what it does not know; the old connection is gone, and the SYN, repeated after a second, ' +
      'connects. Seen as connections that take one second longer. Clients behind a NAT share its ports and do this ' +
      'to each other.',
    recognised_by: [
      'a SYN answered by a bare ACK instead of a SYN-ACK',
      "then a bare R from the client at that ACK's acknowledgment number, then the SYN once more",
      'the kernel traced as it happens, at the client: TCP_INVALID_ACK_SEQUENCE of a socket in SYN_SENT, NO_SOCKET, TCP_OLD_ACK',
    ],
    certainty: 'Certain or likely only where SYN and ACK were captured. With resets alone it reads as half-open.',
    next_steps: [
      { say: 'See on the server whether old connections of that client stay.', type: "ss -tno 'sport = :PORT'" },
      {
        say: 'See how many ports the client, or the NAT before it, can use.',
        type: 'sysctl net.ipv4.ip_local_port_range',
      },
      { say: 'Keep connections instead of opening many; let the server end dead ones (SO_KEEPALIVE).' },
    ],
    counters: [
      { name: 'OutRsts', says: 'one more on the client' },
      { name: 'TCPSYNChallenge', says: 'one more on the server, which had the connection still running' },
      { name: 'TCPChallengeACK', says: 'one more on the server with it' },
      { name: 'EstabResets', says: 'one more on the server: the old connection' },
    ],
    sysctls: [
      { name: 'net.ipv4.ip_local_port_range', says: 'ports for outgoing connections' },
      { name: 'net.ipv4.tcp_tw_reuse', says: 'whether the client may take a port in TIME-WAIT again' },
    ],
    aliases: [
      'port reuse',
      'tuple reuse',
      'reused port',
      'TCP port numbers reused',
      'ephemeral ports',
      'port exhaustion',
      'TCP_OLD_ACK',
      'TCP_TOO_OLD_ACK',
      'TCP_ACK_UNSENT_DATA',
      'TCPSYNChallenge',
    ],
  },
  {
    cause: 'close-reset',
    title: 'a reset after both sides had finished: harmless',
    meaning:
      'Both ends had sent their FIN, so all data was delivered before the reset. It only shortens the end: a program ' +
      'that closes with SO_LINGER 0 after all is said, a last ACK that came after its socket was gone, a balancer that ' +
      'tidies up.',
    recognised_by: ['a FIN of each side before the reset', 'no data after them'],
    certainty:
      'Certain or likely from any capture with both FINs (control context is enough). With resets alone unknown.',
    next_steps: [
      {
        say: 'Nothing to mend. To see others without it, name their causes.',
        type: 'rstscope read --cause late-data,half-open,abort FILE',
      },
    ],
    counters: [SENT],
    sysctls: [],
    aliases: ['reset after FIN', 'reset after close', 'harmless', 'normal close', 'FIN then RST'],
  },
];
