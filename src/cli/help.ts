/** The texts of help that no option table holds. */

export const SHORT_HELP = `rstscope: who is resetting my TCP connections, and why?

  rstscope read FILE…         report the resets in saved captures (pcap, pcapng, gzip)
  tcpdump … -w - | rstscope read -

Examples:
  rstscope read output.pcap
  rstscope read --json output.pcap | jq '.ports[] | {port, resets, by_server}'

rstscope read --help lists the options, rstscope --help everything else.
`;

export const PROGRAM_EPILOGUE = `
Examples:
  rstscope read output.pcap                  which ports, which servers, which side, when
  rstscope output.pcap --port 443            the same for one port
  ssh HOST tcpdump -U -w - | rstscope read - a capture as it grows
  rstscope read --json FILE | jq '.endpoints[0]'

Exit codes:
  0   ran to the end
  1   more resets than --max-resets
  2   could not do the job: usage, no such file, not a capture, nothing in it that can be decoded
  3   reported, but the input was incomplete or damaged (cut off, corrupt, packets dropped, a file missing)
  70  a fault of the program
  130 a second Ctrl-C

Environment: NO_COLOR, FORCE_COLOR, TERM, COLUMNS, TZ.
`;

export const READ_EPILOGUE = `
FILE is a pcap or pcapng, plain or gzip-compressed, told by its content; a directory stands for every capture in it;
- (or a pipe and no FILE) is standard input. Several files are one story, in time order.

Examples:
  rstscope read output.pcap
  rstscope read --port 7211 --after 12:30 output.pcap
  rstscope read --ndjson - < output.pcap | jq -c 'select(.type == "reset")'
  rstscope read -w resets.pcapng captures/
`;
