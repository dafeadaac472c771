/**
 * The pcap filter of a live capture: the segments that are wanted, and the user's own condition.
 *
 * `tcp[…]` never matches IPv6 in libpcap, so each condition has its twin for IPv6 without extension headers. Knows how
 * filters are put together, nothing of what they mean; libpcap judges them.
 */

import { UserError } from '../../base/errors.js';
import { grouped } from '../../base/text.js';

export type Wanted = 'resets' | 'control' | 'full';

/** As in every guide, and its twin: 40 bytes of IPv6 header, then the flags at byte 13 of TCP's. */
const RESETS = 'tcp[tcpflags] & (tcp-rst) == (tcp-rst) or (ip6[6] == 6 and ip6[53] & 4 != 0)';
const CONTROL = 'tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0 or (ip6[6] == 6 and ip6[53] & 7 != 0)';
const ALL_TCP = 'tcp or (ip6 and ip6[6] == 6)';

const CONDITIONS: Readonly<Record<Wanted, string>> = { resets: RESETS, control: CONTROL, full: ALL_TCP };

/** The whole expression. Both sides in parentheses: `and` and `or` bind alike. */
export function captureFilter(wanted: Wanted, own: string | null): string {
  const condition = CONDITIONS[wanted];
  if (own === null) return condition;
  // Parentheses that don't close would mean something else inside ours; alone, libpcap says what is wrong with them.
  if (!closes(own)) return own;
  // The user's first: a `vlan` in it shifts the offsets of what stands behind it, and ours must be shifted along.
  return `(${own}) and (${condition})`;
}

function closes(expression: string): boolean {
  let open = 0;
  for (const character of expression) {
    if (character === '(') open++;
    else if (character === ')' && --open < 0) return false;
  }
  return open === 0;
}

const MAX_FILTER = 8192;

/** What becomes of a filter that a user typed. */
export interface UserFilter {
  /** Null: nothing is left of it. */
  readonly expression: string | null;
  /** Sentences that the user should know. */
  readonly notes: readonly string[];
}

/** `typed`: null where no filter was typed. Throws a UserError for one that is too long. */
export function userFilter(typed: string | null): UserFilter {
  const expression = typed?.trim() ?? '';
  if (expression.length > MAX_FILTER) {
    throw new UserError(
      'bad-filter',
      `the filter has ${grouped(expression.length)} characters, ${grouped(MAX_FILTER)} are the limit: libpcap takes minutes over longer ones`,
    );
  }
  if (expression === '') return { expression: null, notes: [] };
  if (isGuidesFilter(expression)) {
    const note =
      'the reset filter is dropped: rstscope has it built in, and together with yours it would shut out IPv6, which tcp[…] never matches';
    return { expression: null, notes: [note] };
  }
  if (!ignoresIpv6(expression)) return { expression, notes: [] };
  return {
    expression,
    notes: [`the filter holds tcp[…], which never matches IPv6: resets over IPv6 are not captured`],
  };
}

/** Whether it looks into TCP in a way that matches IPv4 alone. */
export function ignoresIpv6(expression: string): boolean {
  return /\btcp\s*\[/.test(expression);
}

/** The reset filters of the guides: one test of the flags for RST, written in one of many ways. */
function isGuidesFilter(expression: string): boolean {
  const bare = expression.replace(/[\s'"()]/g, '').toLowerCase();
  const rst = '(?:tcp-rst|4|0x0?4)';
  const test = new RegExp(`^(?:tcpand)?tcp\\[(?:tcpflags|13)\\]&${rst}(?:(?:==|=)${rst}|(?:!=|>)0)$`);
  return test.test(bare);
}
