/** The kernel's descriptions of its own events, of all recorded kernels and of none. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseFormat, parsePageFormat } from '../../../src/attribute/trace/format.js';
import { bestOf } from '../../support/stopwatch.js';
import { KERNELS, RECORDED, sections } from './recordings.js';

describe.each(KERNELS)('formats of %s', (kernel) => {
  const all = sections(kernel);

  test.each([...all.keys()].filter((name) => name !== 'header_page'))('%s: every field, where it is', (name) => {
    const text = all.get(name) ?? '';
    const format = parseFormat(text);
    const lines = text.split('\n').filter((line) => line.startsWith('\tfield:'));
    expect(format?.id).toBe(Number(/^ID: (\d+)$/m.exec(text)?.[1]));
    expect(format?.fields.size).toBe(lines.length);
    for (const line of lines) {
      const [, declared = '', offset, size] = /^\tfield:(.*);\toffset:(\d+);\tsize:(\d+);/.exec(line) ?? [];
      const field = /(\w+)(?:\[.*\])?$/.exec(declared)?.[1] ?? '';
      expect([line, format?.fields.get(field)]).toEqual([line, { offset: Number(offset), size: Number(size) }]);
    }
  });
});

test.each(RECORDED)('the page of the ring of %s', (kernel) => {
  expect(parsePageFormat(sections(kernel).get('header_page') ?? '')).toEqual({ commit: 8, commitSize: 8, data: 16 });
});

test.each(['6.12', '6.18', '7.3'])('reasons of %s as the kernel prints them', (kernel) => {
  const names = parseFormat(sections(kernel).get('tcp/tcp_send_reset') ?? '')?.names;
  expect(names?.get('reason')?.get(1)).toBe('NO_SOCKET');
  expect([...(names?.get('reason')?.values() ?? [])]).toEqual(
    expect.arrayContaining(['TCP_TIMEWAIT_SOCKET', 'TCP_ABORT_ON_CLOSE', 'TCP_STATE', 'TCP_KEEPALIVE_TIMEOUT']),
  );
  // These are left as names of the source: what number they are is not said.
  expect(names?.has('state')).toBe(false);
});

test.each(['5.10', '6.1', '6.9'])('%s has no reasons', (kernel) => {
  const format = parseFormat(sections(kernel).get('tcp/tcp_send_reset') ?? '');
  expect(format?.fields.has('reason')).toBe(false);
  expect(format?.names.has('reason')).toBe(false);
});

test('negative values have names too', () => {
  const text =
    'name: x\nID: 7\nformat:\n\nprint fmt: "%s", __print_symbolic(REC->how, { -1, "less" }, { 2, "more" })\n';
  expect(parseFormat(text)?.names.get('how')).toEqual(
    new Map([
      [-1, 'less'],
      [2, 'more'],
    ]),
  );
});

test('what is no format is none', () => {
  expect(parseFormat('')).toBeNull();
  expect(parseFormat('name: x\nID: many\n')).toBeNull();
  expect(parsePageFormat('')).toBeNull();
  expect(parsePageFormat('\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n')).toBeNull();
});

test('lengths are bounded', () => {
  const field = (i: number) => `\tfield:int f${i};\toffset:${i};\tsize:4;\tsigned:1;\n`;
  const value = (i: number) => `{ ${i}, "n${i}" }`;
  const text =
    'ID: 1\n' +
    Array.from({ length: 5000 }, (_, i) => field(i)).join('') +
    `print fmt: "", __print_symbolic(REC->f1, ${Array.from({ length: 5000 }, (_, i) => value(i)).join(', ')})\n`;
  const format = parseFormat(text);
  expect(format?.fields.size).toBe(128);
  expect(format?.names.get('f1')?.size).toBe(1024);
});

test('no text makes it throw or think for long', () => {
  const piece = fc.oneof(
    fc.constantFrom('ID: 1\n', '\tfield:', 'int x;', '\toffset:8;', '\tsize:4;', '\n', '__print_symbolic(REC->a,'),
    fc.constantFrom(' { 1, "A" }', '{', '}', ')', ',', '[', ']', ' ', '__data_loc char[] a;'),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      parseFormat(pieces.join(''));
      parsePageFormat(pieces.join(''));
    }),
    { numRuns: 300 },
  );
  const took = bestOf(5_000, () => {
    for (const part of ['{ 1, "A" }', '{ 1, "A" ', '\tfield:a', '\tfield:a[', ' ', 'a']) {
      parseFormat(`ID: 1\n__print_symbolic(REC->a,${part.repeat(20_000)}`);
      parsePageFormat(part.repeat(20_000));
    }
  });
  expect(took).toBeLessThan(5_000);
});
