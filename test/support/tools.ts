/**
 * What tests need of the machine: programs to judge by, captures from elsewhere, rights. A test whose need is missing
 * is skipped with the reason in its title, which the reporter says aloud; with RSTSCOPE_REQUIRE_ALL=1 it fails instead.
 */
import { test } from '@jest/globals';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';

type TestBody = () => void | Promise<void>;

const CAPTURES_UNSET = 'RSTSCOPE_PCAPS is not set';
const said = new Set<string>();
const found = new Map<string, boolean>();

export function requireAll(): boolean {
  return process.env['RSTSCOPE_REQUIRE_ALL'] === '1';
}

/** Whether the PATH has such a program; nothing is said. */
export function hasTool(name: string): boolean {
  const known = found.get(name);
  if (known !== undefined) return known;
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const there = folders.some((folder) => executable(path.join(folder, name)));
  found.set(name, there);
  return there;
}

/** Whether the program is there; says aloud when not, and throws where everything is required. */
export function requireTool(name: string): boolean {
  return requirePossible(hasTool(name), missing(name));
}

/** A test that needs a program, or several. */
export function itWith(tools: string | readonly string[], name: string, body: TestBody, timeoutMs?: number): void {
  const names = typeof tools === 'string' ? [tools] : tools;
  const absent = names.filter((tool) => !hasTool(tool));
  testIf(absent.length === 0, missing(absent.join(', ')), name, body, timeoutMs);
}

/** A test that needs something else; `why` says what is missing when it can't be run. */
export function testIf(possible: boolean, why: string, name: string, body: TestBody, timeoutMs?: number): void {
  if (possible) {
    test(name, body, timeoutMs);
  } else if (requireAll()) {
    test(name, () => {
      throw new Error(`${why}: RSTSCOPE_REQUIRE_ALL=1 lets nothing be skipped`);
    });
  } else {
    test.skip(`${name} [skipped: ${why}]`, body, timeoutMs);
  }
}

/** A test on the real captures of `foreignCaptures`; not having them is never a failure. */
export function itWithCaptures(name: string, body: (folder: string) => void | Promise<void>, timeoutMs?: number): void {
  const folder = foreignCaptures();
  if (folder === null) test.skip(`${name} [skipped: ${CAPTURES_UNSET}]`, () => undefined);
  else test(name, () => body(folder), timeoutMs);
}

/** The folder of real captures named by RSTSCOPE_PCAPS, or null when it is not set. */
export function foreignCaptures(): string | null {
  const folder = process.env['RSTSCOPE_PCAPS'] ?? '';
  if (folder === '') {
    say(`${CAPTURES_UNSET}: tests on captures from elsewhere are skipped`);
    return null;
  }
  if (!existsSync(folder)) throw new Error(`RSTSCOPE_PCAPS names ${folder}, which does not exist`);
  return folder;
}

function requirePossible(possible: boolean, why: string): boolean {
  if (possible) return true;
  if (requireAll()) throw new Error(`${why}: RSTSCOPE_REQUIRE_ALL=1 lets nothing be skipped`);
  say(`skipped: ${why}`);
  return false;
}

function missing(names: string): string {
  return `needs ${names}`;
}

function say(sentence: string): void {
  if (said.has(sentence)) return;
  said.add(sentence);
  process.stderr.write(`${sentence}\n`);
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
