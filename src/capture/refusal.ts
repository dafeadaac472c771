/**
 * What people mistake for a capture, told by its first bytes, and the next command to type for it.
 */

import { u32 } from '../base/bytes.js';
import { systemReason, UserError } from '../base/errors.js';
import { plural, printable } from '../base/text.js';
import type { ByteWindow } from './byte-window.js';
import { CLASSIC_HEADER, classicLayout } from './classic-format.js';
import { GzipError } from './gzip.js';
import { SECTION_HEADER } from './pcapng-search.js';

interface OtherFormat {
  readonly magic: readonly number[];
  readonly what: string;
  /** The command whose output is what was packed. */
  readonly unpack?: string;
}

const OTHERS: readonly OtherFormat[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], what: 'zstd-compressed', unpack: 'zstd -dc' },
  { magic: [0x04, 0x22, 0x4d, 0x18], what: 'lz4-compressed', unpack: 'lz4 -dc' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], what: 'xz-compressed', unpack: 'xz -dc' },
  { magic: [0x42, 0x5a, 0x68], what: 'bzip2-compressed', unpack: 'bzip2 -dc' },
  { magic: [0x1f, 0x9d], what: 'compressed by compress', unpack: 'gzip -dc' },
  { magic: [0x50, 0x4b, 0x03, 0x04], what: 'a zip archive', unpack: 'unzip -p' },
  { magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], what: 'a 7z archive', unpack: '7z x -so' },
  { magic: [0x73, 0x6e, 0x6f, 0x6f, 0x70, 0x00], what: 'a snoop capture' },
  { magic: [0x47, 0x4d, 0x42, 0x55], what: 'a Network Monitor capture' },
  { magic: [0x52, 0x54, 0x53, 0x53], what: 'a Network Monitor capture' },
];

const SHOWN_BYTES = 4;
/** Fewer printable characters may be anything. */
const MIN_TEXT = 8;

/** A file's name as a shell takes it, and no program for an option. */
export function shellQuote(name: string): string {
  return shellWord(name.startsWith('-') ? `./${name}` : name);
}

/** A word of a command as a shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${printable(word, 4096).replaceAll("'", `'\\''`)}'`;
}

/** Why `window`, at the first bytes of what the user calls `name`, holds no capture. `packed`: it was in gzip. */
export function refusal(name: string, window: ByteWindow, packed: boolean): UserError {
  const shown = printable(name);
  const inside = packed ? ' (after gzip)' : '';
  const file = name === '-' ? 'FILE' : shellQuote(name);
  const { bytes, at, available, readError } = window;
  if (available === 0 && readError !== null) {
    const reason = readError instanceof GzipError ? readError.message : systemReason(readError);
    return new UserError('unreadable', `cannot read ${shown}: ${reason}`, null, readError);
  }
  if (available === 0) {
    const least = `a capture begins with a header of at least ${String(CLASSIC_HEADER)} bytes`;
    return new UserError('not-a-capture', `${shown} is empty${inside}: ${least}`);
  }
  const begins = (magic: readonly number[]): boolean =>
    magic.length <= available && magic.every((byte, i) => bytes[at + i] === byte);
  const other = OTHERS.find(({ magic }) => begins(magic));
  if (other !== undefined) return otherFormat(`${shown} is ${other.what}${inside}`, file, other.unpack, packed);
  if (available >= 4 && (classicLayout(bytes, at) !== null || u32(bytes, at) === SECTION_HEADER)) {
    return new UserError('not-a-capture', `${shown} is cut off or corrupt in its header${inside}: ${held(available)}`);
  }
  const head = bytes.subarray(at, at + Math.min(CLASSIC_HEADER, available));
  if (head.length >= MIN_TEXT && head.every(isText)) {
    return new UserError(
      'not-a-capture',
      `${shown} is text, not a capture${inside}: packets are saved by tcpdump's -w, its printed lines can't be read back`,
      'sudo tcpdump -i any -w capture.pcap tcp',
    );
  }
  const first = Array.from(head.subarray(0, SHOWN_BYTES), (b) => b.toString(16).padStart(2, '0')).join(' ');
  return new UserError(
    'not-a-capture',
    `${shown} is not a capture${inside}: it begins with ${first}, a pcap with d4 c3 b2 a1 and a pcapng with 0a 0d 0d 0a (or their kin)`,
    packed ? `gzip -dc ${file} | file -` : `file ${file}`,
  );
}

function otherFormat(told: string, file: string, unpack: string | undefined, packed: boolean): UserError {
  if (unpack === undefined) {
    const convert = packed
      ? `gzip -dc ${file} > unpacked && editcap -F pcapng unpacked converted.pcapng`
      : `editcap -F pcapng ${file} converted.pcapng`;
    return new UserError(
      'not-a-capture',
      `${told}, rstscope reads pcap and pcapng`,
      `${convert} && rstscope read converted.pcapng`,
    );
  }
  const command = packed ? `gzip -dc ${file} | ${unpack}` : `${unpack} ${file}`;
  return new UserError('compressed', `${told}, which rstscope does not unpack itself`, `${command} | rstscope read -`);
}

function held(available: number): string {
  return available < CLASSIC_HEADER
    ? `${plural(available, 'byte')} of at least ${String(CLASSIC_HEADER)} are there`
    : 'its byte order is not stated';
}

/** Printable ASCII and white space. */
function isText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);
}
