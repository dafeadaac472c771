/** Finds the reset of a capture that is meant; and what to say where there is none such. */

import { readCommentId } from '../attribute/comment.js';
import { UserError } from '../base/errors.js';
import { grouped, plural, printable } from '../base/text.js';
import { framesOf, type Reset } from '../conversation/reset.js';
import { LONGEST_SHOWN, type Which } from './which.js';

/** A frame of a reset. */
export interface Near {
  readonly file: number;
  readonly frame: number;
}

/** Hears of all resets and keeps the one that is meant. */
export class ResetFinder {
  /** Resets there are, and those that bear an id of rstscope's. */
  resets = 0;
  noted = 0;
  /** What is as near to it as any. */
  nearest: Near | null = null;
  private exact: Reset | null = null;
  private byNote: Reset | null = null;
  private readonly which: Which;

  constructor(which: Which) {
    this.which = which;
  }

  /** An event's own id is meant before one that its comment bears. */
  get found(): Reset | null {
    return this.exact ?? this.byNote;
  }

  /** @returns whether it is meant, as far as is known now. */
  hear(reset: Reset): boolean {
    const { which } = this;
    this.resets++;
    const id = reset.note === null ? null : readCommentId(reset.note);
    if (id !== null) this.noted++;
    if (which.kind !== 'frame' && id === which.typed && this.byNote === null) this.byNote = reset;
    if (which.kind === 'live') this.nearest ??= { file: reset.file, frame: reset.frame };
    else this.compare(reset, which.kind === 'frame' ? 0 : which.file, which.frame);
    return this.found === reset;
  }

  private compare(reset: Reset, file: number, typed: number): void {
    // Beyond it, distances would be rounded.
    const frame = Math.min(typed, Number.MAX_SAFE_INTEGER);
    for (const own of framesOf(reset)) {
      if (reset.file === file && own === frame) this.exact ??= reset;
      const { nearest } = this;
      const isNearer =
        nearest === null ||
        (reset.file === file && (nearest.file !== file || Math.abs(own - frame) < Math.abs(nearest.frame - frame)));
      if (isNearer) this.nearest = { file: reset.file, frame: own };
    }
  }
}

/** What is known of a frame that shows no reset. */
export interface Missed {
  readonly which: Which;
  readonly finder: ResetFinder;
  /** The capture, or several, as they are called in a sentence. */
  readonly name: string;
  /** Captures that were named. */
  readonly files: number;
  /** Frames in all, where there is one file. */
  readonly frames: number | null;
  /** Its TCP flags, and the frame of its conversation's next reset; null: no TCP header. */
  readonly other: { readonly flags: string; readonly resetFrame: number | null } | null;
  /** The command for another frame of it. */
  readonly command: (near: Near) => string;
  /** The command where there is no reset at all. */
  readonly without: string;
}

export function noSuchReset(missed: Missed): UserError {
  const { which, finder, name, other, command, without } = missed;
  const { resets, noted, nearest } = finder;
  const of = resets === 1 ? 'its one reset' : `of its ${grouped(resets)} resets the nearest`;
  if (which.kind === 'live') {
    const bear = noted === 0 ? 'none of which bears an id' : `${grouped(noted)} of which bear an id`;
    const what = `no reset in ${name} has the id ${printable(which.typed, LONGEST_SHOWN)}`;
    const there = resets === 0 ? 'it holds none' : `it holds ${plural(resets, 'reset')}, ${bear}`;
    return new UserError('no-such-frame', `${what}: ${there}`, nearest === null ? without : command(nearest));
  }
  const what = whatItIs(which, missed);
  if (nearest === null) return new UserError('no-such-frame', `${what}; there is no reset in it`, without);
  const own = other?.resetFrame ?? null;
  if (own !== null) {
    const near = { file: which.kind === 'file' ? which.file : 0, frame: own };
    return new UserError(
      'no-such-frame',
      `${what}; the next reset of its conversation is frame ${String(own)}`,
      command(near),
    );
  }
  return new UserError('no-such-frame', `${what}; ${of} is frame ${String(nearest.frame)}`, command(nearest));
}

function whatItIs(which: Exclude<Which, { kind: 'live' }>, { name, files, frames, other }: Missed): string {
  const { frame, typed } = which;
  const shown = which.kind === 'file' ? printable(typed, LONGEST_SHOWN) : `frame ${shownNumber(frame, typed)}`;
  if (which.kind === 'file' && which.file >= files) {
    return `${shown} is of file ${grouped(which.file + 1)}, and ${name} ${files === 1 ? 'is the one file' : 'are all files'}`;
  }
  if (frame < 1) return `frames are counted from 1: there is no ${shown} in ${name}`;
  if (frames !== null && frame > frames)
    return `${shown} is beyond the end of ${name}, which has ${plural(frames, 'frame')}`;
  if (other !== null) return `${shown} of ${name} is no reset: its TCP flags are [${other.flags}]`;
  return `${shown} of ${name} holds no TCP header${frames === null ? ', or is beyond the end of its file' : ''}`;
}

/** As it was typed, cut where it is too long for a number. */
function shownNumber(frame: number, typed: string): string {
  return Number.isSafeInteger(frame) ? String(frame) : printable(typed, LONGEST_SHOWN);
}
