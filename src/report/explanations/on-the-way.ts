/** Causes of resets that neither end's connection made, and of those that nothing tells. */

import type { Explanation } from './explanation.js';

export const ON_THE_WAY: readonly Explanation[] = [
  {
    cause: 'middlebox-reset',
    title: 'a device on the path answered for a connection',
    meaning:
      'A load balancer, NAT, proxy, intrusion-prevention system or firewall ended the connection with a reset in the ' +
      'name of one end, often of both: an idle timer ran out, a backend was taken out, a rule was hit, its table was ' +
      'cleaned up. The numbers fit, since it knows the connection.',
    recognised_by: [
      "a TTL or an IP ID off the pattern of that host's other packets, with lawful sequence numbers",
      'idle gaps that gather at a timer (Azure balancer 240 s) or never fall below one (AWS network balancer 350 s)',
      "captured on the end itself: a reset that this host's kernel traced no send of",
    ],
    certainty:
      'From one capture likely at best: the signs are of the packet, not of the device. Captures on both ends settle ' +
      'it: a reset that one end got and the other never sent.',
    next_steps: [
      {
        say: 'Capture at the end that is said to have sent it: if it is not there, it was made on the way.',
        type: 'sudo rstscope live -d 5m -w end.pcapng port PORT',
      },
      {
        say: 'Compare the TTL with that of other packets of the same address: the difference counts hops.',
        type: 'tcpdump -nvr FILE host ADDRESS',
      },
      {
        say: "Set idle timers in order: the program's keepalive below the device's timer.",
        type: 'sysctl net.ipv4.tcp_keepalive_time',
      },
    ],
    counters: [{ name: 'EstabResets', says: 'one more on each end that got one; OutRsts moves on neither' }],
    sysctls: [
      {
        name: 'net.ipv4.tcp_keepalive_time',
        says: 'idle seconds before a connection with SO_KEEPALIVE is probed (7200)',
      },
    ],
    aliases: [
      'middlebox',
      'proxy',
      'IPS',
      'intrusion prevention',
      'firewall clean-up',
      'AWS NLB',
      'Azure load balancer',
      'network device',
    ],
  },
  {
    cause: 'injected',
    title: "a third party forged it against the connection's will",
    meaning:
      'Somebody who sees the traffic, or guesses its numbers, sent a reset in the name of one end that did not want ' +
      'it: censorship, an attack, a tool such as tcpkill, an intrusion-detection system that only listens. The end it ' +
      'claims to come from goes on as if nothing had been.',
    recognised_by: [
      'the same sender goes on talking after its reset',
      'several resets with different numbers, or one below data already sent: guesses',
      'missing timestamps on a reset with a window, where the connection has them',
      'TTL and IP ID off the pattern, which together count as one sign',
      'the kernel of the end it claims to come from traced no send',
    ],
    certainty:
      'Never from its shape alone: two independent signs are needed even for likely, so it takes a capture of all TCP ' +
      'headers.',
    next_steps: [
      {
        say: "Capture on both ends at once: a reset that only one of them has is not the other's.",
        type: 'sudo rstscope live --context full -d 5m -w end.pcapng port PORT',
      },
      {
        say: 'Encryption such as TLS does not help against it; IPsec or WireGuard does, since the TCP header is inside.',
      },
    ],
    counters: [{ name: 'EstabResets', says: 'one more on the end that believed it; OutRsts moves on neither' }],
    sysctls: [],
    aliases: [
      'forged',
      'forged reset',
      'spoofed',
      'RST injection',
      'reset injection',
      'TCP reset attack',
      'reset attack',
      'SYN reset attack',
      'tcpkill',
      'censorship',
      'great firewall',
    ],
  },
  {
    cause: 'out-of-window',
    title: 'a reset that its receiver must not accept (RFC 5961)',
    meaning:
      'Only a reset with exactly the next sequence number (or, on Linux, at the end of what came by SACK) ends a ' +
      'connection. One that lies elsewhere in the receive ' +
      'window is answered with a challenge ACK, so that a real sender can reset again with the right number; one ' +
      'outside the window is ignored. The connection lives. It is a guess of an attacker, or a real end whose last ' +
      'segments were lost or still on their way.',
    recognised_by: [
      'a sequence number that is neither the next one expected nor inside the window, or inside but not exact',
      'a bare ACK in answer, when it was inside',
      'the connection goes on afterwards',
      'the kernel traced as it happens, at the receiver: no receive event',
    ],
    certainty:
      'It takes a capture with the segments before it, and the window scale of the handshake. With resets alone unknown.',
    next_steps: [
      { say: 'See whether challenge ACKs are sent.', type: 'nstat -az TcpExtTCPChallengeACK' },
      {
        say: 'If many come from nowhere, somebody is guessing: capture all headers.',
        type: 'sudo rstscope live --context full -d 5m -w guess.pcapng port PORT',
      },
    ],
    counters: [
      {
        name: 'TCPChallengeACK',
        says: 'one more on the receiver for each inside the window; one outside moves nothing',
      },
    ],
    sysctls: [
      {
        name: 'net.ipv4.tcp_challenge_ack_limit',
        says: 'challenge ACKs a second; unlimited by default, for a limit can itself be spied on',
      },
    ],
    aliases: ['out of window', 'blind reset', 'RFC 5961', 'TCPACKSkippedChallenge'],
  },
  {
    cause: 'unknown',
    title: 'what was captured does not say',
    meaning:
      'The reset was seen, but not enough of what led to it, or what was seen fits several causes. A capture of ' +
      "resets only can't tell most causes apart.",
    recognised_by: ['no rule found the facts that it needs; the evidence of the event says what is missing'],
    certainty: 'It is the honest answer where a guess would be the alternative.',
    next_steps: [
      {
        say: 'Ask the kernel as it happens, on the host that sends the resets.',
        type: 'sudo rstscope live -d 60 port PORT',
      },
      { say: 'Or capture all TCP headers.', type: 'sudo rstscope live --context full -d 60 -w all.pcapng port PORT' },
    ],
    counters: [],
    sysctls: [],
    aliases: ['not known', 'no cause', 'NOT_SPECIFIED'],
  },
];
