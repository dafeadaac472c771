/**
 * Times as the tables show them, in UTC or local time.
 *
 * Knows no clock: it only writes times of the report.
 */

import { NOTHING } from './figures.js';
import type { Style } from './style.js';

export interface ClockText {
  /** A time of day; with its date when the window covers more than one. */
  readonly time: (iso: string | null) => string;
  readonly timeAt: (epoch: number) => string;
  /** Always with date and zone. */
  readonly full: (epoch: number) => string;
  readonly sameDay: boolean;
}

export interface Span {
  readonly start_epoch: number | null;
  readonly end_epoch: number | null;
}

const SHORT_SECONDS = 10;

export function clockText(span: Span, style: Style): ClockText {
  const parts = calendar(style);
  const { start_epoch: start, end_epoch: end } = span;
  const sameDay = start !== null && end !== null && parts(start * 1000).date === parts(end * 1000).date;
  // In a window of a few seconds whole seconds would all look alike.
  const fine = start !== null && end !== null && end - start < SHORT_SECONDS;

  const at = (ms: number): string => {
    if (!isTime(ms)) return NOTHING;
    const { date, time } = parts(ms);
    const clock = fine ? `${time}.${milliseconds(ms)}` : time;
    return sameDay ? clock : `${date} ${clock}`;
  };
  return {
    time: (iso) => (iso === null ? NOTHING : at(Date.parse(iso))),
    timeAt: (epoch) => at(epoch * 1000),
    full: (epoch) => {
      if (!isTime(epoch * 1000)) return NOTHING;
      const { date, time, zone } = parts(epoch * 1000);
      return `${date} ${fine ? `${time}.${milliseconds(epoch * 1000)}` : time} ${zone}`;
    },
    sameDay,
  };
}

/** "12:00:01.123456": a time of day with the digits that its source had, six at most. */
export function preciseTime(style: Style): (iso: string | null) => string {
  const parts = calendar(style);
  return (iso) => {
    const ms = iso === null ? NaN : Date.parse(iso);
    if (iso === null || !isTime(ms)) return NOTHING;
    const digits = /\.(\d{1,6})/.exec(iso)?.[1];
    return digits === undefined ? parts(ms).time : `${parts(ms).time}.${digits}`;
  };
}

const LAST_DATE_MS = 8.64e15;

function isTime(ms: number): boolean {
  return Math.abs(ms) <= LAST_DATE_MS;
}

function milliseconds(ms: number): string {
  return (((Math.floor(ms) % 1000) + 1000) % 1000).toString().padStart(3, '0');
}

interface CalendarParts {
  readonly date: string;
  readonly time: string;
  readonly zone: string;
}

function calendar(style: Style): (ms: number) => CalendarParts {
  if (style.utc) return inUtc;
  // Intl takes a tenth of the start-up time: only a zone that is not the process's own needs it.
  return style.timeZone === undefined ? inLocalTime : inZone(style.timeZone);
}

/** Of ISO 8601 with four digits a year, as all other times of the report. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_000;

function inUtc(ms: number): CalendarParts {
  // A damaged capture may have times that no calendar has.
  const text = new Date(Math.min(Math.max(Math.floor(ms), FIRST_MS), LAST_MS)).toISOString();
  const dayEnd = text.indexOf('T');
  return { date: text.slice(0, dayEnd), time: text.slice(dayEnd + 1, dayEnd + 9), zone: 'UTC' };
}

/** The same as UTC, moved by the offset that the process's zone has at that time. */
function inLocalTime(ms: number): CalendarParts {
  const offset = -new Date(Math.floor(ms)).getTimezoneOffset();
  const moved = Math.floor(ms) + offset * 60_000;
  if (!isTime(moved)) return inUtc(ms);
  const { date, time } = inUtc(moved);
  const minutes = Math.abs(offset);
  const pad = (n: number): string => Math.floor(n).toString().padStart(2, '0');
  const zone = offset === 0 ? 'UTC' : `UTC${offset < 0 ? '-' : '+'}${pad(minutes / 60)}:${pad(minutes % 60)}`;
  return { date, time, zone };
}

function inZone(timeZone: string): (ms: number) => CalendarParts {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  });
  return (ms) => {
    // A Date cuts towards zero; before 1970 that would be the next millisecond.
    const parts = format.formatToParts(Math.floor(ms));
    const get = (type: Intl.DateTimeFormatPartTypes): string => parts.find((part) => part.type === type)?.value ?? '';
    return {
      date: `${get('year').padStart(4, '0')}-${get('month')}-${get('day')}`,
      time: `${get('hour')}:${get('minute')}:${get('second')}`,
      zone: get('timeZoneName'),
    };
  };
}
