/**
 * Numbers as people read them; `null` is "-".
 *
 * Knows neither report nor terminal.
 */

import { grouped } from '../base/text.js';

export const NOTHING = '-';

export function count(n: number | null): string {
  return n === null ? NOTHING : grouped(n);
}

/** Three digits at least, so that a small rate does not look like none: "1,234", "12.3", "0.033". */
export function decimal(n: number | null): string {
  if (n === null) return NOTHING;
  if (n === 0) return '0';
  if (n >= 100) return grouped(Math.round(n));
  if (n >= 1) return n.toFixed(1);
  if (n >= 0.001) return n.toFixed(n >= 0.1 ? 2 : 3);
  return '<0.001';
}

/** 0.254 → "25%". */
export function percent(ratio: number | null): string {
  if (ratio === null) return NOTHING;
  const hundredths = ratio * 100;
  if (hundredths > 0 && hundredths < 1) return '<1%';
  // What is not all must not read as all.
  return `${ratio < 1 ? Math.min(Math.round(hundredths), 99) : Math.round(hundredths)}%`;
}

/** Whole numbers of the two largest units, seconds with a decimal as long as that says something. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Number(seconds.toPrecision(3))} s`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return `${grouped(Math.floor(hours / 24))} d ${hours % 24} h`;
}

const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal units, as disks and networks count: "999 B", "1.2 MB". */
export function byteSize(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const next of BYTE_UNITS) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${unit === 'B' || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

/** An address and a port as one word; brackets keep the colons of IPv6 apart (RFC 3986 3.2.2). */
export function endpoint(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
