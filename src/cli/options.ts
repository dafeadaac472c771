/**
 * The one table of options: parser, help and README are made from it.
 *
 * Says what may be typed and what it is for; does nothing with it.
 */

export interface OptionSpec {
  /** As commander takes it: "-w, --write <file>". */
  readonly flags: string;
  readonly summary: string;
  /** Shown as the default; the parser gives undefined where nothing was typed. */
  readonly default?: string;
  readonly group: OptionGroup;
  /** May be given more than once; the values gather in a list. */
  readonly list?: true;
  /** Accepted for old habits' sake, not shown. */
  readonly hidden?: true;
  /** The one command that has it; both have the others. */
  readonly only?: CommandName;
}

/** The commands that report resets. */
export type CommandName = 'live' | 'read';

export const GROUPS = ['Capturing', 'Output', 'Which resets', 'Reading', 'Report'] as const;
export type OptionGroup = (typeof GROUPS)[number];

const OPTIONS: readonly OptionSpec[] = [
  {
    group: 'Capturing',
    flags: '-i, --interface <name>',
    summary: 'where to capture, again or as a comma list; any is every interface',
    default: 'any',
    list: true,
    only: 'live',
  },
  {
    group: 'Capturing',
    flags: '--netns <which>',
    summary: 'capture in these network namespaces too: a PID, a name of ip netns, or all',
    default: 'own',
    list: true,
    only: 'live',
  },
  {
    group: 'Capturing',
    flags: '-d, --duration <t>',
    summary: 'for how long: 90, 90s, 5m, 1h; 0 until Ctrl-C',
    default: '60s',
    only: 'live',
  },
  { group: 'Capturing', flags: '-c, --count <n>', summary: 'stop after N resets', only: 'live' },
  {
    group: 'Capturing',
    flags: '-f, --filter <bpf>',
    summary: 'a pcap filter beside the one for resets: "port 443"; words at the end are the same',
    only: 'live',
  },
  {
    group: 'Capturing',
    flags: '--backend <which>',
    summary: 'what captures: the cap binding or tcpdump, each in a process of its own',
    default: 'auto: cap where it loads',
    only: 'live',
  },
  {
    group: 'Capturing',
    flags: '--no-process',
    summary: 'leave out who is at the ends of each reset',
    only: 'live',
  },
  {
    group: 'Capturing',
    flags: '--no-trace',
    summary: "leave out the kernel's trace: names come from the socket tables only",
    only: 'live',
  },
  { group: 'Output', flags: '--json', summary: 'one JSON document at the end instead of tables' },
  { group: 'Output', flags: '--ndjson', summary: 'one JSON line per reset, between a start and a summary line' },
  { group: 'Output', flags: '--csv', summary: 'one row per reset, header first (RFC 4180)' },
  { group: 'Output', flags: '--events', summary: 'fill "events" of --json' },
  {
    group: 'Output',
    flags: '-w, --write <file>',
    summary:
      'save the frames (live: all that are captured, read: those of the resets): pcapng with a comment on each reset, classic pcap when FILE ends in .pcap; - for standard output',
  },
  {
    group: 'Output',
    flags: '--all',
    summary: 'every row of the tables; else those of a scan, of health checks and the like are one line',
  },
  { group: 'Output', flags: '--top <n>', summary: 'rows a table; JSON is never cut', default: '20' },
  {
    group: 'Which resets',
    flags: '--port <p>',
    summary: 'only these ports, at either end: 443, 80,443, 8000-8100',
    list: true,
  },
  {
    group: 'Which resets',
    flags: '--host <a>',
    summary: 'only these addresses, at either end: 10.0.0.5, 10.0.0.0/8,::1',
    list: true,
  },
  {
    group: 'Which resets',
    flags: '--direction <d>',
    summary: 'only sent, received, local, forwarded or unknown',
    list: true,
  },
  { group: 'Which resets', flags: '--cause <c>', summary: 'only these causes', list: true },
  { group: 'Which resets', flags: '--pattern <p>', summary: 'only these patterns', list: true },
  { group: 'Which resets', flags: '--exclude-pattern <p>', summary: 'all but these patterns', list: true },
  {
    group: 'Which resets',
    flags: '--after <t>',
    summary: "not before T: 2026-03-01T12:00:00Z, 12:34 (on the first packet's day), -10m (from the end)",
    only: 'read',
  },
  { group: 'Which resets', flags: '--before <t>', summary: 'not after T', only: 'read' },
  {
    group: 'Reading',
    flags: '--context <c>',
    summary: 'what to use: resets only; control (SYN, FIN, RST); full (every TCP header)',
    default: 'read: all there is; live: resets',
  },
  { group: 'Reading', flags: '--no-fold', summary: 'count every copy of a reset as its own' },
  {
    group: 'Reading',
    flags: '--local <a>',
    summary: 'addresses that count as the capturing host (list, CIDR)',
    default: "live: this host's, in every namespace",
    list: true,
  },
  {
    group: 'Reading',
    flags: '--here',
    summary: 'the file was made on this host: its addresses are local, and who listens now is named',
    only: 'read',
  },
  { group: 'Report', flags: '--max-resets <n>', summary: 'exit 1 when there were more than N' },
  { group: 'Report', flags: '--utc', summary: 'times in UTC in tables (JSON is always UTC)', default: 'local time' },
  {
    group: 'Report',
    flags: '--full-command',
    summary: 'whole command lines in saved files, not only name and executable; secrets are masked',
  },
  { group: 'Report', flags: '--color <when>', summary: 'always, never or auto', default: 'auto' },
  { group: 'Report', flags: '--no-color', summary: 'the same as --color never' },
  { group: 'Report', flags: '-q, --quiet', summary: 'no talk on standard error' },
  { group: 'Report', flags: '--debug', summary: 'stack traces, counters, where the time went' },
  // tcpdump's habits: accepted where they mean nothing here.
  { group: 'Reading', flags: '-n', summary: 'names are never looked up', hidden: true },
  { group: 'Reading', flags: '-l', summary: 'lines are always flushed', hidden: true },
  { group: 'Reading', flags: '-U', summary: 'packets are always flushed', hidden: true },
  { group: 'Capturing', flags: '-p', summary: 'do not make interfaces promiscuous (tcpdump)', only: 'live' },
  { group: 'Reading', flags: '-p', summary: 'no effect on saved captures', hidden: true, only: 'read' },
  { group: 'Reading', flags: '-v', summary: 'no effect', hidden: true },
  {
    group: 'Capturing',
    flags: '-s <n>',
    summary: 'bytes of a packet to keep',
    default: '512, full: 128',
    only: 'live',
  },
  { group: 'Reading', flags: '-s <n>', summary: 'no effect on saved captures', hidden: true, only: 'read' },
  { group: 'Reading', flags: '-r <file>', summary: 'the same as naming FILE', list: true, hidden: true, only: 'read' },
];

export function optionsOf(command: CommandName): readonly OptionSpec[] {
  return OPTIONS.filter(({ only }) => only === undefined || only === command);
}

/** What `explain FILE FRAME` has of them: what a verdict depends on, and how it is shown; with its own defaults. */
const OF_EXPLAIN: readonly (readonly [flags: string, usual?: string])[] = [
  ['--context <c>', 'all there is'],
  ['--no-fold'],
  ['--local <a>'],
  ['--here'],
  ['--utc', 'local time'],
  ['--color <when>', 'auto'],
  ['--no-color'],
  ['-q, --quiet'],
];

export function explainOptions(): readonly OptionSpec[] {
  return OF_EXPLAIN.flatMap(([flags, usual]) => {
    const spec = optionsOf('read').find((one) => one.flags === flags);
    if (spec === undefined) return [];
    const { default: _, ...rest } = spec;
    return [usual === undefined ? rest : { ...rest, default: usual }];
  });
}

/** Markdown of the table, as the README has it. */
export function optionsMarkdown(): string {
  const rows = OPTIONS.filter(({ hidden }) => hidden !== true).map((o) => {
    const flags = o.flags.replaceAll('|', '\\|');
    return `| \`${flags}\` | ${o.only ?? 'both'} | ${o.summary} | ${o.default ?? ''} |`;
  });
  return ['| option | of | meaning | default |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
