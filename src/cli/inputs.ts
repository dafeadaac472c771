/**
 * What a user names on the command line, as captures that can be opened: files, directories, standard input.
 *
 * Knows which of them can be read twice. What is not a capture in a directory is passed over and told.
 */

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { systemReason, UserError } from '../base/errors.js';
import { plural, printable } from '../base/text.js';
import { openPath, openStandardInput, standardInputIsPipe } from '../capture/byte-source.js';
import { openCapture, type OpenCapture } from '../capture/open.js';
import type { CaptureFile } from '../capture/story.js';
import type { Io } from './io.js';

export const STANDARD_INPUT = '-';

/** The captures, and a sentence for each thing in a directory that is none. */
export interface Inputs {
  readonly files: readonly CaptureFile[];
  readonly skipped: readonly string[];
}

export async function expandInputs(names: readonly string[], io: Io): Promise<Inputs> {
  const wanted = names.length === 0 ? [implicitInput(io)] : names;
  if (wanted.filter((name) => name === STANDARD_INPUT).length > 1) {
    throw new UserError('usage', 'standard input (-) can be read once only');
  }
  const files: CaptureFile[] = [];
  const skipped: string[] = [];
  for (const name of wanted) {
    if (name === STANDARD_INPUT) files.push(standardInput(io));
    else if (isDirectory(name)) await expandDirectory(name, files, skipped);
    else files.push(onDisk(name));
  }
  return { files, skipped };
}

/** `read` alone reads a pipe on standard input; at a terminal there is nothing to read. */
function implicitInput(io: Io): string {
  if (io.stdin.isTTY !== true && standardInputIsPipe()) return STANDARD_INPUT;
  throw new UserError(
    'usage',
    'read needs a capture: a file, a directory, or a pipe on standard input',
    'rstscope read output.pcap',
  );
}

function isDirectory(name: string): boolean {
  try {
    return statSync(name).isDirectory();
  } catch {
    // Opening it will say what is wrong with it.
    return false;
  }
}

function standardInput(io: Io): CaptureFile {
  if (io.stdin.isTTY === true) {
    throw new UserError('usage', 'standard input is a terminal, not a capture', 'tcpdump -w - | rstscope read -');
  }
  return {
    name: STANDARD_INPUT,
    once: true,
    open: async () => openCapture(STANDARD_INPUT, openStandardInput(io.stdin)),
  };
}

function onDisk(name: string): CaptureFile {
  return { name, once: isPipe(name), open: async () => openCapture(name, openPath(name)) };
}

function isPipe(name: string): boolean {
  try {
    const stat = statSync(name);
    return !stat.isFile();
  } catch {
    return false;
  }
}

async function expandDirectory(folder: string, files: CaptureFile[], skipped: string[]): Promise<void> {
  const found: CaptureFile[] = [];
  let others = 0;
  for (const name of listDirectory(folder)) {
    const full = path.join(folder, name);
    if (!isRegular(full)) {
      others++;
      continue;
    }
    const why = await whyNotCapture(full);
    if (why === null) found.push(onDisk(full));
    else skipped.push(why);
  }
  if (others > 0)
    skipped.push(
      `${printable(folder)}: ${plural(others, 'entry', 'entries')} that are no files passed over (folders are not entered)`,
    );
  if (found.length === 0) {
    throw new UserError(
      'no-captures',
      `no capture in ${printable(folder)}: ${plural(skipped.length - (others > 0 ? 1 : 0), 'other file')} there`,
    );
  }
  files.push(...found);
}

function listDirectory(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw new UserError('unreadable', `cannot read ${printable(folder)}: ${systemReason(error)}`, null, error);
  }
}

function isRegular(name: string): boolean {
  try {
    return statSync(name).isFile();
  } catch {
    return false;
  }
}

/** Null for a capture, and for a file that could not be looked at: that one is missing, not something else. */
async function whyNotCapture(name: string): Promise<string | null> {
  let capture: OpenCapture;
  try {
    capture = await openCapture(name, openPath(name));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.code !== 'not-a-capture' && error.code !== 'compressed') return null;
    const hint = error.hint === null || error.code !== 'compressed' ? '' : ` (${error.hint})`;
    return `${error.message}${hint}; passed over`;
  }
  capture.close();
  return null;
}
