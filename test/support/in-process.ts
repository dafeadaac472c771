/** Runs the command line inside the test's own process: what a hundred captures need without a hundred starts. */
import { Readable, Writable } from 'node:stream';
import { Output, type Io } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';

export interface InProcessResult {
  code: number;
  stdout: string;
  stderr: string;
}

class Gathered extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

export async function runInProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<InProcessResult> {
  const stdout = new Gathered();
  const stderr = new Gathered();
  const io: Io = {
    stdin: Readable.from([]),
    stdout: new Output(stdout),
    stderr: new Output(stderr),
    env,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    interrupt: new AbortController().signal,
    program: ['node', 'rstscope'],
    onAsked: () => () => undefined,
  };
  const code = await main(args, io);
  return { code, stdout: stdout.text, stderr: stderr.text };
}
