/** Asks tshark what it sees in a capture: the judge of the builders, and of the decoder. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bareEnvironment } from './run.js';

const MAXIMUM_OUTPUT = 256 * 1024 * 1024;
const execute = promisify(execFile);

/**
 * The fields of every packet that the display filter lets through, one row a packet. A field that occurs more than once
 * (tunnels) has its values joined by commas, the outermost first. `prefs` are `-o` settings, such as
 * `tcp.check_checksum:TRUE`.
 */
export async function tsharkFields(
  file: string,
  fields: readonly string[],
  displayFilter?: string,
  prefs: readonly string[] = [],
): Promise<string[][]> {
  const filter = displayFilter === undefined ? [] : ['-Y', displayFilter];
  const columns = fields.flatMap((field) => ['-e', field]);
  const form = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a', '-E', 'aggregator=,'];
  const stdout = await tshark(['-r', file, ...prefs.flatMap((pref) => ['-o', pref]), ...filter, ...form, ...columns]);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

/** The last of a field's values: the innermost header's. */
export function innermost(value: string): string {
  return value.slice(value.lastIndexOf(',') + 1);
}

/** Runs `tshark -n` and gives its stdout; throws with tshark's own words when it fails. */
export async function tshark(args: readonly string[]): Promise<string> {
  const env = bareEnvironment({ LC_ALL: 'C.UTF-8' });
  const { stdout } = await execute('tshark', ['-n', ...args], { env, maxBuffer: MAXIMUM_OUTPUT, encoding: 'utf8' });
  return stdout;
}
