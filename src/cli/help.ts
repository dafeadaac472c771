/** The texts of help that no option table holds. */

export const SHORT_HELP = `rstscope: who is resetting my TCP connections, and why?

  rstscope live               capture on this host for 60 s, then report (root)
  rstscope read FILE…         report the resets in saved captures (pcap, pcapng, gzip)
  rstscope who PORT…          who owns a TCP port, in every network namespace
  rstscope health             the kernel's own counters of resets, and the alerts that watch them
  rstscope explain [CAUSE]    what a cause means and what to do
  rstscope explain FILE FRAME one reset: its conversation, and each rule that was asked
  rstscope compare A B        two captures of the same connections: what did a device between send?

Examples:
  sudo rstscope live -d 5m
  rstscope read --json output.pcap | jq '.ports[] | {port, resets, by_server}'

rstscope live --help and read --help list the options, rstscope --help everything else.
`;

export const PROGRAM_EPILOGUE = `
Examples:
  rstscope live                              resets on every interface, loopback too, for a minute
  rstscope live -d 10 --json | jq '.ports[] | {port, resets, rate}'
  rstscope read output.pcap                  which ports, which servers, which side, when
  rstscope output.pcap --port 443            the same for one port
  ssh HOST tcpdump -U -w - | rstscope read - a capture as it grows
  rstscope who 7211                          whose port is it
  rstscope health                            is it still happening, would the alert fire
  rstscope explain closed-port               what a cause means and what to do
  rstscope explain output.pcap 118           why frame 118 is a reset, step by step
  rstscope compare client.pcap server.pcap   resets that one end alone has: a device between sent those

Exit codes:
  0   ran to the end
  1   more resets than --max-resets; who: a port that nobody owns
  2   could not do the job: usage, no such file or interface, no permission, bad filter, not a capture
  3   reported, but the input was incomplete or damaged (cut off, corrupt, packets dropped, an interface lost, a file missing)
  70  a fault of the program
  130 a second Ctrl-C

Environment: NO_COLOR, FORCE_COLOR, TERM, COLUMNS, TZ.
`;

export const LIVE_EPILOGUE = `
Captures TCP resets, IPv4 and IPv6, on every interface unless -i names some. FILTER is a pcap filter that narrows it:
(FILTER) and (RESETS). tcpdump's -s, -n, -nn, -l, -U, -p and -v work or do no harm.

Examples:
  rstscope live                              a minute on every interface
  rstscope live -d 5m port 7211              five minutes, one port
  rstscope live -i eth0,lo -w resets.pcapng  two interfaces, saved too
  rstscope live --netns all                  in every container too, with their own loopbacks
  rstscope live -d 0 --rewind 20 -w died.pcapng
                                             only connections that die: 20 segments before, 2 s after;
                                             above 120,000 packets a second SYN, FIN and RST alone
  rstscope live --ndjson | jq -c 'select(.type == "reset") | {src_ip, dest_ip, service_port}'

Ctrl-C ends it with the report, a second one at once. kill -USR2 prints the report so far.
`;

export const READ_EPILOGUE = `
FILE is a pcap or pcapng, plain or gzip-compressed, told by its content; a directory stands for every capture in it;
- (or a pipe and no FILE) is standard input. Several files are one story, in time order.

Examples:
  rstscope read output.pcap
  rstscope read --port 7211 --after 12:30 output.pcap
  rstscope read --ndjson - < output.pcap | jq -c 'select(.type == "reset")'
  rstscope read -w resets.pcapng captures/   the resets, with 12 segments before and 2 s after each
  rstscope read --context resets -w resets.pcapng captures/
                                             resets alone
`;

export const WHO_EPILOGUE = `
PORT is 7211, :7211, 10.0.0.1:7211 or [::1]:7211, at either end of a connection. Exit code 1: nobody owns one of them.
As root every process and every network namespace is seen, else one's own.

Examples:
  rstscope who 7211
  rstscope who 80 443 --json | jq '.ports[].listeners[] | {ip, pid: .process.pid, name: .process.name}'
`;

export const HEALTH_EPILOGUE = `
Totals since the host was started are shown at once, rates after the first interval. No root is needed, but for other
network namespaces. Netdata's alerts (10s_ip_tcp_resets_sent and _received) take 70 s to tell: -d 75 or more.

Examples:
  rstscope health                            ten seconds
  rstscope health -d 0 --interval 1s         every second until Ctrl-C
  rstscope health -d 5 --json | jq '.counters[] | select(.name == "OutRsts")'
  rstscope health -d 0 --ndjson | jq -c '.alerts[] | {id, state, value, threshold}'
  sudo rstscope health --netns all           in every container, too
`;

export const EXPLAIN_EPILOGUE = `
CAUSE is a cause of the report, or another word for it: an error (ECONNRESET), what a guide calls it ("listen queue
full"), a reason or counter of the kernel (NO_SOCKET, TCPAbortOnClose), a state of Zeek (REJ). What fits several causes
says which is which. Without CAUSE: all causes, a line each.

FILE FRAME shows one reset of a capture: the last segments of its conversation as a ladder, then each rule that was
asked and the fact that decided it. FRAME is its number, as Wireshark shows it, or an event's id: that of read --json,
or that of live, in a file which live -w saved.

Examples:
  rstscope explain closed-port
  rstscope explain "connection reset by peer"
  rstscope explain output.pcap 118
  rstscope explain listen-queue-full --json | jq '.counters, .sysctls'
`;

export const COMPARE_EPILOGUE = `
CLIENT and SERVER are captures of the same connections, made at the same time at two places; each a file, a directory or
- (one of both). Connections are known again by their sequence numbers: a NAT between and clocks that differ do no harm.
All of TCP tells most (tcpdump -s 128 tcp); of resets alone less can be said.

Exit code 0, also where nothing is in both; 3 where one of them is damaged or dropped packets; 2 where one can't be read.

Examples:
  rstscope compare client.pcap server.pcap
  rstscope compare --json client.pcap server.pcap | jq '.verdicts[] | select(.verdict == "middlebox")'
  rstscope compare --reports before.json after.json
`;
