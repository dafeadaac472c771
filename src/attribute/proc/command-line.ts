/**
 * The bytes of /proc/PID/cmdline as one masked line.
 */

import { text } from './files.js';
import { maskCommand } from './secrets.js';

/** What is read of it; the line is shorter. */
export const COMMAND_BYTES = 8192;

/** Null where there is none: a thread of the kernel's, a process that has ended. */
export function commandLine(bytes: Uint8Array): string | null {
  let end = bytes.length;
  // A program that has set its title fills what is left with these.
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end--;
  if (end === 0) return null;
  const cut = bytes.length >= COMMAND_BYTES && end === bytes.length;
  return maskCommand(text(bytes.subarray(0, end)).split('\0'), cut);
}
