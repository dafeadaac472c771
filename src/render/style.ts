/**
 * How output for people is dressed: colours, width, time zone and glyphs.
 *
 * Decides from values it is handed; knows no stream, no environment of its own and no report.
 */

import { Chalk, type ChalkInstance } from 'chalk';
import { printable } from '../base/text.js';

export type ColorLevel = 0 | 1 | 2 | 3;
export type ColorOption = 'always' | 'never' | 'auto';
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Style {
  /** Chalk's level: none, 16, 256 or all colours. */
  readonly color: ColorLevel;
  /** Columns of the terminal, or of the page when there is none. */
  readonly width: number;
  readonly utc: boolean;
  /** False where the terminal may not know more than ASCII. */
  readonly unicode: boolean;
  /** An IANA name; without it local times are those of the process. */
  readonly timeZone?: string;
}

export interface ColorFacts {
  readonly option: ColorOption;
  readonly env: Environment;
  /** Of the stream that is written to: standard output and standard error may differ. */
  readonly isTTY: boolean;
  /** What the stream's getColorDepth() says, in bits (1, 4, 8, 24); null where it has none. */
  readonly colorDepth: number | null;
}

/** The option speaks before the environment, FORCE_COLOR before NO_COLOR (as in Node itself), both before TERM. */
export function colorLevel({ option, env, isTTY, colorDepth }: ColorFacts): ColorLevel {
  if (option === 'never') return 0;
  const able = levelOfDepth(colorDepth);
  if (option === 'always') return able === 0 ? 1 : able;
  const forced = forcedLevel(env['FORCE_COLOR']);
  if (forced !== null) return forced;
  // An empty value counts as not set (no-color.org).
  if ((env['NO_COLOR'] ?? '') !== '') return 0;
  return isTTY && env['TERM'] !== 'dumb' ? able : 0;
}

function levelOfDepth(bits: number | null): ColorLevel {
  if (bits === null || bits < 4) return 0;
  if (bits < 8) return 1;
  return bits < 24 ? 2 : 3;
}

function forcedLevel(value: string | undefined): ColorLevel | null {
  switch (value) {
    case undefined:
    case '':
      return null;
    case '0':
    case 'false':
      return 0;
    case '2':
      return 2;
    case '3':
      return 3;
    default:
      return 1;
  }
}

/** Whether block elements and arrows may be written: not where a locale without UTF-8 is set, nor on the Linux console. */
export function supportsUnicode(env: Environment): boolean {
  if (env['TERM'] === 'linux') return false;
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

export interface Glyphs {
  readonly ellipsis: string;
  readonly arrow: string;
  readonly bullet: string;
  /** The sparkline's characters: nothing first, then from little to most. */
  readonly bars: string;
}

const UNICODE: Glyphs = { ellipsis: '…', arrow: '→', bullet: '·', bars: '▁▂▃▄▅▆▇█' };
const ASCII: Glyphs = { ellipsis: '...', arrow: '->', bullet: '-', bars: '_.:-=+*#' };

export function glyphs(style: Style): Glyphs {
  return style.unicode ? UNICODE : ASCII;
}

/** Text from a capture, fit to be shown: nothing in it can steer the terminal. */
export function safe(text: string, style: Style, limit?: number): string {
  const shown = printable(text, limit);
  return style.unicode ? shown : shown.replaceAll('·', '?').replaceAll('…', '...');
}

/** What a colour stands for; none of it is needed to understand the text. */
export interface Paint {
  readonly title: ChalkInstance;
  readonly head: ChalkInstance;
  readonly resets: ChalkInstance;
  readonly warning: ChalkInstance;
  readonly notice: ChalkInstance;
  readonly good: ChalkInstance;
  readonly chart: ChalkInstance;
  readonly quiet: ChalkInstance;
}

export function painter(style: Style): Paint {
  const chalk = new Chalk({ level: style.color });
  return {
    title: chalk.bold,
    head: chalk.dim,
    resets: chalk.red.bold,
    warning: chalk.yellow,
    notice: chalk.cyan,
    good: chalk.green,
    chart: chalk.cyan,
    quiet: chalk.dim,
  };
}
