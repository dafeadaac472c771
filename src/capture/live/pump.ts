/**
 * The capturing programs as their starter sees them: started and ended here, while another thread takes what they write
 * (pump-thread.ts).
 */

import { startThread, type Thread } from '../../base/spawn.js';
import { UserError } from '../../base/errors.js';
import type { ByteSource } from '../byte-window.js';
import type { PumpOrder, PumpWord } from './pump-protocol.js';

/** It makes much garbage and keeps little: collected early, that takes little memory. */
const LIMITS = { maxYoungGenerationSizeMb: 2 };

/** What a program tells. */
export interface Listener {
  /** `pid` null: it can't be started. */
  readonly started: (pid: number | null) => void;
  readonly line: (line: string) => void;
  readonly gone: () => void;
}

export class Pump {
  private readonly thread: Thread;
  private readonly programs = new Map<number, PumpedProgram>();
  private next = 0;
  private fault: Error | null = null;

  /** Throws where the thread's code is not there. */
  constructor() {
    const thread = startThread('pump-thread', null, LIMITS);
    if (thread === null) throw new UserError('no-backend', 'rstscope was not built', 'npm run build');
    this.thread = thread;
    thread.on('message', (word: PumpWord) => {
      this.programs.get(word.id)?.hear(word);
    });
    thread.on('error', (error) => {
      this.fail(error);
    });
    thread.on('exit', () => {
      this.fail(new Error('the thread that takes what is captured has ended'));
    });
  }

  /** `patient`: it has a queue of its own, which takes what finds no room here. */
  start(file: string, args: readonly string[], patient: boolean, listener: Listener): PumpedProgram {
    const id = this.next++;
    const tell = (order: PumpOrder): void => {
      this.thread.postMessage(order);
    };
    const program = new PumpedProgram(id, tell, listener, () => {
      this.programs.delete(id);
    });
    if (this.fault !== null) {
      const { fault } = this;
      // As if it had been started and had failed at once.
      queueMicrotask(() => {
        program.fail(fault);
      });
      return program;
    }
    this.programs.set(id, program);
    tell({ kind: 'start', id, file, args, patient });
    return program;
  }

  private fail(error: Error): void {
    this.fault ??= error;
    for (const program of [...this.programs.values()]) program.fail(this.fault);
  }

  /** All programs have ended. */
  async stop(): Promise<void> {
    await this.thread.terminate();
  }
}

/** One program; its bytes are read like those of any source. */
export class PumpedProgram implements ByteSource {
  /** Packets that found no room between it and us. */
  dropped = 0;
  /** Bytes that have come from it. */
  received = 0;
  private readonly id: number;
  private readonly tell: (order: PumpOrder) => void;
  private readonly listener: Listener;
  private readonly ended: () => void;
  private isGone = false;
  private piece: Uint8Array = new Uint8Array(0);
  private asked = false;
  private over = false;
  private fault: Error | null = null;
  private wake: () => void = () => undefined;

  /** `ended`: nothing will come of it any more. */
  constructor(id: number, tell: (order: PumpOrder) => void, listener: Listener, ended: () => void) {
    this.id = id;
    this.tell = tell;
    this.listener = listener;
    this.ended = ended;
  }

  endInput(): void {
    this.tell({ kind: 'end-input', id: this.id });
  }

  kill(signal: NodeJS.Signals): void {
    this.tell({ kind: 'kill', id: this.id, signal });
  }

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    while (this.piece.length === 0) {
      if (this.fault !== null) throw this.fault;
      if (this.over) return 0;
      this.ask();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken = Math.min(this.piece.length, to - from);
    into.set(this.piece.subarray(0, taken), from);
    this.piece = this.piece.subarray(taken);
    // The next piece is on its way while this one is looked at.
    if (this.piece.length === 0) this.ask();
    return taken;
  }

  close(): void {
    this.over = true;
    this.wake();
    this.mayEnd();
  }

  /** For the pump. */
  hear(word: PumpWord): void {
    switch (word.kind) {
      case 'started':
        this.listener.started(word.pid);
        break;
      case 'line':
        this.listener.line(word.line);
        break;
      case 'dropped':
        this.dropped = word.dropped;
        break;
      case 'bytes':
        this.asked = false;
        this.received += word.bytes.length;
        this.piece = word.bytes;
        if (word.bytes.length === 0) this.over = true;
        this.mayEnd();
        this.wake();
        break;
      case 'gone':
        this.isGone = true;
        this.listener.gone();
        this.mayEnd();
        break;
    }
  }

  /** The thread itself came to grief. */
  fail(error: Error): void {
    this.fault = error;
    this.isGone = true;
    this.wake();
    this.listener.line(error.message);
    this.listener.gone();
  }

  private mayEnd(): void {
    if (this.over && this.isGone) this.ended();
  }

  private ask(): void {
    if (this.asked || this.over) return;
    this.asked = true;
    this.tell({ kind: 'take', id: this.id });
  }
}
