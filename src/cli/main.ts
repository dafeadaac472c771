/**
 * The command line as a function: arguments and streams in, exit code out.
 *
 * Nothing below it ends the process; every known error is one sentence and the next command to type.
 */

import { UserError } from '../base/errors.js';
import { packagedText, TOOL_NAME, toolVersion } from '../base/package-info.js';
import { read } from './commands/read.js';
import { EXIT_CANNOT, EXIT_FAULT, EXIT_OK } from './exit-codes.js';
import { SHORT_HELP } from './help.js';
import type { Io } from './io.js';
import { parseCommandLine } from './program.js';

export async function main(args: readonly string[], io: Io): Promise<number> {
  const debug = args.includes('--debug');
  try {
    const code = await dispatch(args, io);
    if (io.stdout.error !== null)
      throw new UserError('write-failed', `cannot write to standard output: ${io.stdout.error.message}`);
    return code;
  } catch (error) {
    return tell(error, debug, io);
  }
}

async function dispatch(args: readonly string[], io: Io): Promise<number> {
  if (args.length === 0) {
    await io.stdout.write(SHORT_HELP);
    return EXIT_OK;
  }
  if (args[0] === '-V' || args[0] === '--version') {
    await io.stdout.write(`${TOOL_NAME} ${toolVersion()}\n`);
    return EXIT_OK;
  }
  if (args[0] === '--schema') {
    await io.stdout.write(packagedText('schema/rstscope-v1.schema.json'));
    return EXIT_OK;
  }
  let shown = '';
  const typed = parseCommandLine(args, io.stdout.columns, (text) => {
    shown += text;
  });
  if (typed.command === 'read') return read(typed.files, typed.values, io);
  await io.stdout.write(shown);
  return EXIT_OK;
}

async function tell(error: unknown, debug: boolean, io: Io): Promise<number> {
  if (error instanceof UserError) {
    const hint = error.hint === null ? '' : `  try: ${error.hint}\n`;
    const stack = debug ? `${error.stack ?? ''}\n` : '';
    await io.stderr.write(`${TOOL_NAME}: ${error.message}\n${hint}${stack}`);
    return EXIT_CANNOT;
  }
  const message = error instanceof Error ? error.message : String(error);
  const stack =
    debug && error instanceof Error
      ? `${error.stack ?? ''}\n`
      : '  try: the same command with --debug, and report what it prints\n';
  await io.stderr.write(
    `${TOOL_NAME}: a fault of the program (${toolVersion()}, Node ${process.version}): ${message}\n${stack}`,
  );
  return EXIT_FAULT;
}
