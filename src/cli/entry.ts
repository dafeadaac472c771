/**
 * Where the program starts: the streams of the process, signals, the exit code.
 *
 * `--version` is answered before anything is loaded. The only file that knows the process.
 */

import { TOOL_NAME, toolVersion } from '../base/package-info.js';

const args = process.argv.slice(2);
const [first] = args;

if (args.length === 1 && (first === '-V' || first === '--version')) {
  process.stdout.write(`${TOOL_NAME} ${toolVersion()}\n`);
} else {
  const { runProcess } = await import('./process.js');
  process.exitCode = await runProcess(args);
}
