/** Which functions a stack went through, and what that says. */
import { describe, expect, test } from '@jest/globals';
import { connectEndOf, pathOf, Symbols, type Symbol } from '../../../src/attribute/trace/stacks.js';
import { eventsOf, linesOf, RECORDED, storiesOf, symbolsOf } from './recordings.js';

function symbols(...lines: string[]): Symbols {
  const made = new Symbols();
  for (const line of lines) made.line(line);
  return made;
}

const names = (found: ReadonlySet<Symbol>): string[] => [...found].sort();

describe.each(RECORDED)('the stacks of %s', (kernel) => {
  const known = symbolsOf(kernel);
  const stacks = eventsOf(kernel).flatMap((event) => (event.kind === 'stack' ? [event] : []));

  test('are the functions that the kernel printed', () => {
    const printed = linesOf(kernel).filter(({ name }) => name === 'kernel_stack');
    expect(printed.length).toBe(stacks.length);
    stacks.forEach(({ callers }, i) => {
      const wanted = new Set(printed[i]?.functions);
      for (const name of known.in(callers)) expect(wanted).toContain(name);
      expect(pathOf(known.in(callers))).not.toBeNull();
    });
  });

  test('say what was done', () => {
    const done = storiesOf(kernel).filter(({ reset_by: by }) => by !== 'kernel');
    const said = done.map(({ began_ns: began, ended_ns: ended, id }) => [
      id,
      ...stacks.filter(({ time }) => time >= began && time <= ended).map(({ callers }) => pathOf(known.in(callers))),
    ]);
    expect(said).toEqual(done.map(({ id, via }) => [id, via]));
  });
});

describe('lines of kallsyms', () => {
  test('a function ends where the next begins', () => {
    const made = symbols(
      'ffffffff81000000 T tcp_disconnect',
      'ffffffff81000100 t something_else',
      'ffffffff81000200 T tcp_abort',
      'ffffffff81000300 T tcp_close',
    );
    const at = (low: number) => names(made.in([0xffff_8100_0000 + low]));
    expect(at(0)).toEqual([]);
    expect(at(1)).toEqual(['tcp_disconnect']);
    // The address to return to may be the first behind a call that never returns.
    expect(at(0x100)).toEqual(['tcp_disconnect']);
    expect(at(0x101)).toEqual([]);
    expect(at(0x250)).toEqual(['tcp_abort']);
    expect(at(0x350)).toEqual(['tcp_close']);
  });

  test('clones of a compiler are the function', () => {
    const made = symbols('ffffffff81000000 t tcp_write_err.isra.0', 'ffffffff81000100 t tcp_write_timeout.constprop.0');
    expect(names(made.in([0xffff_8100_0010, 0xffff_8100_0110]))).toEqual(['tcp_write_err', 'tcp_write_timeout']);
  });

  test('other names that begin alike, and data, are not', () => {
    const made = symbols(
      'ffffffff81000000 T __pfx_tcp_close',
      'ffffffff81000010 T tcp_close_state',
      'ffffffff81000100 d tcp_close',
      'ffffffff81000200 r tcp_disconnect',
    );
    expect(made.any).toBe(false);
  });

  test('modules', () => {
    const made = symbols(
      'ffffffffc0a00000 t tcp_diag_destroy\t[tcp_diag]',
      'ffffffffc0a00080 t tcp_diag_dump\t[tcp_diag]',
    );
    expect(pathOf(made.in([0xffff_c0a0_0040]))).toBe('sock-destroy');
    expect(pathOf(made.in([0xffff_c0a0_0090]))).toBeNull();
  });

  test('hidden addresses are none', () => {
    const made = symbols('0000000000000000 T tcp_disconnect', '0000000000000000 T tcp_close');
    expect(made.any).toBe(false);
    expect(made.in([0, 1, 5]).size).toBe(0);
  });

  test('the last function of all does not reach for ever', () => {
    const made = symbols('ffffffff81000000 T tcp_disconnect');
    expect(made.in([0xffff_8100_0000 + 0x20000]).size).toBe(0);
  });

  test('a lower address behind it, of a module, ends nothing', () => {
    const made = symbols(
      'ffffffff81000000 T tcp_disconnect',
      'ffffffff80000000 t a_module\t[m]',
      'ffffffff81000080 t next',
    );
    expect(made.in([0xffff_8100_0040]).size).toBe(1);
    expect(made.in([0xffff_8100_0090]).size).toBe(0);
  });

  test('lines that are none', () => {
    const made = symbols(
      '',
      'x',
      'ffffffff81000000',
      'ffffffff81000000 T',
      'ffffffff81000000 T ',
      'zzzzzzzzzzzzzzzz T tcp_close',
    );
    expect(made.any).toBe(false);
  });

  test('two aliases at one address are both there', () => {
    const made = symbols('ffffffff81000000 T tcp_abort', 'ffffffff81000000 T tcp_close', 'ffffffff81000100 T next');
    expect(names(made.in([0xffff_8100_0010]))).toEqual(['tcp_abort', 'tcp_close']);
    expect(made.in([0xffff_8100_0110]).size).toBe(0);
  });
});

describe('the way of a reset', () => {
  test.each<[string, readonly Symbol[], ReturnType<typeof pathOf>]>([
    ['SO_LINGER 0', ['tcp_disconnect', '__tcp_close', 'tcp_close'], 'linger'],
    ['data unread', ['__tcp_close', 'tcp_close'], 'close'],
    ['killed with data unread', ['__tcp_close', 'tcp_close', 'do_group_exit', 'get_signal'], 'killed'],
    [
      'listener closed',
      ['tcp_disconnect', 'inet_child_forget', 'inet_csk_listen_stop', '__tcp_close', 'tcp_close'],
      'listener-closed',
    ],
    ['connect to AF_UNSPEC', ['tcp_disconnect', '__inet_stream_connect'], 'disconnect'],
    ['ss -K', ['tcp_abort', 'tcp_diag_destroy'], 'sock-destroy'],
    ['a BPF program', ['tcp_abort', 'bpf_sock_destroy'], 'sock-destroy'],
    ['keepalive', ['tcp_keepalive_timer'], 'keepalive'],
    ['an exit by itself', ['tcp_disconnect', '__tcp_close', 'do_group_exit'], 'linger'],
    ['nothing that is known', [], null],
  ])('%s', (_, functions, path) => {
    expect(pathOf(new Set(functions))).toBe(path);
  });
});

describe('the end of a connect', () => {
  test.each<[string, readonly Symbol[], ReturnType<typeof connectEndOf>]>([
    ['an ICMP error', ['tcp_v4_err', 'icmp_unreach'], 'icmp'],
    ['an ICMPv6 error', ['tcp_v6_err', 'icmpv6_notify'], 'icmp'],
    [
      'no answer',
      ['tcp_write_err', 'tcp_write_timeout', 'tcp_retransmit_timer', 'tcp_write_timer_handler'],
      'timed-out',
    ],
    ['closed before', ['__tcp_close', 'tcp_close'], 'abandoned'],
    ['disconnected before', ['tcp_disconnect', '__inet_stream_connect'], 'abandoned'],
    ['a timer that came while another socket was closed', ['tcp_write_timer', '__tcp_close'], 'timed-out'],
    ['nothing that is known', [], null],
  ])('%s', (_, functions, end) => {
    expect(connectEndOf(new Set(functions))).toBe(end);
  });
});
