/** Causes of resets that end a connection before it began. */

import type { CounterNote, Explanation } from './explanation.js';

const REFUSED_CLIENT: CounterNote = {
  name: 'AttemptFails',
  says: 'one more on the client: its connect() failed',
};

export const REFUSED: readonly Explanation[] = [
  {
    cause: 'closed-port',
    title: 'a SYN met no listener',
    meaning:
      'Somebody tried to connect to a port where no program listens, and the kernel of that host refused. The client ' +
      'gets ECONNREFUSED at once. The service is stopped, crashed or being restarted, it listens on another port or ' +
      'address (127.0.0.1 only, IPv4 only, another network namespace), or the client has a wrong or old address. Many ' +
      'ports in a short time from one client are a port scan.',
    recognised_by: [
      'R. with sequence number 0 and window 0 that acknowledges the SYN (its sequence number + 1)',
      'no options and, in IPv4, IP ID 0: the kernel answers without a socket',
      'the kernel traced as it happens: NO_SOCKET for a SYN',
    ],
    certainty:
      'Certain when the kernel of this host says it as it happens. From a saved capture at most likely: a packet ' +
      'filter that rejects with a reset looks the same.',
    next_steps: [
      { say: 'See whether somebody listens now, in any network namespace.', type: 'sudo rstscope who PORT' },
      { say: 'See on which addresses.', type: "ss -ltn 'sport = :PORT'" },
      {
        say: 'Name the client that keeps knocking: it is the one to mend when the service is gone for good.',
        type: 'sudo rstscope live -d 60 port PORT',
      },
      { say: 'See when the service stopped, and why.', type: 'journalctl -u SERVICE --since -1h' },
    ],
    counters: [{ name: 'OutRsts', says: 'one more on the host that refused' }, REFUSED_CLIENT],
    sysctls: [],
    aliases: [
      'port closed',
      'port not open',
      'no listener',
      'nobody listens',
      'nothing listening',
      'service down',
      'service stopped',
      'retry-loop',
      'TCP packet received on a port that is not open',
    ],
  },
  {
    cause: 'firewall-reject',
    title: 'a packet filter answered with a reset',
    meaning:
      'A rule of nftables, iptables or another packet filter rejects the segment with a TCP reset. On a SYN the client ' +
      'gets ECONNREFUSED and takes the port for closed; on a running connection it gets ECONNRESET, while the other ' +
      "end's socket lives on and knows nothing. A rule in the host's own OUTPUT chain makes a reset in the name of the " +
      'remote address, seen on lo only.',
    recognised_by: [
      'on a SYN the same R. as of a closed port, though a program listens there',
      'on a running connection a bare R at the acknowledgment number of the segment that was rejected',
      "a TTL that is not that of the host's other packets, where the filter is another machine",
      'on the host itself: the kernel traces no reset sent, and OutRsts does not move',
    ],
    certainty:
      'Surest on the filtering host, live: its TCP said nothing, yet a reset left in its name. From a capture it takes ' +
      'a sign such as the TTL; without one a refused SYN reads as closed-port.',
    next_steps: [
      {
        say: 'Look for the rule on the host that is being connected to.',
        type: 'sudo nft list ruleset | grep -n reject',
      },
      { say: 'The same for iptables.', type: 'sudo iptables-save | grep -n REJECT' },
      { say: 'See whether a program listens behind the filter.', type: 'sudo rstscope who PORT' },
      {
        say: 'See from which hop the reset comes, by its TTL (of IPv4).',
        type: "sudo tcpdump -ni any -v 'tcp[tcpflags] & tcp-rst != 0'",
      },
    ],
    counters: [
      { ...REFUSED_CLIENT, says: 'one more on the client, when the SYN was rejected' },
      { name: 'EstabResets', says: 'one more on the end that got it, when the connection was running' },
    ],
    sysctls: [],
    aliases: ['reject with tcp reset', 'iptables', 'nftables', 'nft', 'ufw', 'firewalld', 'security group', 'REJECT'],
  },
  {
    cause: 'listen-queue-full',
    title: 'the accept queue was full, and the host resets then',
    meaning:
      'A program accepts connections more slowly than they come, so its accept queue is full. Linux sends a reset then ' +
      'only with net.ipv4.tcp_abort_on_overflow=1. With the default, 0, the third segment of the handshake is dropped ' +
      'and no reset comes: the client believes it is connected, its data is sent again and again, and new SYNs go ' +
      'unanswered until there is room, so that clients see delays and timeouts. A full SYN queue and SYN cookies send ' +
      'no reset either.',
    recognised_by: [
      "a bare R right after the third segment of the handshake, from the server, at the SYN-ACK's sequence number + 1",
      'the kernel traced as it happens: INVALID_SYN, from a listener',
      'with the default setting no reset at all, but SYN and SYN-ACK repeated',
    ],
    certainty:
      "Certain with the kernel's word. From packets it takes the whole handshake; resets alone do not show it.",
    next_steps: [
      {
        say: 'See the queue of each listener: Recv-Q is its length now, Send-Q its limit.',
        type: "ss -ltn 'sport = :PORT'",
      },
      { say: 'See whether queues overflow.', type: 'nstat -az TcpExtListenOverflows TcpExtListenDrops' },
      {
        say: 'Put the setting back unless it is meant: dropping lets a short burst pass, a reset does not.',
        type: 'sudo sysctl -w net.ipv4.tcp_abort_on_overflow=0',
      },
      {
        say:
          'Let the program accept faster, or listen with a larger backlog; the smaller of its backlog and somaxconn ' +
          'counts, from the next listen() on.',
        type: 'sysctl net.core.somaxconn',
      },
    ],
    counters: [
      { name: 'ListenOverflows', says: 'one more for each connection that met a full accept queue, reset or not' },
      { name: 'ListenDrops', says: 'moves with ListenOverflows; SYNs dropped for other reasons too' },
      { name: 'EmbryonicRsts', says: 'one more when it is reset' },
      { name: 'OutRsts', says: 'one more when it is reset' },
      { name: 'TCPReqQFullDrop', says: 'the SYN queue was full and a SYN was dropped: no reset' },
      { name: 'TCPReqQFullDoCookies', says: 'the SYN queue was full and a SYN cookie was sent: no reset' },
    ],
    sysctls: [
      { name: 'net.ipv4.tcp_abort_on_overflow', says: '1: reset; 0 (default): drop, and let the client try again' },
      { name: 'net.core.somaxconn', says: 'the largest accept queue that listen() may ask for (4096 since Linux 5.4)' },
      { name: 'net.ipv4.tcp_max_syn_backlog', says: 'how many half-open handshakes are remembered' },
      { name: 'net.ipv4.tcp_syncookies', says: 'what happens when that is exceeded' },
    ],
    aliases: [
      'listen queue',
      'listening queue full',
      'listening endpoint queue is full',
      'accept queue',
      'accept queue full',
      'accept queue overflow',
      'backlog',
      'backlog full',
      'listen backlog',
      'somaxconn',
      'SYN queue',
      'SYN queue full',
      'SYN backlog',
      'SYN cookies',
      'tcp_abort_on_overflow',
      'INVALID_SYN',
      'ListenOverflows',
      'ListenDrops',
      'TCPReqQFullDrop',
      'TCPReqQFullDoCookies',
    ],
  },
  {
    cause: 'client-gave-up',
    title: 'the client had gone when the SYN-ACK came',
    meaning:
      "A SYN-ACK arrived where no socket waits for it any more, and the client's kernel reset it: the program had " +
      'closed the socket or ended (its own timeout was shorter than the answer took), or the SYN was never sent by that ' +
      'kernel: a SYN scanner makes its own, and a forged source address makes a stranger answer (backscatter). Health ' +
      'checks that only knock look alike.',
    recognised_by: [
      "a bare R from the client whose sequence number is the SYN-ACK's acknowledgment number",
      'no third segment of the handshake before it, no data',
      'the kernel traced as it happens, on the client: NO_SOCKET for a SYN-ACK',
    ],
    certainty:
      "Certain live on the client, likely from a capture that has the SYN-ACK. With resets alone it can't be told " +
      'from half-open.',
    next_steps: [
      {
        say: "See how long the SYN-ACK took: if longer than the client's timeout, the server or the way is slow.",
        type: 'sudo rstscope live --context full -d 60 port PORT',
      },
      { say: 'One client on many ports is a scan; many clients that never said SYN are backscatter.' },
    ],
    counters: [
      { name: 'OutRsts', says: 'one more on the client' },
      { name: 'EmbryonicRsts', says: 'one more on the server' },
      { name: 'AttemptFails', says: 'one more on the server' },
    ],
    sysctls: [
      { name: 'net.ipv4.tcp_synack_retries', says: 'how often a server repeats its SYN-ACK, each to be reset (5)' },
    ],
    aliases: [
      'client gone',
      'client timeout',
      'abandoned connect',
      'SYN scan',
      'half-open scan',
      'stealth scan',
      'backscatter',
      'RSTOS0',
    ],
  },
  {
    cause: 'handshake-mismatch',
    title: "a segment that a handshake or a listener can't take",
    meaning:
      'A listener, or a handshake under way, got a segment with an acknowledgment that fits nothing: a stray ACK or ' +
      'SYN-ACK to a listening port, or a third segment with a wrong number. It is a connection that the server forgot ' +
      'in a restart and whose port is served again, a scan with ACKs, or a device that ' +
      'rewrites sequence numbers on one way only.',
    recognised_by: [
      'a bare R whose sequence number is the acknowledgment number that was wrong',
      'the kernel traced as it happens: TCP_FLAGS from a listener, or TCP_INVALID_ACK_SEQUENCE',
    ],
    certainty:
      "Certain with the kernel's word, likely from a capture that has the segment that was answered. With resets alone " +
      'it reads as half-open or unknown.',
    next_steps: [
      {
        say: 'See whether the server was restarted: its old clients then speak to the new listener.',
        type: 'sudo rstscope who PORT',
      },
      {
        say: 'Capture whole conversations on both ends: the numbers must agree on both sides of every device.',
        type: 'sudo rstscope live --context full -w handshake.pcapng port PORT',
      },
    ],
    counters: [{ name: 'OutRsts', says: 'one more on the host that answered' }],
    sysctls: [],
    aliases: [
      'SyncookiesFailed',
      'bad ACK',
      'wrong ACK',
      'stray ACK',
      'ACK scan',
      'unacceptable ACK',
      'sequence rewriting',
    ],
  },
];
