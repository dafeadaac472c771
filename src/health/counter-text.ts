/**
 * The text of /proc/net/snmp and /proc/net/netstat: pairs of lines, one with the names and one with the values, read by
 * their names, for every kernel has its own list. Sources: Linux net/ipv4/proc.c, snmp_seq_show and netstat_seq_show.
 *
 * Pure; reads no file.
 */

/** By the kernel's own names (OutRsts, TCPAbortOnClose); what this kernel lacks is not in it. */
export type Counters = ReadonlyMap<string, number>;

/** Of these groups the counters are read; their names do not meet. */
const GROUPS: ReadonlySet<string> = new Set(['Tcp', 'TcpExt']);
/** Longer than any kernel's; a line beyond it is no list of counters. */
const MAX_NAMES = 1024;
const NAME = /^[A-Za-z][A-Za-z0-9]*$/;
const VALUE = /^-?\d{1,20}$/;

/**
 * Both files together, or one of them. A group whose lines do not match (another number of names than of values, a value
 * that is no number) is left out as a whole: which value is whose is not known then.
 */
export function parseCounters(...texts: readonly string[]): Counters {
  const found = new Map<string, number>();
  for (const text of texts) {
    const lines = text.split('\n');
    for (const [i, line] of lines.entries()) {
      const group = groupOf(line);
      if (group === null) continue;
      const pairs = pairsOf(group, line, lines[i + 1] ?? '');
      for (const [name, value] of pairs) if (!found.has(name)) found.set(name, value);
    }
  }
  return found;
}

/** Of a line with names, not of one with values. */
function groupOf(line: string): string | null {
  const group = line.slice(0, Math.max(line.indexOf(':'), 0));
  return GROUPS.has(group) && /^\w+: +[A-Za-z]/.test(line) ? group : null;
}

function pairsOf(group: string, names: string, values: string): [string, number][] {
  if (!values.startsWith(`${group}:`)) return [];
  const heads = wordsOf(names);
  const numbers = wordsOf(values);
  if (heads.length !== numbers.length || heads.length > MAX_NAMES) return [];
  if (!heads.every((head) => NAME.test(head)) || !numbers.every((number) => VALUE.test(number))) return [];
  return heads.map((head, i) => [head, Number(numbers[i])]);
}

function wordsOf(line: string): string[] {
  return line.trim().split(/\s+/).slice(1);
}
