/**
 * What users type as values of options, and what it means: ports, addresses, times, numbers.
 *
 * Knows no option by name but for its messages. Everything that cannot be understood is a UserError that says how to
 * write it.
 */

import { addressTest, parseBlock, type AddressTest } from '../base/address.js';
import { UserError } from '../base/errors.js';
import { printable } from '../base/text.js';
import type { Moment } from '../base/time.js';

/** The command whose help tells of an option; the others are options of `read` as well. */
const HELP_OF: ReadonlyMap<string, string> = new Map([
  ...['--duration', '--count', '--backend', '-s'].map((option) => [option, 'live'] as const),
  ...['-d', '--interval', '--warn-sent', '--warn-failed'].map((option) => [option, 'health'] as const),
]);

function usage(option: string, value: string, how: string): UserError {
  return new UserError(
    'usage',
    `${option} does not understand "${printable(value, 80)}": ${how}`,
    `rstscope ${HELP_OF.get(option) ?? 'read'} --help`,
  );
}

/** The items of comma lists, each with the list that it was typed in. */
function itemsOf(values: readonly string[]): (readonly [value: string, item: string])[] {
  return values.flatMap((value) => value.split(',').map((item) => [value, item.trim()] as const));
}

/** "443", "80,443", "8000-8100". */
export function portTest(option: string, values: readonly string[]): (port: number) => boolean {
  const wanted = new Uint8Array(65536);
  for (const [value, item] of itemsOf(values)) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(item);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || to > 65535 || from > to) {
      throw usage(option, value, 'a port, a list (80,443) or a range (8000-8100), from 0 to 65535');
    }
    wanted.fill(1, from, to + 1);
  }
  return (port) => wanted[port] === 1;
}

/** "10.0.0.1", "10.0.0.0/8,::1". */
export function hostTest(option: string, values: readonly string[]): AddressTest {
  const blocks = itemsOf(values).map(([value, item]) => {
    const block = parseBlock(item);
    if (block === null) throw usage(option, value, 'an IP address or a block (10.0.0.0/8), or a list of them');
    return block;
  });
  return addressTest(blocks);
}

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** A year. */
const LONGEST_SECONDS = 366 * 86_400;

/** "90", "90s", "1.5m", "1h" in seconds. */
export function duration(option: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([smhd]?)$/.exec(text);
  const seconds = match === null ? NaN : Number(match[1]) * (SECONDS_OF[match[2] ?? ''] ?? 1);
  const endless = option === '--interval' ? '' : '; 0 is until Ctrl-C';
  if (!(seconds <= LONGEST_SECONDS)) throw usage(option, text, `seconds, or 90s, 5m, 1h${endless}`);
  return seconds;
}

/** "50", "0.5": so many per second. */
export function perSecond(option: string, text: string): number {
  if (!/^\d{1,9}(?:\.\d{1,6})?$/.test(text)) throw usage(option, text, 'so many per second, as 50 or 0.5');
  return Number(text);
}

/** Words of a closed list. */
export function wordSet<T extends string>(option: string, values: readonly string[], allowed: readonly T[]): Set<T> {
  return new Set(
    itemsOf(values).map(([value, item]) => {
      const word = allowed.find((one) => one === item);
      if (word === undefined) throw usage(option, value, `one of ${allowed.join(', ')}`);
      return word;
    }),
  );
}

export function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const word = allowed.find((one) => one === value);
  if (word === undefined) throw usage(option, value, `one of ${allowed.join(', ')}`);
  return word;
}

export function wholeNumber(option: string, value: string, least: number): number {
  if (!/^\d{1,15}$/.test(value) || Number(value) < least)
    throw usage(option, value, `a whole number from ${String(least)}`);
  return Number(value);
}

/** A time as typed: fixed, a time of the first packet's day, or so many seconds before the end. */
export type TypedTime =
  | { readonly kind: 'fixed'; readonly moment: Moment }
  | { readonly kind: 'of-day'; readonly seconds: number; readonly nanos: number }
  | { readonly kind: 'before-end'; readonly seconds: number };

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/** Not the 31st of February, which Date.parse takes for a day in March. */
function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

export function typedTime(option: string, value: string, utc: boolean): TypedTime {
  const relative = /^-(\d+(?:\.\d+)?)([smhd]?)$/.exec(value);
  if (relative !== null) return { kind: 'before-end', seconds: Number(relative[1]) * (UNITS[relative[2] ?? ''] ?? 1) };
  const ofDay = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(value);
  if (ofDay !== null) {
    const [hours, minutes, seconds] = [Number(ofDay[1]), Number(ofDay[2]), Number(ofDay[3] ?? 0)];
    if (hours < 24 && minutes < 60 && seconds < 61) {
      return { kind: 'of-day', seconds: hours * 3600 + minutes * 60 + seconds, nanos: nanosOf(ofDay[4]) };
    }
  }
  const iso = ISO.exec(value);
  if (iso !== null && isDate(iso[1] ?? '')) {
    const zone = (iso[4] ?? (utc ? 'Z' : '')).toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
    const at = Date.parse(`${iso[1] ?? ''}T${iso[2] ?? '00:00'}${zone}`);
    if (!Number.isNaN(at)) return { kind: 'fixed', moment: { seconds: Math.floor(at / 1000), nanos: nanosOf(iso[3]) } };
  }
  throw usage(option, value, 'a time such as 2026-03-01T12:00:00Z, 12:34:56, or -10m for ten minutes before the end');
}

function nanosOf(digits: string | undefined): number {
  return Number((digits ?? '').padEnd(9, '0'));
}

/** A typed time as a moment. `first` and `last` are those of the capture, null where it has no times. */
export function resolveTime(time: TypedTime, first: Moment | null, last: Moment | null, utc: boolean): Moment | null {
  switch (time.kind) {
    case 'fixed':
      return time.moment;
    case 'of-day':
      return first === null ? null : { seconds: onDayOf(first.seconds, time.seconds, utc), nanos: time.nanos };
    case 'before-end': {
      if (last === null) return null;
      const nanos = last.nanos - Math.round((time.seconds % 1) * 1e9);
      return {
        seconds: last.seconds - Math.floor(time.seconds) - (nanos < 0 ? 1 : 0),
        nanos: nanos < 0 ? nanos + 1e9 : nanos,
      };
    }
  }
}

/** What a clock on the wall shows after midnight, which a change to summer time moves. */
function onDayOf(epochSeconds: number, wallSeconds: number, utc: boolean): number {
  const day = new Date(epochSeconds * 1000);
  if (utc) day.setUTCHours(0, 0, wallSeconds, 0);
  else day.setHours(0, 0, wallSeconds, 0);
  return day.getTime() / 1000;
}
