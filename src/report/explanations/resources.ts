/** Causes of resets that the kernel sends by itself, because a limit was reached. */

import type { Explanation } from './explanation.js';

export const RESOURCES: readonly Explanation[] = [
  {
    cause: 'abort-timeout',
    title: 'the keepalive timer gave up',
    meaning:
      'The socket had SO_KEEPALIVE, its probes went unanswered, and the kernel ended the connection with a reset. The ' +
      'other end is gone, unreachable, or a device between forgot the connection and drops its segments. The program ' +
      'gets ETIMEDOUT. A retransmission timeout is another thing: data that is never acknowledged ends the connection ' +
      'with ETIMEDOUT too, but Linux sends no reset then.',
    recognised_by: [
      'several probes before it: segments without data at the last sequence number - 1, unanswered, at equal distances',
      'then an active reset: R. with live numbers',
      'the kernel traced as it happens: TCP_KEEPALIVE_TIMEOUT',
    ],
    certainty:
      "Certain with the kernel's word, likely from a capture that has the probes. With resets alone it reads as abort.",
    next_steps: [
      {
        say: 'See which sockets have a keepalive timer, and how far it is.',
        type: "ss -tno 'sport = :PORT or dport = :PORT'",
      },
      { say: 'See whether the other end still knows the connection.', type: "ss -tn 'sport = :PORT or dport = :PORT'" },
      {
        say:
          'If a NAT, firewall or balancer between forgets idle connections, probe more often than its timer (TCP_KEEPIDLE ' +
          'in the program, or the default below).',
        type: 'sudo sysctl -w net.ipv4.tcp_keepalive_time=120',
      },
    ],
    counters: [
      { name: 'TCPAbortOnTimeout', says: 'one more; also for retransmission timeouts, which send no reset' },
      {
        name: 'OutRsts',
        says: 'one more: if it stands still while TCPAbortOnTimeout moves, these were retransmissions',
      },
      { name: 'EstabResets', says: 'one more on the host that gave up' },
    ],
    sysctls: [
      { name: 'net.ipv4.tcp_keepalive_time', says: 'idle seconds before the first probe (7200)' },
      { name: 'net.ipv4.tcp_keepalive_intvl', says: 'seconds between probes (75)' },
      { name: 'net.ipv4.tcp_keepalive_probes', says: 'unanswered probes before the end (9)' },
    ],
    aliases: [
      'TCP keepalive',
      'SO_KEEPALIVE',
      'keepalive timeout',
      'TCP_KEEPALIVE_TIMEOUT',
      'TCPAbortOnTimeout',
      'dead peer',
    ],
  },
  {
    cause: 'abort-memory',
    title: 'out of TCP memory, or too many orphans',
    meaning:
      'The kernel ended a connection that no program holds any more (an orphan: closed, but with data or a FIN still ' +
      'to deliver), because there were more orphans than tcp_max_orphans or TCP used more memory than tcp_mem allows. ' +
      'It is a limit of the machine, not of one socket: a full socket buffer never makes a reset, it closes the ' +
      'window and the sender waits.',
    recognised_by: [
      "an active reset: R. with live numbers, after the sender's close",
      'the kernel log says "too many orphaned sockets" or "out of memory -- consider tuning tcp_mem"',
      'the kernel traced as it happens: TCP_ABORT_ON_MEMORY',
    ],
    certainty: "Certain with the kernel's word. From packets alone it reads as abort or late-data.",
    next_steps: [
      { say: 'Read the kernel log.', type: "sudo dmesg | grep -E 'orphaned sockets|tcp_mem'" },
      { say: 'Compare orphans and memory (in pages) with the limits.', type: 'cat /proc/net/sockstat' },
      { say: 'See the limits.', type: 'sysctl net.ipv4.tcp_mem net.ipv4.tcp_max_orphans' },
      {
        say: 'See who fills it: sockets with long queues, and closed ones that wait for a peer that does not read.',
        type: 'ss -tnm state fin-wait-1',
      },
    ],
    counters: [
      { name: 'TCPAbortOnMemory', says: 'one more for each connection ended so' },
      {
        name: 'TCPAbortFailed',
        says: 'one more when there was no memory even for the reset: then none is on the wire',
      },
      { name: 'OutRsts', says: 'one more' },
      { name: 'TCPMemoryPressures', says: 'moves before, when memory use passes the middle value of tcp_mem' },
    ],
    sysctls: [
      { name: 'net.ipv4.tcp_max_orphans', says: 'how many sockets may be orphans', machineWide: true },
      { name: 'net.ipv4.tcp_mem', says: 'pages: easy, pressure, limit', machineWide: true },
      { name: 'net.ipv4.tcp_orphan_retries', says: 'how long an orphan goes on trying' },
    ],
    aliases: [
      'out of memory',
      'TCP memory',
      'memory pressure',
      'tcp_mem',
      'orphans',
      'too many orphaned sockets',
      'tcp_max_orphans',
      'TCP_ABORT_ON_MEMORY',
      'TCPAbortOnMemory',
      'TCPAbortFailed',
      'TCPMemoryPressures',
      'nomemory',
    ],
  },
];
