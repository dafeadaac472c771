/**
 * The command line as a function: arguments and streams in, exit code out.
 *
 * Nothing below it ends the process; every known error is one sentence and the next command to type.
 */

import { systemReason, UserError } from '../base/errors.js';
import { packagedText, TOOL_NAME, toolVersion } from '../base/package-info.js';
import { EXIT_OK } from './exit-codes.js';
import { SHORT_HELP } from './help.js';
import type { Io } from './io.js';
import { tell } from './tell.js';
import { width } from './width.js';

export async function main(args: readonly string[], io: Io): Promise<number> {
  const debug = args.includes('--debug');
  try {
    const code = await dispatch(args, io);
    if (io.stdout.error !== null)
      throw new UserError('write-failed', `cannot write to standard output: ${systemReason(io.stdout.error)}`);
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
  const ports = plainWho(args);
  if (ports !== null) {
    const { who } = await import('./commands/who.js');
    return who(ports, { json: true }, args, io);
  }
  const { parseCommandLine } = await import('./program.js');
  let shown = '';
  const typed = parseCommandLine(args, width(io), (text) => {
    shown += text;
  });
  switch (typed.command) {
    case 'read': {
      const { read } = await import('./commands/read.js');
      return read(typed.files, await withTarget(typed.values), io);
    }
    case 'live': {
      const { live } = await import('./commands/live.js');
      return live(typed.filter, await withTarget(typed.values), args, io);
    }
    case 'who': {
      const { who } = await import('./commands/who.js');
      return who(typed.ports, typed.values, args, io);
    }
    case 'health': {
      const { health } = await import('./commands/health.js');
      return health(typed.values, args, io);
    }
    case 'explain': {
      const { explain } = await import('./commands/explain.js');
      return explain(typed.words, typed.values, io);
    }
    case 'compare': {
      const { compare } = await import('./commands/compare.js');
      return compare(typed.files, typed.values, io);
    }
    case 'devices': {
      const { devices } = await import('./commands/devices.js');
      return devices(typed.values, io);
    }
    case 'version':
      shown = `${TOOL_NAME} ${toolVersion()}\n`;
      break;
    case 'schema':
      shown = packagedText('schema/rstscope-v1.schema.json');
      break;
    case 'shown':
      break;
  }
  await io.stdout.write(shown);
  return EXIT_OK;
}

/** `who PORT… --json`, which scripts ask for again and again: the parser takes a tenth of its time. Null: anything else. */
function plainWho([command, ...words]: readonly string[]): readonly string[] | null {
  const ports = words.filter((word) => word !== '--json');
  const plain = command === 'who' && ports.length > 0 && ports.length < words.length;
  return plain && ports.every((word) => /^[\d.:[\]a-f]+$/.test(word)) ? ports : null;
}

/** `-w /dev/stdout` is `-w -`. What is not absolute is meant from here, wherever the run goes. */
async function withTarget<T extends { readonly write?: string }>(values: T): Promise<T> {
  const { write } = values;
  if (write === undefined || write === '') return values;
  // What reads captures is loaded only where one is read or made.
  const { isStandardOutput, STANDARD_INPUT } = await import('./inputs.js');
  if (write === STANDARD_INPUT) return values;
  return isStandardOutput(write) ? { ...values, write: STANDARD_INPUT } : values;
}
