/**
 * The thread that starts the capturing programs and takes what they write, as fast as they write it: the main thread may
 * be busy with what came before, and a program whose pipe is full misses packets.
 *
 * Knows streams of records, nothing of what is in them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { startProgram, thread, type Program } from '../../base/spawn.js';
import type { PumpOrder, PumpWord } from './pump-protocol.js';
import { RecordQueue } from './record-queue.js';

/** Bytes that are handed over at once, at most. */
const PIECE = 512 * 1024;
/** From one piece to the next, at least. */
const PAUSE_MS = 5;
const MAX_LINE = 8192;
/** Of a program that has a queue of its own, so much waits here. */
const ENOUGH = 4 * 1024 * 1024;

class Pumped {
  private readonly queue = new RecordQueue();
  private readonly program: Program;
  private readonly id: number;
  private readonly send: (word: PumpWord, transfer?: readonly ArrayBuffer[]) => void;
  private readonly patient: boolean;
  private told = 0;
  private handedOver = -Infinity;

  constructor(id: number, program: Program, patient: boolean, send: Pumped['send']) {
    this.id = id;
    this.patient = patient;
    this.program = program;
    this.send = send;
    const { stdin, stdout, stderr, pid } = program;
    for (const stream of [stdin, stdout, stderr]) stream?.on('error', () => undefined);
    stdout?.on('data', (chunk: Buffer) => {
      this.queue.push(chunk);
      this.tellDropped();
      if (this.patient && this.queue.size > ENOUGH) stdout.pause();
    });
    let line = '';
    stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (line + chunk).split('\n');
      line = (lines.pop() ?? '').slice(0, MAX_LINE);
      for (const each of lines) send({ kind: 'line', id, line: each.slice(0, MAX_LINE) });
    });
    const gone = (): void => {
      if (line !== '') send({ kind: 'line', id, line });
      this.queue.end();
      this.tellDropped();
      send({ kind: 'gone', id });
    };
    send({ kind: 'started', id, pid: pid ?? null });
    program.once('close', gone);
    program.on('error', (error) => {
      send({ kind: 'line', id, line: error.message });
      // A program that was never started closes nothing.
      if (pid === undefined) gone();
    });
  }

  /** @returns whether more may come. */
  async take(): Promise<boolean> {
    const { queue, id, send } = this;
    await queue.ready();
    // In a stream that does not end, many small pieces would cost more than what is in them.
    const rest = this.handedOver + PAUSE_MS - performance.now();
    if (rest > 0 && queue.size > 0 && queue.size < PIECE) await sleep(rest);
    const bytes = new Uint8Array(Math.min(PIECE, queue.size));
    const got = await queue.read(bytes, 0, bytes.length);
    const { stdout } = this.program;
    if (queue.size < ENOUGH / 2 && stdout?.isPaused() === true) stdout.resume();
    this.handedOver = performance.now();
    send({ kind: 'bytes', id, bytes }, [bytes.buffer]);
    return got > 0;
  }

  endInput(): void {
    this.program.stdin?.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.program.kill(signal);
  }

  private tellDropped(): void {
    const { dropped } = this.queue;
    if (dropped === this.told) return;
    this.told = dropped;
    this.send({ kind: 'dropped', id: this.id, dropped });
  }
}

const own = thread();
if (own !== null) {
  const programs = new Map<number, Pumped>();
  own.listen((message) => {
    const order = message as PumpOrder;
    if (order.kind === 'start') {
      const { id, file, args, patient } = order;
      try {
        const program = startProgram(file, args, { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' });
        programs.set(id, new Pumped(id, program, patient, own.send));
      } catch (error) {
        // An argument that is too long, no more processes allowed.
        own.send({ kind: 'started', id, pid: null } satisfies PumpWord);
        own.send({ kind: 'line', id, line: error instanceof Error ? error.message : String(error) } satisfies PumpWord);
        own.send({ kind: 'gone', id } satisfies PumpWord);
      }
      return;
    }
    const pumped = programs.get(order.id);
    if (order.kind === 'take') {
      void pumped?.take().then((more) => {
        if (!more) programs.delete(order.id);
      });
    } else if (order.kind === 'end-input') pumped?.endInput();
    else pumped?.kill(order.signal);
  });
}
