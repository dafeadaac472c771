/**
 * Runs the built program, alone or in a shell pipeline, as a user would, in an environment that holds nothing of the
 * developer's; and makes temporary folders that go away with the test file.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const DEFAULT_TIMEOUT_MS = 45_000;

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
export const CLI = path.join(REPOSITORY, 'bin', 'rstscope.js');

export interface RunOptions {
  stdin?: Uint8Array | AsyncIterable<Uint8Array> | string;
  /** Added to the bare environment (PATH, HOME, TMPDIR, TZ=UTC). */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  timeoutMs?: number;
  /** Another node than the one that runs the tests. */
  node?: string;
}

export interface RunResult {
  stdout: string;
  stderr: string;
  /** What stdout carried before it was taken for UTF-8. */
  stdoutBytes: Uint8Array;
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ShellResult extends RunResult {
  /** The exit code of every part of the command's last pipeline. */
  codes: number[];
}

const made: string[] = [];

/** An empty folder, removed when the tests of this file are over. */
export function tmpDir(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rstscope-test-'));
  made.push(folder);
  return folder;
}

export function bareEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/', TMPDIR = tmpdir() } = process.env;
  return { PATH, HOME, TMPDIR, TZ: 'UTC', ...extra };
}

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(options.node ?? process.execPath, [CLI, ...args], options);
}

/**
 * Runs a bash command without `pipefail`; `code` is its last part's exit code, `codes` those of all parts. The program
 * is in it by `cliCommand`, or as "$NODE" "$RSTSCOPE".
 */
export async function runShell(command: string, options: RunOptions = {}): Promise<ShellResult> {
  const codesFile = path.join(tmpDir(), 'codes');
  const env = { NODE: options.node ?? process.execPath, RSTSCOPE: CLI, ...options.env };
  // The command may hold a here-document or a comment: what keeps the codes begins on a line of its own.
  const script = `set +o pipefail
${command}
codes=("\${PIPESTATUS[@]}")
printf '%s\\n' "\${codes[@]}" >${shellQuote(codesFile)}
exit "\${codes[-1]}"
`;
  const result = await run('bash', ['--noprofile', '--norc', '-c', script], { ...options, env });
  return { ...result, codes: readCodes(codesFile) };
}

/** The program with its arguments, quoted for a shell. */
export function cliCommand(...args: readonly string[]): string {
  return [process.execPath, CLI, ...args].map(shellQuote).join(' ');
}

export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function run(file: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { stdin, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const child = spawn(file, args, {
    env: bareEnvironment(options.env),
    cwd: options.cwd ?? process.cwd(),
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));

  const expiry = new AbortController();
  const timer = setTimeout(() => {
    expiry.abort();
    killGroup(child.pid);
  }, timeoutMs);
  const failures: unknown[] = [];
  if (stdin !== undefined && child.stdin !== null) {
    feed(child.stdin, stdin).catch((error: unknown) => {
      failures.push(error);
      killGroup(child.pid);
    });
  }
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    if (failures.length > 0) throw failures[0];
    const stdoutBytes = Buffer.concat(stdout);
    const result = { stdout: stdoutBytes.toString(), stderr: Buffer.concat(stderr).toString(), stdoutBytes };
    if (expiry.signal.aborted) {
      const said = `stdout: ${result.stdout.slice(-2000)}\nstderr: ${result.stderr.slice(-2000)}`;
      throw new Error(`${[file, ...args].join(' ')} ran longer than ${timeoutMs} ms and was killed\n${said}`);
    }
    return { ...result, code, signal };
  } finally {
    clearTimeout(timer);
    child.stdin?.destroy();
  }
}

/** Writes all there is; a reader that has gone is the program's affair, not an error of the test. */
async function feed(
  sink: NodeJS.WritableStream,
  source: Uint8Array | AsyncIterable<Uint8Array> | string,
): Promise<void> {
  const gone = new AbortController();
  for (const event of ['error', 'close']) sink.on(event, () => gone.abort());
  if (typeof source === 'string' || source instanceof Uint8Array) {
    sink.end(source);
    return;
  }
  for await (const chunk of source) {
    if (gone.signal.aborted) return;
    if (!sink.write(chunk)) {
      await new Promise<void>((resolve) => {
        for (const event of ['drain', 'error', 'close']) sink.once(event, () => resolve());
      });
    }
  }
  sink.end();
}

/** The child leads a process group, so that a shell's pipeline ends with it. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself just now.
  }
}

function readCodes(file: string): number[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').map(Number);
  } catch {
    // The command itself ended the shell.
    return [];
  }
}

function removeFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

// Under jest the folders go when the file's tests are over; a plain script that imports this removes them as it ends.
const { afterAll } = globalThis as { afterAll?: (hook: () => void) => void };
if (afterAll === undefined) process.once('exit', removeFolders);
else afterAll(removeFolders);
