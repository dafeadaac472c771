/**
 * What a kernel stack says: the way by which a reset was sent, or by which a connect came to nothing.
 *
 * Addresses are the low 48 bits, as everywhere with trace events. Functions by /proc/kallsyms; a kernel that hides them
 * (kptr_restrict) has none, and then nothing is said.
 */

import type { KernelPath } from '../../conversation/kernel-facts.js';

/** Functions that tell one way from another (Linux net/ipv4, kernel/exit.c, kernel/signal.c). */
const WANTED = [
  'inet_csk_listen_stop',
  'inet_child_forget',
  'tcp_diag_destroy',
  'bpf_sock_destroy',
  'tcp_abort',
  'tcp_keepalive_timer',
  '__inet_stream_connect',
  'get_signal',
  'do_group_exit',
  'tcp_disconnect',
  '__tcp_close',
  'tcp_close',
  'tcp_write_timeout',
  'tcp_write_err',
  'tcp_retransmit_timer',
  'tcp_write_timer_handler',
  'tcp_write_timer',
  'tcp_v4_err',
  'tcp_v6_err',
  'icmp_unreach',
  'icmpv6_notify',
  'icmpv6_err_gen',
  'tcp_reset',
  'tcp_rcv_synsent_state_process',
] as const;
export type Symbol = (typeof WANTED)[number];

/** No function that we look for is as long: what is farther from its start is another one whose name is hidden. */
const MOST_BYTES = 65536;

interface Span {
  readonly name: Symbol;
  readonly start: number;
  end: number;
}

/** Takes /proc/kallsyms line by line. */
export class Symbols {
  private readonly wanted: ReadonlySet<string> = new Set(WANTED);
  private readonly spans: Span[] = [];
  /** Those whose end is not known yet: the next function's start. */
  private open: Span[] = [];

  /** "ffffffff81a2b3c0 T tcp_disconnect", "… t tcp_write_err.isra.0"; the functions of one image come in order. */
  line(text: string): void {
    const kind = text[17];
    if (kind !== 't' && kind !== 'T') return;
    if (this.open.length > 0) this.closeAt(Number.parseInt(text.slice(4, 16), 16));
    const end = text.indexOf('\t', 19);
    const full = end < 0 ? text.slice(19) : text.slice(19, end);
    const dot = full.indexOf('.');
    const name = dot < 0 ? full : full.slice(0, dot);
    if (!this.wanted.has(name)) return;
    const start = Number.parseInt(text.slice(4, 16), 16);
    if (!(start > 0)) return;
    const span: Span = { name: name as Symbol, start, end: start + MOST_BYTES };
    this.spans.push(span);
    this.open.push(span);
  }

  get any(): boolean {
    return this.spans.length > 0;
  }

  /** Those of the functions that are in the stack. */
  in(callers: readonly number[]): Set<Symbol> {
    const found = new Set<Symbol>();
    for (const caller of callers) {
      // An address in a stack is the one to return to: behind the call.
      for (const { name, start, end } of this.spans) if (caller > start && caller <= end) found.add(name);
    }
    return found;
  }

  private closeAt(start: number): void {
    this.open = this.open.filter((span) => {
      if (start > span.start && start - span.start < MOST_BYTES) span.end = start;
      return start <= span.start;
    });
  }
}

/** The way of a reset that a socket sent by itself. The most telling function counts first. */
export function pathOf(stack: ReadonlySet<Symbol>): KernelPath | null {
  if (stack.has('inet_csk_listen_stop') || stack.has('inet_child_forget')) return 'listener-closed';
  if (stack.has('tcp_diag_destroy') || stack.has('bpf_sock_destroy') || stack.has('tcp_abort')) return 'sock-destroy';
  if (stack.has('tcp_keepalive_timer')) return 'keepalive';
  if (stack.has('__inet_stream_connect')) return 'disconnect';
  if (stack.has('get_signal')) return 'killed';
  if (stack.has('tcp_disconnect')) return 'linger';
  return stack.has('__tcp_close') || stack.has('tcp_close') ? 'close' : null;
}

export type ConnectEnd = 'icmp' | 'timed-out' | 'abandoned';

/** Why a connect came to nothing, where no reset came. */
export function connectEndOf(stack: ReadonlySet<Symbol>): ConnectEnd | null {
  if (stack.has('tcp_v4_err') || stack.has('tcp_v6_err') || stack.has('icmp_unreach') || stack.has('icmpv6_notify')) {
    return 'icmp';
  }
  if (stack.has('tcp_write_timeout') || stack.has('tcp_write_timer_handler') || stack.has('tcp_write_timer')) {
    return 'timed-out';
  }
  return stack.has('__tcp_close') || stack.has('tcp_disconnect') ? 'abandoned' : null;
}
