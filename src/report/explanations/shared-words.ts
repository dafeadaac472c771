/**
 * Words that operators type and that stand for several causes: errors of system calls, what monitoring guides list,
 * reasons and counters of the kernel, words of other tools.
 */

import type { SharedWord } from './explanation.js';

export const SHARED_WORDS: readonly SharedWord[] = [
  {
    words: ['ECONNREFUSED', 'refused', 'connection refused', 'connect refused', '111'],
    says: 'connect() got a reset, or an ICMP "port unreachable", which is no reset and not counted here.',
    causes: [
      { cause: 'closed-port', when: 'nobody listens there' },
      { cause: 'firewall-reject', when: 'somebody listens, and a packet filter answered instead' },
    ],
  },
  {
    words: [
      'ECONNRESET',
      'connection reset',
      'connection reset by peer',
      'reset by peer',
      '104',
      'tcp reset',
      'reset',
      'RST',
      'R',
    ],
    says: 'A running connection got a reset; the error says no more. Which side sent it, and when, narrows it down.',
    causes: [
      { cause: 'abort-unread-data', when: 'the other program closed or was killed without reading all' },
      { cause: 'abort-linger', when: 'the other program closed with SO_LINGER 0' },
      { cause: 'listener-closed', when: 'right after connecting: the server was stopped or restarted' },
      { cause: 'listen-queue-full', when: 'right after connecting: the server is too slow and set to reset' },
      { cause: 'late-data', when: 'on writing: the other end had closed already' },
      { cause: 'half-open', when: 'after a long silence or a restart of the other host' },
      { cause: 'middlebox-reset', when: "after a device's idle time: a balancer, NAT or firewall" },
      { cause: 'firewall-reject', when: 'a rule of a packet filter came into force' },
      { cause: 'abort-admin', when: 'somebody destroyed the socket' },
      { cause: 'injected', when: 'a third party forged it' },
    ],
  },
  {
    words: ['RST ACK', 'RST, ACK', 'R.'],
    says: 'A reset with ACK answers a segment that had none, or was sent by a live socket.',
    causes: [
      { cause: 'closed-port', when: 'sequence number 0, window 0, in answer to a SYN' },
      { cause: 'firewall-reject', when: 'the same, though somebody listens' },
      { cause: 'half-open', when: 'sequence number 0, in answer to a segment that is neither SYN nor has ACK' },
      { cause: 'abort', when: 'live numbers and a window: a program or a timer ended the connection' },
    ],
  },
  {
    words: ['timeout', 'timed out', 'ETIMEDOUT', 'connection timed out', 'time out', '110'],
    says:
      'A timeout as such sends no reset on Linux: neither connect() nor data that is never acknowledged. Only ' +
      'keepalive does; the others below are resets that a timer brings about.',
    causes: [
      { cause: 'abort-timeout', when: 'keepalive probes went unanswered' },
      { cause: 'late-data', when: "the server's keep-alive timeout closed the connection, then a request came" },
      { cause: 'middlebox-reset', when: "a device's idle timer ran out and it said so" },
      { cause: 'half-open', when: 'a NAT or host forgot the connection in silence, then a segment came' },
      { cause: 'client-gave-up', when: "the client's own timeout was over before the SYN-ACK came" },
      { cause: 'listen-queue-full', when: 'connects time out and no reset comes: the default setting' },
    ],
  },
  {
    words: ['idle timeout', 'idle', 'idle connection'],
    says: 'The silence before the reset tells: gaps that gather at one length are a timer.',
    causes: [
      { cause: 'late-data', when: 'the end that closed sent a FIN first: a timer of its program' },
      { cause: 'middlebox-reset', when: 'a device resets when its timer runs out' },
      { cause: 'half-open', when: 'a device forgot it in silence; the next segment is reset, always after its timer' },
      { cause: 'abort-timeout', when: 'keepalive probes before it went unanswered' },
    ],
  },
  {
    words: ['keepalive', 'keep-alive', 'keep alive'],
    says: 'TCP keepalive (probes of the kernel) and HTTP keep-alive (connections that are kept) are two things.',
    causes: [
      { cause: 'abort-timeout', when: 'TCP: the probes went unanswered' },
      { cause: 'late-data', when: 'HTTP: a request met the close of an idle connection' },
    ],
  },
  {
    words: ['keepalive-race', 'keep-alive race', '502', 'bad gateway', 'upstream prematurely closed connection'],
    says: 'A proxy sends a request on a kept connection in the moment in which the server closes it.',
    causes: [
      { cause: 'late-data', when: "the server's FIN was there before the request" },
      { cause: 'abort-unread-data', when: 'the request had arrived and lay unread when the server closed' },
      { cause: 'closed-port', when: 'no race: the server is down' },
    ],
  },
  {
    words: [
      'crash',
      'application crash',
      'crashed',
      'restart',
      'service restart',
      'application restart',
      'killed',
      'segfault',
    ],
    says: 'What a crash or restart looks like depends on what the program had open.',
    causes: [
      { cause: 'abort-unread-data', when: 'connections with data unread: a reset at once' },
      { cause: 'listener-closed', when: 'connections that waited to be accepted: a reset at once' },
      { cause: 'late-data', when: 'the other connections end with a FIN; who goes on sending is reset' },
      { cause: 'closed-port', when: 'new connections, until the service listens again' },
      { cause: 'half-open', when: 'the whole host or container went away' },
    ],
  },
  {
    words: ['firewall', 'packet filter', 'security device'],
    says: 'Most packet filters drop in silence, which makes timeouts and no resets. Those that reset:',
    causes: [
      { cause: 'firewall-reject', when: 'a rule rejects with a reset' },
      { cause: 'middlebox-reset', when: 'it knows the connection and ends it: idle, policy, clean-up' },
      { cause: 'half-open', when: 'it forgot the connection, and an end was reset by the other' },
      { cause: 'injected', when: 'it only listens, and forges resets' },
    ],
  },
  {
    words: ['load balancer', 'balancer', 'NAT', 'ELB', 'NLB', 'ALB', 'HAProxy'],
    says: 'A device between the ends may answer for one of them, forget them, or knock for itself.',
    causes: [
      { cause: 'middlebox-reset', when: 'it resets connections: idle timer, backend taken out' },
      { cause: 'half-open', when: 'it forgot the connection, or sends its segments to another backend' },
      { cause: 'late-data', when: "its idle timeout is longer than the server's" },
      { cause: 'port-reuse', when: 'its clients share few ports' },
    ],
  },
  {
    words: ['health-check', 'health check', 'healthcheck', 'probe', 'monitoring'],
    says: 'A balancer or monitor that only wants to know whether somebody answers, and hangs up at once.',
    causes: [
      { cause: 'client-gave-up', when: 'it knocks without a socket: reset at the SYN-ACK' },
      { cause: 'abort-linger', when: 'it connects and closes with SO_LINGER 0' },
      { cause: 'abort', when: 'the same, where resets or control segments are all that was captured' },
      { cause: 'closed-port', when: 'the service that it checks is down' },
    ],
  },
  {
    words: ['port scan', 'portscan', 'scan', 'scanner', 'nmap'],
    says: 'One source, many ports, within seconds. What comes back depends on the port and on the kind of scan.',
    causes: [
      { cause: 'closed-port', when: 'each closed port that gets a SYN' },
      { cause: 'client-gave-up', when: "each open port, in a SYN scan: the scanner's own kernel resets" },
      { cause: 'handshake-mismatch', when: 'each open port that gets a bare ACK' },
      { cause: 'half-open', when: 'each closed port that gets a bare ACK' },
      { cause: 'firewall-reject', when: 'ports that a filter rejects' },
    ],
  },
  {
    words: ['flood', 'SYN flood', 'DoS', 'DDoS'],
    says: 'A SYN flood at an open port makes no resets (SYN queue, cookies). Resets in masses are one of these:',
    causes: [
      { cause: 'closed-port', when: 'SYNs at a closed port, each refused' },
      { cause: 'client-gave-up', when: 'SYN-ACKs for SYNs that others forged in your name (backscatter)' },
      { cause: 'out-of-window', when: 'guessed resets' },
    ],
  },
];
