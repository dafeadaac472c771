/** Errors as the user reads them: one sentence and the next command to type; a fault of the program says so. */

import { UserError } from '../base/errors.js';
import { TOOL_NAME, toolVersion } from '../base/package-info.js';
import { printable } from '../base/text.js';
import { EXIT_CANNOT, EXIT_FAULT } from './exit-codes.js';
import type { Io } from './io.js';

/** Of a message: paths may be long. */
const LONGEST = 8192;

/** Says what went wrong. @returns the exit code. */
export async function tell(error: unknown, debug: boolean, io: Io): Promise<number> {
  if (error instanceof UserError) {
    const hint = error.hint === null ? '' : `  try: ${printable(error.hint, LONGEST)}\n`;
    const stack = debug ? stackOf(error) : '';
    await io.stderr.write(`${TOOL_NAME}: ${printable(error.message, LONGEST)}\n${hint}${stack}`);
    return EXIT_CANNOT;
  }
  const message = error instanceof Error ? error.message : String(error);
  const stack =
    debug && error instanceof Error
      ? stackOf(error)
      : '  try: the same command with --debug, and report what it prints\n';
  await io.stderr.write(
    `${TOOL_NAME}: a fault of the program (${toolVersion()}, Node ${process.version}): ${printable(message, LONGEST)}\n${stack}`,
  );
  return EXIT_FAULT;
}

function stackOf({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .map((line) => `${printable(line, LONGEST)}\n`)
    .join('');
}
