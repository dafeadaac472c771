/**
 * Small files read whole, with their length bounded: what /proc shows, and what container engines leave on disk.
 *
 * Knows no formats. Nothing here throws: a file is read, or it is not there, or it is not for us.
 */

import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

/** Why nothing was read: not there (any more), or not for us. */
export type Unreadable = 'gone' | 'permission';

/** One buffer for everything: reads are synchronous, and each is made into text before the next. */
const scratch = new Uint8Array(32768);
const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** The first bytes of a file of /proc, at most `limit` of them (≤ 32 KiB); valid until the next call. */
export function readStart(path: string, limit = scratch.length): Uint8Array | Unreadable {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return whyNot(error);
  }
  try {
    return scratch.subarray(0, readSync(fd, scratch, 0, Math.min(limit, scratch.length), null));
  } catch (error) {
    return whyNot(error);
  } finally {
    closeSync(fd);
  }
}

/** As `readStart`, as text; what is not UTF-8 becomes U+FFFD. */
export function readText(path: string, limit?: number): string | null {
  const bytes = readStart(path, limit);
  return typeof bytes === 'string' ? null : text(bytes);
}

/** A file of /proc that may be longer, up to `limit` bytes; null where it can't be read. */
export function readLong(path: string, limit: number): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    return text(fill(fd, new Uint8Array(limit)));
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

function fill(fd: number, bytes: Uint8Array): Uint8Array {
  let have = 0;
  while (have < bytes.length) {
    const got = readSync(fd, bytes, have, bytes.length - have, null);
    if (got === 0) break;
    have += got;
  }
  return bytes.subarray(0, have);
}

/** A regular file of at most `limit` bytes, whole; null where it is longer, something else, or not for us. */
export function readWhole(path: string, limit: number): string | null {
  let fd: number;
  try {
    // Opening a named pipe would wait for its writer.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const about = fstatSync(fd);
    if (!about.isFile() || about.size > limit) return null;
    return text(fill(fd, new Uint8Array(about.size)));
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

/** Where a link of /proc points; null where it can't be told. */
export function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** The names in a folder, at most `limit` of them; none where it can't be read. */
export function listFolder(path: string, limit: number): string[] {
  try {
    return readdirSync(path).slice(0, limit);
  } catch {
    return [];
  }
}

/** A folder held open: paths through `pinned` stay that process's, even when its PID is given to another. */
export function openFolder(path: string): number | Unreadable {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    return whyNot(error);
  }
}

export function pinned(folder: number): string {
  return `/proc/self/fd/${folder}`;
}

export function closeFolder(folder: number): void {
  closeSync(folder);
}

export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function whyNot(error: unknown): Unreadable {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'EACCES' || code === 'EPERM' ? 'permission' : 'gone';
}
