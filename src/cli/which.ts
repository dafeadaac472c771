/**
 * Which reset of a capture was typed: by a frame's number, or by an event's id, its own or one that `live -w` wrote beside
 * it.
 */

import { UserError } from '../base/errors.js';
import { printable } from '../base/text.js';

export const LONGEST_SHOWN = 120;
/** Parts of a live event's id between its hyphens, at least: time, both ends, number. */
const LIVE_PARTS = 6;

export type Which = { readonly typed: string } & (
  | { readonly kind: 'frame'; readonly frame: number }
  | { readonly kind: 'file'; readonly file: number; readonly frame: number }
  | { readonly kind: 'live' }
);

/** Null: it is nothing of the kind. */
export function whichOf(typed: string): Which | null {
  if (/^\d+$/.test(typed)) return { kind: 'frame', typed, frame: Number(typed) };
  const id = /^f(\d+)-(\d+)$/.exec(typed);
  if (id !== null) return { kind: 'file', typed, file: Number(id[1]) - 1, frame: Number(id[2]) };
  return typed.split('-').length >= LIVE_PARTS ? { kind: 'live', typed } : null;
}

/** Whether somebody who types this means a reset, rightly or wrongly. */
export function looksLikeWhich(typed: string): boolean {
  return /^[+-]?\d/.test(typed) || whichOf(typed) !== null;
}

export function notWhich(typed: string, hint: string): UserError {
  const what = 'neither the number of a frame, which counts from 1 as in Wireshark, nor the id of an event';
  return new UserError('usage', `"${printable(typed, LONGEST_SHOWN)}" is ${what}`, hint);
}
