/**
 * One row for each reset (RFC 4180). The columns are an event's scalar keys; lists and objects have no cell to be in.
 *
 * Cells that a spreadsheet would take for a formula begin with an apostrophe.
 */

import { printable } from '../base/text.js';
import type { ResetEvent } from '../report/types.js';

type ScalarKey = {
  [Key in keyof ResetEvent]: ResetEvent[Key] extends string | number | null ? Key : never;
}[keyof ResetEvent];

/** A record rather than a list: the compiler sees that no scalar key is missing. */
const COLUMNS: Readonly<Record<ScalarKey, true>> = {
  type: true,
  id: true,
  timestamp: true,
  epoch: true,
  src_ip: true,
  src_port: true,
  dest_ip: true,
  dest_port: true,
  ip_version: true,
  src_mac: true,
  dest_mac: true,
  tcp_flags: true,
  seq: true,
  ack: true,
  window: true,
  ttl: true,
  ip_id: true,
  payload_length: true,
  payload_text: true,
  file: true,
  frame: true,
  interface: true,
  copies: true,
  netns: true,
  direction: true,
  service_port: true,
  reset_by: true,
  conn_state: true,
  stage: true,
  idle_seconds: true,
  bytes_to_server: true,
  bytes_to_client: true,
  cause: true,
  confidence: true,
  origin: true,
  pattern: true,
  kernel_reason: true,
  kernel_path: true,
  sender_reason: true,
  receiver_reason: true,
  community_id: true,
};

function isColumn(key: string): key is ScalarKey {
  return key in COLUMNS;
}

const KEYS = Object.keys(COLUMNS).filter(isColumn);

export function csvHeader(): string {
  return `${KEYS.join(',')}\r\n`;
}

export function csvRow(event: ResetEvent): string {
  return `${KEYS.map((key) => cell(event[key])).join(',')}\r\n`;
}

/** Also the full-width signs, which some spreadsheets read as the plain ones. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const PLAIN = /^[ -~]*$/;
const NEEDS_QUOTES = /[",\r\n]/;

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const shown = PLAIN.test(value) ? value : printable(value, Infinity);
  // A lone "-", standard input's name, is no formula to anyone.
  const text = FORMULA.test(value) && value !== '-' ? `'${shown}` : shown;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
