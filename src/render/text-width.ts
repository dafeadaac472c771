/**
 * Text by the columns it takes on a terminal: measured, cut to fit, broken into lines.
 *
 * Knows colours only as codes that take no room.
 */

// Select Graphic Rendition: all that chalk writes.
const COLOR_CODE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const PLAIN = /^[ -~]*$/;
const NO_COLUMN = /[\p{Mn}\p{Me}]/u;
// Wide and full-width characters and emoji (Unicode TR 11), by block.
const TWO_COLUMNS =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

export function withoutColor(text: string): string {
  return text.replace(COLOR_CODE, '');
}

/** Columns that the text takes. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const char of withoutColor(text)) columns += columnsOfChar(char);
  return columns;
}

function columnsOfChar(char: string): number {
  if (NO_COLUMN.test(char)) return 0;
  return TWO_COLUMNS.test(char) ? 2 : 1;
}

/** At most `room` columns of text without colour; what is cut off at the end is told by the ellipsis. */
export function clip(text: string, room: number, ellipsis: string): string {
  if (columnsOf(text) <= room) return text;
  return takeColumns(Array.from(text), room - ellipsis.length).join('') + ellipsis;
}

/** As `clip`, but keeps the end: of a path it tells more than the beginning. */
export function clipStart(text: string, room: number, ellipsis: string): string {
  if (columnsOf(text) <= room) return text;
  const kept = takeColumns(Array.from(text).reverse(), room - ellipsis.length);
  return ellipsis + kept.reverse().join('');
}

function takeColumns(chars: readonly string[], room: number): string[] {
  const kept: string[] = [];
  let used = 0;
  for (const char of chars) {
    used += columnsOfChar(char);
    if (used > room) break;
    kept.push(char);
  }
  return kept;
}

/** Lines of at most `width` columns, broken at spaces; the second and later ones begin with `indent`. */
export function wrap(text: string, width: number, indent = ''): string {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const room = width - Math.max(lead.length, indent.length);
  const lines: string[] = [];
  let line: string | null = null;
  for (const word of text
    .slice(lead.length)
    .split(' ')
    .flatMap((word) => splitLong(word, room))) {
    const longer: string = line === null ? word : `${line} ${word}`;
    const taken = lines.length === 0 ? lead.length : indent.length;
    if (line !== null && columnsOf(longer) > width - taken) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return lead + [...lines, line ?? ''].join(`\n${indent}`);
}

/** A word that is longer than a line is cut into lines: a terminal would do the same, only without the indent. */
function splitLong(word: string, room: number): string[] {
  if (room < 1 || columnsOf(word) <= room) return [word];
  const parts: string[] = [];
  let rest = Array.from(withoutColor(word));
  while (rest.length > 0) {
    const part = takeColumns(rest, Math.max(room, 2));
    parts.push(part.join(''));
    rest = rest.slice(part.length);
  }
  return parts;
}
