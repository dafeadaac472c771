/** What a ladder is drawn with: where only ASCII may be written, and elsewhere. */

import type { Style } from './style.js';

export interface LadderGlyphs {
  /** The two sides' lines, whole and broken. */
  readonly line: string;
  readonly broken: string;
  readonly shaft: string;
  /** The shaft of the reset that is explained. */
  readonly thick: string;
  readonly toRight: string;
  readonly toLeft: string;
}

const UNICODE: LadderGlyphs = { line: '│', broken: '┆', shaft: '─', thick: '━', toRight: '▶', toLeft: '◀' };
const ASCII: LadderGlyphs = { line: '|', broken: ':', shaft: '-', thick: '=', toRight: '>', toLeft: '<' };

export function ladderGlyphs({ unicode }: Style): LadderGlyphs {
  return unicode ? UNICODE : ASCII;
}
