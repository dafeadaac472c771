/**
 * Registered names of TCP ports, from the system's services file (services(5)).
 *
 * Knows no packets. A machine without the file has no names, and ports are told by other evidence.
 */

import { readFileSync } from 'node:fs';
import { printable } from '../base/text.js';

export const SERVICES_FILE = '/etc/services';
/** The file is the administrator's, but a wrong path must not fill the memory. */
const MAX_NAMES = 65536;

/** Port → name of every tcp line: "http 80/tcp www # comment". The first name of a port counts. */
export function parseServices(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([^\s#]+)\s+(\d{1,5})\/tcp(?:\s|#|$)/.exec(line);
    if (match === null) continue;
    const [, name = '', digits = ''] = match;
    const port = Number(digits);
    if (port > 65535 || names.size >= MAX_NAMES || names.has(port)) continue;
    names.set(port, printable(name, 64));
  }
  return names;
}

/** The names of `path`; none where it can't be read. */
export function readServices(path: string): Map<number, string> {
  try {
    return parseServices(readFileSync(path, 'utf8'));
  } catch {
    return new Map();
  }
}
