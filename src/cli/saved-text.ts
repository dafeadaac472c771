/** The text of a saved report: whole, or of one that is too long its end, where the summary of JSON lines is. */

import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { systemReason, UserError } from '../base/errors.js';
import { grouped, printable } from '../base/text.js';
import { STANDARD_INPUT } from './inputs.js';
import type { Io } from './io.js';

/** Bytes of a report that are read. With --events it may have more. */
export const MOST_BYTES = 256 * 1024 * 1024;
/** Bytes of the end of a longer file: a summary line has no events, and fits. */
const TAIL_BYTES = 32 * 1024 * 1024;

/** Throws a UserError where it can't be read. */
export async function savedText(name: string, io: Io, most = MOST_BYTES): Promise<string> {
  if (name === '') throw new UserError('usage', "a file's name is empty", 'rstscope compare --help');
  try {
    if (name === STANDARD_INPUT) return await gathered(io.stdin, name, most);
    const tail = tailOf(name, most);
    return tail ?? (await gathered(createReadStream(name, { end: most }), name, most));
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = systemReason(error);
    const code = reason === 'no such file' ? 'no-such-file' : 'unreadable';
    throw new UserError(code, `cannot read ${printable(name)}: ${reason}`, null, error);
  }
}

/** The last line of a regular file that is longer than `most`; null of any other. */
function tailOf(name: string, most: number): string | null {
  const fd = openSync(name, 'r');
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size <= most) return null;
    const tail = Buffer.alloc(Math.min(TAIL_BYTES, stat.size));
    const taken = readSync(fd, tail, 0, tail.length, stat.size - tail.length);
    const text = tail.toString('utf8', 0, taken).trimEnd();
    const line = text.slice(text.lastIndexOf('\n') + 1);
    if (!line.startsWith('{"type":"summary"')) throw tooLong(name, stat.size, most);
    return line;
  } finally {
    closeSync(fd);
  }
}

async function gathered(stream: AsyncIterable<unknown>, name: string, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > most) throw tooLong(name, size, most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLong(name: string, size: number, most: number): UserError {
  return new UserError(
    'unreadable',
    `${printable(name)} has ${grouped(size)} bytes or more, a report may have ${grouped(most)}: save it without --events`,
    'rstscope read --json output.pcap > before.json',
  );
}
