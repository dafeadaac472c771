/**
 * Where the program starts: the streams of the process, signals, the exit code.
 *
 * `--version` is answered before anything is loaded. The only file, beside process.ts, that knows the process.
 */

import { TOOL_NAME, toolVersion } from '../base/package-info.js';
import { EXIT_CANNOT } from './exit-codes.js';

const args = process.argv.slice(2);
const [first] = args;

if (args.length === 1 && (first === '-V' || first === '--version')) {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`${TOOL_NAME}: cannot write to standard output: ${error.message}\n`);
    process.exitCode = EXIT_CANNOT;
  });
  process.stdout.write(`${TOOL_NAME} ${toolVersion()}\n`);
} else {
  const { runProcess } = await import('./process.js');
  process.exitCode = await runProcess(args);
}
