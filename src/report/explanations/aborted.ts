/** Causes of resets that a program made its kernel send: by closing in haste, or by being closed. */

import type { CounterNote, Explanation } from './explanation.js';

const SENT: CounterNote = { name: 'OutRsts', says: 'one more on the host that aborted' };
/** The counter of connections that were ESTABLISHED or CLOSE_WAIT and are closed at once. */
const BOTH: CounterNote = { name: 'EstabResets', says: 'one more on each end whose connection was running' };

const ACTIVE_SHAPE =
  'an active reset: R. with the live sequence and acknowledgment numbers, a window, timestamps and an IP ID of its own';

export const ABORTED: readonly Explanation[] = [
  {
    cause: 'listener-closed',
    title: 'a listener closed with connections not yet accepted',
    meaning:
      'A program closed its listening socket, ended or was restarted while connections stood in its accept queue. ' +
      'Their handshakes were complete, so the clients took themselves for connected; the kernel resets each of them. ' +
      'Restarts and deployments under load make bursts of it.',
    recognised_by: [
      ACTIVE_SHAPE,
      'it comes soon after the handshake, and the server never sent data',
      'several clients of one port are reset in the same instant; afterwards the port is closed, or served again',
      'the kernel traced as it happens: TCP_STATE, with inet_csk_listen_stop in the stack',
    ],
    certainty:
      "Certain with the kernel's stack. From packets at most likely: a program that accepts and aborts at once looks " +
      'the same. With resets alone it reads as abort.',
    next_steps: [
      { say: 'See whether the service was restarted at that time.', type: 'journalctl -u SERVICE --since -1h' },
      {
        say: "Hand the listening socket over instead of closing it: systemd socket activation, or the server's own reload.",
      },
      {
        say: 'Where several processes listen with SO_REUSEPORT, let the others take what waits (Linux 5.14 and later).',
        type: 'sudo sysctl -w net.ipv4.tcp_migrate_req=1',
      },
      { say: 'Take the server out of the load balancer before it is stopped.' },
    ],
    counters: [SENT, BOTH],
    sysctls: [
      {
        name: 'net.ipv4.tcp_migrate_req',
        says: '1: another listener of the same SO_REUSEPORT group takes over what waits; 0 (default): reset',
        since: '5.14',
      },
    ],
    aliases: [
      'TCPMigrateReqFailure',
      'listener closed',
      'unaccepted',
      'not accepted',
      'inet_csk_listen_stop',
      'deployment',
      'reload',
    ],
  },
  {
    cause: 'abort-unread-data',
    title: 'a program closed, or was killed, with data unread',
    meaning:
      'The program closed its socket, ended or was killed while data that the kernel had received and acknowledged lay ' +
      'unread. Linux then sends a reset instead of a FIN, so that the other end learns that its data was lost ' +
      '(RFC 2525, 2.17). Typical: a server that answers an error without reading the whole request, a client that ' +
      'stops at the part it wanted, kill -9, the out-of-memory killer, a crash. What the other end has not read yet ' +
      'may be lost too.',
    recognised_by: [
      ACTIVE_SHAPE,
      'the sender had acknowledged data just before, and sent no FIN',
      'the kernel traced as it happens: TCP_ABORT_ON_CLOSE; do_exit in the stack says that the program was ending',
    ],
    certainty:
      "Certain with the kernel's word. From packets likely at best: that the data was acknowledged is seen, that it was " +
      'not read is not. With resets alone it reads as abort.',
    next_steps: [
      { say: 'Name the program.', type: 'sudo rstscope live -d 60 port PORT' },
      { say: 'See whether it was killed or crashed.', type: 'journalctl -k --since -1h' },
      {
        say:
          'In the program: shutdown(SHUT_WR), read until the end, then close. In nginx lingering_close does that; ' +
          'elsewhere let it read the request body before it refuses.',
      },
      { say: 'See how much lies unread in its sockets: Recv-Q.', type: "ss -tnp 'sport = :PORT'" },
    ],
    counters: [SENT, { name: 'TCPAbortOnClose', says: 'one more on the host that aborted' }, BOTH],
    sysctls: [],
    aliases: [
      'unread data',
      'data unread',
      'TCP_ABORT_ON_CLOSE',
      'TCPAbortOnClose',
      'userclosed',
      'kill -9',
      'SIGKILL',
      'OOM killer',
    ],
  },
  {
    cause: 'abort-linger',
    title: 'a program closed with SO_LINGER 0',
    meaning:
      'The program set SO_LINGER with a time of 0 and closed, which means: drop what is unsent and reset. Some do it ' +
      'to avoid TIME-WAIT (load testers, proxies, health checks), some to get rid of a peer that misbehaves. A socket ' +
      'with TCP_LINGER2 below 0 whose FIN was already acknowledged resets likewise when it is closed.',
    recognised_by: [
      ACTIVE_SHAPE,
      'no FIN and no unread data before it',
      "the kernel traced as it happens: TCP_STATE with tcp_disconnect under the program's close, or TCP_ABORT_ON_LINGER",
    ],
    certainty:
      "Certain with the kernel's stack. From packets alone it can't be told from other aborts: it reads as abort.",
    next_steps: [
      { say: 'Name the program.', type: 'sudo rstscope live -d 60 port PORT' },
      { say: 'See it set the option.', type: 'sudo strace -f -e trace=setsockopt,close -p PID' },
      { say: 'Close in peace instead; if TIME-WAIT was the reason, reuse connections, or let the client close first.' },
    ],
    counters: [
      SENT,
      { name: 'TCPAbortOnData', says: 'one more: in spite of its name, this is the counter of SO_LINGER 0' },
      {
        name: 'TCPAbortOnLinger',
        says: 'one more only for TCP_LINGER2 below 0, closed after its FIN was acknowledged',
      },
      BOTH,
    ],
    sysctls: [],
    aliases: ['SO_LINGER', 'linger', 'linger 0', 'zero linger', 'TCP_ABORT_ON_LINGER', 'TCPAbortOnLinger'],
  },
  {
    cause: 'abort-disconnect',
    title: 'a program disconnected its socket',
    meaning:
      'The program called connect() with the address family AF_UNSPEC on a connected socket, which ends the connection ' +
      'with a reset and keeps the socket for another one. Rare.',
    recognised_by: [
      ACTIVE_SHAPE,
      'the kernel traced as it happens: TCP_STATE or TCP_ABORT_ON_CLOSE, with __inet_stream_connect in the stack',
    ],
    certainty:
      "Certain with the kernel's stack. From packets alone it can't be told from other aborts: it reads as abort.",
    next_steps: [
      { say: 'Name the program.', type: 'sudo rstscope live -d 60 port PORT' },
      { say: 'See the call.', type: 'sudo strace -f -e trace=connect -p PID' },
    ],
    counters: [SENT, BOTH],
    sysctls: [],
    aliases: ['AF_UNSPEC', 'disconnect', 'TCP_DISCONNECT_WITH_DATA'],
  },
  {
    cause: 'abort-admin',
    title: 'the socket was destroyed from outside (ss -K)',
    meaning:
      'Somebody with the rights of root destroyed the socket: ss -K, a program that uses the same interface ' +
      '(SOCK_DESTROY), or BPF (bpf_sock_destroy). The program that owned it gets ECONNABORTED, the other end a reset.',
    recognised_by: [
      ACTIVE_SHAPE,
      'the kernel traced as it happens: TCP_STATE, with tcp_abort from sock_diag in the stack, in the name of ss or ' +
        'whoever did it, not of the owner',
    ],
    certainty:
      "Certain with the kernel's stack. From packets alone it can't be told from other aborts: it reads as abort.",
    next_steps: [
      { say: 'Name who did it and whose socket it was.', type: 'sudo rstscope live -d 60 port PORT' },
      { say: 'Look for ss -K in scripts and timers.', type: "grep -rn 'ss -K' /etc/cron* /etc/systemd /usr/local/bin" },
    ],
    counters: [SENT, BOTH],
    sysctls: [],
    aliases: [
      'ss -K',
      'ss --kill',
      'sock_destroy',
      'bpf_sock_destroy',
      'tcp_abort',
      'ECONNABORTED',
      'software caused connection abort',
    ],
  },
  {
    cause: 'abort',
    title: 'a program aborted; which way is not known',
    meaning:
      "The reset was sent by the socket itself, of the kernel's own accord or a program's: it has the live numbers of " +
      'the connection. Why is not in the packet: data unread, SO_LINGER 0, a listener closed, keepalive, out of memory ' +
      'and ss -K look the same from outside.',
    recognised_by: [ACTIVE_SHAPE, 'nothing captured tells which of the aborts it is'],
    certainty:
      "That it was an abort is likely from the shape alone, certain with the kernel's word. This id is the honest " +
      'answer where more is not known; with more context one of the other aborts takes its place.',
    next_steps: [
      { say: 'Ask the kernel as it happens.', type: 'sudo rstscope live -d 60 port PORT' },
      {
        say: 'Capture all TCP headers, not only resets.',
        type: 'sudo rstscope live --context full -w abort.pcapng port PORT',
      },
      {
        say: 'See which of the counters moves.',
        type: "nstat -az 'TcpExtTCPAbort*'",
      },
    ],
    counters: [SENT, BOTH],
    sysctls: [],
    aliases: ['active reset'],
  },
];
