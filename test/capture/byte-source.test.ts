import { describe, expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, closeSync, createReadStream, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { UserError } from '../../src/base/errors.js';
import { openPath, openStandardInput } from '../../src/capture/byte-source.js';
import { openCapture } from '../../src/capture/open.js';
import { classicPcap } from '../support/capture-bytes.js';
import { cliCommand, runShell, shellQuote, tmpDir } from '../support/run.js';
import { frameBytes, frameNumbers, range, readAll, type ReadFrame } from './reading.js';

const capture = classicPcap({
  records: range(0, 30_000).map((n) => ({ seconds: 1000 + n, bytes: frameBytes(n) })),
});

async function framesOf(file: string): Promise<ReadFrame[]> {
  const opened = await openCapture(file, openPath(file));
  try {
    const read = await readAll(opened.reader);
    expect(read.damage).toEqual([]);
    return read.frames;
  } finally {
    opened.close();
  }
}

function refusal(file: string): UserError {
  try {
    openPath(file).source.close();
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  throw new Error('not refused');
}

function fifo(): string {
  const file = path.join(tmpDir(), 'pipe');
  execFileSync('mkfifo', [file]);
  return file;
}

describe('files', () => {
  test('are read whole, and their size is known', async () => {
    const file = path.join(tmpDir(), 'a b.pcap');
    writeFileSync(file, capture);
    expect(frameNumbers(await framesOf(file))).toEqual(range(0, 30_000));
    const { source, size } = openPath(file);
    source.close();
    expect(size).toBe(capture.length);
    source.close();
    expect(source.read(new Uint8Array(10), 0, 10)).toBe(0);
  });

  test('let timers and signals be heard while they are read', async () => {
    const file = path.join(tmpDir(), 'long.pcap');
    writeFileSync(file, capture);
    writeFileSync(file, capture.subarray(24), { flag: 'a' });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    const frames = await framesOf(file);
    clearImmediate(immediate);
    expect(frames).toHaveLength(60_000);
    expect(turns).toBeGreaterThan(2);
  });

  test('that are not there, folders, sockets', async () => {
    const folder = tmpDir();
    const absent = refusal(path.join(folder, 'absent.pcap'));
    expect(absent.message).toContain(`cannot read ${folder}/absent.pcap: `);
    expect(absent.message).toMatch(/no such file/);
    mkdirSync(path.join(folder, 'sub'));
    expect(refusal(path.join(folder, 'sub')).message).toBe(`${folder}/sub is a directory`);
    const server = net.createServer().listen(path.join(folder, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(refusal(path.join(folder, 'socket')).message).toContain('is neither a file nor a pipe');
    server.close();
  });

  test('that may not be read', () => {
    const file = path.join(tmpDir(), 'secret.pcap');
    writeFileSync(file, capture);
    chmodSync(file, 0);
    // Root may read everything: the test steps down for this one look.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65534);
    try {
      expect(refusal(file).message).toBe(`cannot read ${file}: permission denied`);
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  test('/dev/null is empty', async () => {
    await expect(openCapture('/dev/null', openPath('/dev/null'))).rejects.toThrow('/dev/null is empty');
  });
});

describe('pipes', () => {
  test('a named pipe whose writer is there already', async () => {
    const pipe = fifo();
    const writer = spawn('sh', ['-c', 'cat >"$0"', pipe], { stdio: ['pipe', 'ignore', 'ignore'] });
    writer.stdin.end(capture);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(frameNumbers(await framesOf(pipe))).toEqual(range(0, 30_000));
  });

  test('a named pipe whose writer comes later, and holds it open without writing', async () => {
    const pipe = fifo();
    const reading = framesOf(pipe);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const script = 'exec 3>"$0"; sleep 0.1; cat >&3; sleep 0.1';
    const writer = spawn('sh', ['-c', script, pipe], { stdio: ['pipe', 'ignore', 'ignore'] });
    writer.stdin.end(capture);
    expect(frameNumbers(await reading)).toEqual(range(0, 30_000));
  });

  test('a named pipe without a writer: the event loop runs on, and closing ends the wait', async () => {
    const { source } = openPath(fifo());
    const pending = source.read(new Uint8Array(10), 0, 10);
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (++ticks < 20) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    source.close();
    await expect(pending).resolves.toBe(0);
  });

  test('a named pipe whose writer stalls: closing ends the wait', async () => {
    const pipe = fifo();
    const { source } = openPath(pipe);
    const writer = openSync(pipe, 'r+');
    writeSync(writer, Uint8Array.of(1, 2, 3));
    const into = new Uint8Array(10);
    expect(await source.read(into, 0, 10)).toBe(3);
    const pending = source.read(into, 0, 10);
    source.close();
    await expect(pending).resolves.toBe(0);
    closeSync(writer);
  });

  test("a shell's process substitution, several at once, one of which has nothing to say", async () => {
    const file = path.join(tmpDir(), 'a.pcap');
    writeFileSync(file, capture);
    const quoted = shellQuote(file);
    const substitutions = `<(cat ${quoted}) <(sleep 0.3; cat ${quoted}; sleep 0.1) <(true) <(gzip -c ${quoted})`;
    const { stdout, stderr } = await runShell(`${cliCommand('read', '--json')} ${substitutions}`);
    expect(stderr).toMatch(
      /^rstscope: \/dev\/fd\/\d+ is empty: a capture begins with a header of at least 24 bytes\n$/,
    );
    const { packets, incomplete } = JSON.parse(stdout) as { packets: { seen: number }; incomplete: unknown[] };
    expect(packets.seen).toBe(90_000);
    expect(incomplete).toHaveLength(1);
  });
});

describe('standard input', () => {
  test('is the stream that is handed in, where it is no file', async () => {
    const stream = new PassThrough();
    const opened = openStandardInputOf(stream);
    stream.end(capture);
    const { frames } = await readAll((await openCapture('-', opened)).reader);
    expect(frameNumbers(frames)).toEqual(range(0, 30_000));
  });

  test('that fails in the middle', async () => {
    const file = path.join(tmpDir(), 'a.pcap');
    writeFileSync(file, capture);
    const stream = createReadStream(file, { highWaterMark: 1000 });
    let seen = 0;
    stream.on('data', (chunk) => {
      seen += chunk.length;
      if (seen > 100_000) stream.destroy(Object.assign(new Error('EIO'), { code: 'EIO' }));
    });
    stream.pause();
    const opened = await openCapture('-', openStandardInputOf(stream));
    const read = await readAll(opened.reader);
    expect(read.frames.length).toBeGreaterThan(100);
    expect(read.damage).toMatchObject([
      { reason: 'read-error', message: expect.stringMatching(/^reading failed at byte \d+: input\/output error$/) },
    ]);
  });

  test('closed while it waits, it ends', async () => {
    const { source } = openStandardInputOf(new PassThrough());
    const pending = source.read(new Uint8Array(10), 0, 10);
    source.close();
    await expect(pending).resolves.toBe(0);
  });
});

/** As `openStandardInput` where descriptor 0 is no regular file. */
function openStandardInputOf(stream: Parameters<typeof openStandardInput>[0]): ReturnType<typeof openStandardInput> {
  const opened = openStandardInput(stream);
  expect(opened.size).toBeNull();
  return opened;
}
