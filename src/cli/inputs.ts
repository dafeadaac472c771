/**
 * What a user names on the command line, as captures that can be opened: files, directories, standard input.
 *
 * Knows which of them can be read twice. What is not a capture in a directory is passed over and told.
 */

import { fstatSync, readdirSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { systemReason, UserError } from '../base/errors.js';
import { plural, printable } from '../base/text.js';
import { openPath, openStandardInput, standardInputIsPipe, type OpenedSource } from '../capture/byte-source.js';
import { openCapture, type OpenCapture } from '../capture/open.js';
import type { CaptureFile } from '../capture/story.js';
import type { Io } from './io.js';

export const STANDARD_INPUT = '-';

/** The captures, and a sentence for each thing that was named and is not read. */
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
    if (name === '') throw new UserError('usage', "a file's name is empty", 'rstscope read output.pcap');
    if (name === STANDARD_INPUT) files.push(standardInput(io));
    else if (statOf(name)?.isDirectory() === true) files.push(...(await capturesIn(name, skipped, io)));
    else files.push(onDisk(name, io));
  }
  return { files: eachOnce(files, skipped), skipped };
}

/** Whether `path` leads to standard output, by whatever name: a file cannot take two streams. */
export function isStandardOutput(path: string): boolean {
  const stat = path === STANDARD_INPUT ? null : statOf(path);
  if (stat === null || (stat.isCharacterDevice() && stat.rdev === NULL_DEVICE)) return false;
  try {
    const out = fstatSync(1);
    return out.dev === stat.dev && out.ino === stat.ino;
  } catch {
    return false;
  }
}

/** /dev/null takes as many as one likes. */
const NULL_DEVICE = 0x103;

/** Whether both name the same regular file, by whatever paths; `-` is standard input. */
export function sameFile(a: string, b: string): boolean {
  const [one, other] = [identity(a), identity(b)];
  return one !== null && one === other;
}

function identity(name: string): string | null {
  const stat = name === STANDARD_INPUT ? statOfStandardInput() : statOf(name);
  return stat?.isFile() === true ? `${String(stat.dev)}:${String(stat.ino)}` : null;
}

/** Null where it can't be looked at: opening it will say what is wrong with it. */
function statOf(name: string): Stats | null {
  try {
    return statSync(name);
  } catch {
    return null;
  }
}

function statOfStandardInput(): Stats | null {
  try {
    return fstatSync(0);
  } catch {
    return null;
  }
}

/** A capture that is named twice would count twice. */
function eachOnce(files: readonly CaptureFile[], skipped: string[]): CaptureFile[] {
  const seen = new Set<string>();
  return files.filter(({ name }) => {
    const id = identity(name);
    if (id === null) return true;
    if (seen.has(id)) {
      skipped.push(`${printable(name)} is named more than once and read once`);
      return false;
    }
    seen.add(id);
    return true;
  });
}

/** `read` alone reads a pipe on standard input; at a terminal there is nothing to read. */
function implicitInput(io: Io): string {
  if (standardInputIsPipe() && io.stdin.isTTY !== true) return STANDARD_INPUT;
  throw new UserError(
    'usage',
    'read needs a capture: a file, a directory, or a pipe on standard input',
    'rstscope read output.pcap',
  );
}

function standardInput(io: Io): CaptureFile {
  if (io.stdin.isTTY === true) {
    throw new UserError('usage', 'standard input is a terminal, not a capture', 'tcpdump -w - | rstscope read -');
  }
  if (statOfStandardInput()?.isDirectory() === true) {
    throw new UserError('usage', 'standard input is a directory, not a capture', 'rstscope read DIRECTORY');
  }
  return {
    name: STANDARD_INPUT,
    once: true,
    open: () => openUnlessInterrupted(STANDARD_INPUT, () => openStandardInput(io.stdin), io.interrupt),
  };
}

function onDisk(name: string, io: Io): CaptureFile {
  const stat = statOf(name);
  const open = async (): Promise<OpenCapture> => openCapture(name, openPath(name));
  if (stat === null) return { name, once: false, open };
  if (stat.isFile()) return { name, once: false, stored: { path: name, size: stat.size }, open };
  return { name, once: true, open: () => openUnlessInterrupted(name, () => openPath(name), io.interrupt) };
}

/** The first bytes of a pipe may never come: then an interruption ends the waiting. */
async function openUnlessInterrupted(
  name: string,
  open: () => OpenedSource,
  interrupt: AbortSignal,
): Promise<OpenCapture> {
  const opened = open();
  const close = (): void => {
    opened.source.close();
  };
  if (interrupt.aborted) close();
  interrupt.addEventListener('abort', close);
  try {
    return await openCapture(name, opened);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    throw new UserError('unreadable', `interrupted before ${printable(name)} began with a capture`, null, error);
  } finally {
    interrupt.removeEventListener('abort', close);
  }
}

/** The captures in a folder; one that fails to open where there are none. */
async function capturesIn(folder: string, skipped: string[], io: Io): Promise<CaptureFile[]> {
  const names = listDirectory(folder);
  if (names instanceof UserError) return [failing(folder, names)];
  const found: CaptureFile[] = [];
  const others: string[] = [];
  let passed = 0;
  for (const name of names) {
    const full = path.join(folder, name);
    if (statOf(full)?.isFile() !== true) {
      passed++;
      continue;
    }
    const why = await whyNotCapture(full);
    if (why === null) found.push(onDisk(full, io));
    else others.push(why);
  }
  skipped.push(...others);
  if (passed > 0) {
    const what = plural(passed, 'entry that is no file', 'entries that are no files');
    skipped.push(`${printable(folder)}: ${what} passed over (folders are not entered)`);
  }
  if (found.length > 0) return found;
  const there = names.length === 0 ? 'it is empty' : `${plural(others.length, 'other file')} there`;
  return [failing(folder, new UserError('no-captures', `no capture in ${printable(folder)}: ${there}`))];
}

function failing(name: string, error: UserError): CaptureFile {
  return { name, once: false, open: () => Promise.reject(error) };
}

function listDirectory(folder: string): string[] | UserError {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    return new UserError('unreadable', `cannot read ${printable(folder)}: ${systemReason(error)}`, null, error);
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
