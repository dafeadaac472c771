/** Makes the command line from the option table: what was typed, nothing done yet. */

import { Command, CommanderError, Option } from 'commander';
import { UserError } from '../base/errors.js';
import { PROGRAM_EPILOGUE, READ_EPILOGUE } from './help.js';
import { READ_OPTIONS, type OptionSpec } from './options.js';

/** The options of `read` as commander names them. */
export interface ReadValues {
  readonly json?: true;
  readonly ndjson?: true;
  readonly csv?: true;
  readonly events?: true;
  readonly write?: string;
  readonly top?: string;
  readonly port?: string[];
  readonly host?: string[];
  readonly direction?: string[];
  readonly cause?: string[];
  readonly pattern?: string[];
  readonly excludePattern?: string[];
  readonly after?: string;
  readonly before?: string;
  readonly context?: string;
  readonly fold: boolean;
  readonly local?: string[];
  readonly maxResets?: string;
  readonly utc?: true;
  readonly color?: string | false;
  readonly quiet?: true;
  readonly debug?: true;
  readonly r?: string[];
}

/** What to do, by name. */
export type Typed =
  | { readonly command: 'read'; readonly files: readonly string[]; readonly values: ReadValues }
  | { readonly command: 'version' }
  | { readonly command: 'schema' }
  | { readonly command: 'shown' };

/** Parses `args` (without node and program). Help goes to `write`. Throws a UserError for what is wrong. */
export function parseCommandLine(args: readonly string[], width: number | null, write: (text: string) => void): Typed {
  let typed: Typed = { command: 'shown' };
  const program = new Command('rstscope')
    .description('Who is resetting my TCP connections, and why?')
    .usage('<command> [options]')
    .option('-V, --version', 'print the version')
    .option('--schema', 'print the JSON Schema of all JSON output')
    .addHelpText('after', PROGRAM_EPILOGUE)
    .helpCommand(true);
  const read = program
    .command('read', { isDefault: true })
    .description('report the resets in saved captures')
    .usage('[options] [FILE…]')
    .argument('[files...]')
    .addHelpText('after', READ_EPILOGUE)
    .action((files: string[], values: ReadValues) => {
      typed = { command: 'read', files, values };
    });
  for (const spec of READ_OPTIONS) read.addOption(option(spec));
  for (const command of [program, read]) {
    command.exitOverride();
    command.configureOutput({
      writeOut: write,
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(width ?? 100, 120),
      getOutHasColors: () => false,
    });
    command.configureHelp({ sortOptions: false, minWidthToWrap: 20 });
  }
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: 'shown' };
    throw new UserError('usage', inOneSentence(error), 'rstscope read --help', error);
  }
  const { version, schema } = program.opts<{ version?: true; schema?: true }>();
  if (version === true) return { command: 'version' };
  if (schema === true) return { command: 'schema' };
  return typed;
}

function inOneSentence({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'there is no help on that command';
  const spec = READ_OPTIONS.find(({ flags }) => message.includes(`'${flags}'`));
  if (code === 'commander.optionMissingArgument' && spec !== undefined)
    return `${spec.flags} needs a value: ${spec.summary}`;
  return message
    .replace(/^error: /, '')
    .replace(/\n\((.*)\)$/, (_, suggestion: string) => ` (${suggestion.toLowerCase()})`);
}

function option(spec: OptionSpec): Option {
  const made = new Option(
    spec.flags,
    spec.default === undefined ? spec.summary : `${spec.summary} (default: ${spec.default})`,
  );
  if (spec.list === true) made.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  if (spec.hidden === true) made.hideHelp();
  return made.helpGroup(`${spec.group}:`);
}
