/** Rows of CSV: which columns, how a cell is written, and that no cell is a formula. */
import { describe, expect, test } from '@jest/globals';
import { csvHeader, csvRow } from '../../src/render/csv.js';
import { HOSTILE, sampleEvent } from './sample-report.js';

const NOT_COLUMNS = ['vlan', 'outer', 'frames', 'interfaces', 'translations', 'evidence', 'sender', 'receiver'];

/** RFC 4180, read by the book. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy;
  let row: string[] = [];
  let read = 0;
  for (const [all, raw = '', end] of text.matchAll(cell)) {
    read += all.length;
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  if (read !== text.length || row.length > 0) throw new Error(`not CSV from ${read}: ${text.slice(read)}`);
  return rows;
}

const cellOf = (column: string, event = sampleEvent()): string | undefined => {
  const [header = [], row = []] = parseCsv(csvHeader() + csvRow(event));
  return row[header.indexOf(column)];
};

describe('CSV', () => {
  test('has a column for each scalar key, in order', () => {
    const keys = Object.keys(sampleEvent()).filter((key) => !NOT_COLUMNS.includes(key));
    expect(csvHeader()).toBe(`${keys.join(',')}\r\n`);
  });
  test('writes each value as it is', () => {
    const values = new Map(
      Object.entries(JSON.parse(JSON.stringify(sampleEvent())) as Record<string, string | number | null>),
    );
    const [header = [], row = []] = parseCsv(csvHeader() + csvRow(sampleEvent()));
    expect(row).toEqual(header.map((key) => (values.get(key) ?? '').toString()));
  });
  test('writes nothing for null', () => {
    expect(cellOf('kernel_reason')).toBe('');
    expect(cellOf('dest_mac')).toBe('');
    expect(cellOf('window')).toBe('0');
  });
  test.each([
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['plain text', 'plain text'],
    ['two\r\nlines', 'two··lines'],
  ])('quotes %j', (text, expected) => {
    expect(csvRow(sampleEvent({ payload_text: text }))).toContain(`,0,${expected},office.pcap,`);
  });
  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '＝1'])('guards the formula %j', (text) => {
    expect(cellOf('payload_text', sampleEvent({ payload_text: text }))?.startsWith("'")).toBe(true);
    expect(cellOf('payload_text', sampleEvent({ payload_text: ` ${text}` }))?.startsWith("'")).toBe(false);
  });
  test('leaves numbers alone, and addresses', () => {
    const event = sampleEvent({ epoch: -1.5, src_ip: '::1' });
    expect(cellOf('epoch', event)).toBe('-1.5');
    expect(cellOf('src_ip', event)).toBe('::1');
  });
  test('keeps long text whole', () => {
    expect(cellOf('file', sampleEvent({ file: 'x'.repeat(5000) }))).toHaveLength(5000);
  });
  test('lets no text steer a terminal or forge a row', () => {
    const row = csvRow(sampleEvent({ payload_text: HOSTILE, interface: HOSTILE, file: HOSTILE }));
    expect(row.slice(0, -2)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    expect(parseCsv(row)).toHaveLength(1);
    expect(parseCsv(row)[0]).toHaveLength(parseCsv(csvHeader())[0]?.length ?? -1);
  });
});
