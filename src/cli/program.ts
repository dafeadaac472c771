/** Makes the command line from the option table: what was typed, nothing done yet. */

import { Command, CommanderError, Option } from 'commander';
import { UserError } from '../base/errors.js';
import {
  EXPLAIN_EPILOGUE,
  HEALTH_EPILOGUE,
  LIVE_EPILOGUE,
  PROGRAM_EPILOGUE,
  READ_EPILOGUE,
  WHO_EPILOGUE,
} from './help.js';
import { explainOptions, optionsOf, type OptionSpec } from './options.js';

/** What `live` and `read` have in common, as commander names it. */
export interface CommonValues {
  readonly json?: true;
  readonly ndjson?: true;
  readonly csv?: true;
  readonly events?: true;
  readonly write?: string;
  readonly top?: string;
  readonly all?: boolean;
  readonly port?: string[];
  readonly host?: string[];
  readonly direction?: string[];
  readonly cause?: string[];
  readonly pattern?: string[];
  readonly excludePattern?: string[];
  readonly context?: string;
  readonly fold: boolean;
  readonly local?: string[];
  readonly maxResets?: string;
  readonly utc?: true;
  readonly fullCommand?: true;
  readonly color?: string | false;
  readonly quiet?: true;
  readonly debug?: true;
}

export interface ReadValues extends CommonValues {
  readonly after?: string;
  readonly before?: string;
  readonly here?: true;
  readonly r?: string[];
}

export interface LiveValues extends CommonValues {
  readonly interface?: string[];
  readonly netns?: string[];
  readonly duration?: string;
  readonly count?: string;
  readonly filter?: string;
  readonly backend?: string;
  readonly process: boolean;
  readonly trace: boolean;
  /** tcpdump's -p: not promiscuous. */
  readonly p?: true;
  /** tcpdump's -s: snapshot length. */
  readonly s?: string;
}

export interface DevicesValues {
  readonly json?: true;
  readonly netns?: string[];
  readonly color?: string | false;
  readonly debug?: true;
}

export interface WhoValues {
  readonly json?: true;
  readonly top?: string;
  readonly color?: string | false;
  readonly quiet?: true;
  readonly debug?: true;
}

export interface HealthValues {
  readonly interval?: string;
  readonly duration?: string;
  readonly netns?: string[];
  readonly all?: true;
  readonly warnSent?: string;
  readonly warnFailed?: string;
  readonly json?: true;
  readonly ndjson?: true;
  readonly utc?: true;
  readonly color?: string | false;
  readonly quiet?: true;
  readonly debug?: true;
}

export interface ExplainValues {
  readonly json?: true;
  readonly context?: string;
  readonly fold: boolean;
  readonly local?: string[];
  readonly here?: true;
  readonly utc?: true;
  readonly quiet?: true;
  readonly color?: string | false;
  readonly debug?: true;
}

/** What to do, by name. */
export type Typed =
  | { readonly command: 'read'; readonly files: readonly string[]; readonly values: ReadValues }
  | { readonly command: 'live'; readonly filter: readonly string[]; readonly values: LiveValues }
  | { readonly command: 'who'; readonly ports: readonly string[]; readonly values: WhoValues }
  | { readonly command: 'health'; readonly values: HealthValues }
  | { readonly command: 'explain'; readonly words: readonly string[]; readonly values: ExplainValues }
  | { readonly command: 'devices'; readonly values: DevicesValues }
  | { readonly command: 'version' }
  | { readonly command: 'schema' }
  | { readonly command: 'shown' };

const OTHER_COMMANDS: ReadonlySet<string> = new Set(['live', 'who', 'health', 'explain', 'devices']);

/** Parses `args` (without node and program). Help goes to `write`. Throws a UserError for what is wrong. */
export function parseCommandLine(args: readonly string[], width: number | null, write: (text: string) => void): Typed {
  let typed: Typed = { command: 'shown' };
  const program = new Command('rstscope')
    .description('Who is resetting my TCP connections, and why?')
    .usage('<command> [options]')
    .option('-V, --version', 'print the version')
    .option('--schema', 'print the JSON Schema of all JSON output')
    .option('-D, --list-devices', 'the same as the command devices')
    .addHelpText('after', PROGRAM_EPILOGUE)
    .helpCommand(true);
  const live = program
    .command('live')
    .description('capture on this host for a while, show resets as they come, then report')
    .usage('[options] [FILTER…]')
    .argument('[filter...]')
    .addHelpText('after', LIVE_EPILOGUE)
    .action((filter: string[], values: LiveValues) => {
      typed = { command: 'live', filter, values };
    });
  const read = program
    .command('read', { isDefault: true })
    .description('report the resets in saved captures')
    .usage('[options] [FILE…]')
    .argument('[files...]')
    .addHelpText('after', READ_EPILOGUE)
    .action((files: string[], values: ReadValues) => {
      typed = { command: 'read', files, values };
    });
  const who = program
    .command('who')
    .description('who owns a TCP port: listeners and connections, in every network namespace')
    .usage('[options] PORT…')
    .argument('<port...>')
    .option('--json', 'as JSON')
    .option('--top <n>', 'rows a table (default: 20); JSON is never cut')
    .option('--color <when>', 'always, never or auto')
    .option('--no-color', 'the same as --color never')
    .option('-q, --quiet', 'no talk on standard error')
    .option('--debug', 'stack traces')
    .addHelpText('after', WHO_EPILOGUE)
    .action((ports: string[], values: WhoValues) => {
      typed = { command: 'who', ports, values };
    });
  const health = program
    .command('health')
    .description("the kernel's own counters of resets, as rates, and the alerts that watch them")
    .usage('[options]')
    .option('-d, --duration <t>', 'for how long: 5, 90s, 5m; 0 until Ctrl-C (default: 10s)')
    .option('--interval <t>', 'a sample every T (default: 10s, or the whole of a shorter run)')
    .addOption(
      gathering(new Option('--netns <which>', 'these network namespaces too: a PID, a name of ip netns, or all')),
    )
    .option('--all', 'counters that did not move, too')
    .option('--warn-sent <n>', 'warn above so many resets sent per second')
    .option('--warn-failed <n>', 'warn above so many failed connections per second')
    .option('--json', 'one JSON document at the end')
    .option('--ndjson', 'one JSON line per interval')
    .option('--utc', 'times in UTC (JSON is always UTC)')
    .option('--color <when>', 'always, never or auto')
    .option('--no-color', 'the same as --color never')
    .option('-q, --quiet', 'no talk on standard error')
    .option('--debug', 'stack traces')
    .addHelpText('after', HEALTH_EPILOGUE)
    .action((values: HealthValues) => {
      typed = { command: 'health', values };
    });
  const explain = program
    .command('explain')
    .description('what a cause means and what to do; of one reset of a capture, how its cause was told')
    .usage('[options] [CAUSE | FILE FRAME|ID]')
    .argument('[words...]')
    .option('--json', 'as JSON')
    .option('--debug', 'stack traces')
    .addHelpText('after', EXPLAIN_EPILOGUE)
    .action((words: string[], values: ExplainValues) => {
      typed = { command: 'explain', words, values };
    });
  const devices = program
    .command('devices')
    .description('list the interfaces that one may capture on')
    .option('--json', 'as JSON')
    .addOption(gathering(new Option('--netns <which>', 'of another network namespace: a PID, a name of ip netns, all')))
    .option('--color <when>', 'always, never or auto')
    .option('--no-color', 'the same as --color never')
    .option('--debug', 'stack traces')
    .action((values: DevicesValues) => {
      typed = { command: 'devices', values };
    });
  for (const spec of optionsOf('live')) live.addOption(option(spec));
  for (const spec of optionsOf('read')) read.addOption(option(spec));
  for (const spec of explainOptions()) explain.addOption(option(spec));
  for (const command of [program, live, read, who, health, explain, devices]) {
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
    const named = args.find((arg) => OTHER_COMMANDS.has(arg)) ?? 'read';
    const options = [live, read, who, health, explain, devices].find((one) => one.name() === named)?.options ?? [];
    throw new UserError('usage', inOneSentence(error, options), `rstscope ${named} --help`, error);
  }
  const { version, schema, listDevices } = program.opts<{ version?: true; schema?: true; listDevices?: true }>();
  if (version === true) return { command: 'version' };
  if (schema === true) return { command: 'schema' };
  if (listDevices === true) return { command: 'devices', values: {} };
  return typed;
}

/** `options`: of the command that was named. */
function inOneSentence({ code, message }: CommanderError, options: readonly Option[]): string {
  if (code === 'commander.help') return 'there is no help on that command';
  const option = options.find(({ flags }) => message.includes(`'${flags}'`));
  if (code === 'commander.optionMissingArgument' && option !== undefined)
    return `${option.flags} needs a value: ${option.description.replace(/ \(default: .*\)$/, '')}`;
  return message
    .replace(/^error: /, '')
    .replace('. Expected', ', expected')
    .replace(/\.$/, '')
    .replace(/\n\((.*)\)$/, (_, suggestion: string) => ` (${suggestion.toLowerCase()})`);
}

function option(spec: OptionSpec): Option {
  const made = new Option(
    spec.flags,
    spec.default === undefined ? spec.summary : `${spec.summary} (default: ${spec.default})`,
  );
  if (spec.list === true) gathering(made);
  if (spec.hidden === true) made.hideHelp();
  return made.helpGroup(`${spec.group}:`);
}

/** May be given more than once. */
function gathering(made: Option): Option {
  return made.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
}
