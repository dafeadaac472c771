/**
 * One capturing program on one interface of one namespace: starts it, takes its stream into a queue, hears what it says,
 * ends it. By the `cap` binding or by `tcpdump`; whoever reads the stream sees no difference.
 *
 * Knows no packets. Reopening, and what a lost interface means, is the session's.
 */

import { findProgram, ownProgram } from '../../base/spawn.js';
import { openCapture, type OpenCapture } from '../open.js';
import type { CapOrder, CapWord } from './cap-order.js';
import { inNamespace, type Namespace } from './namespaces.js';
import type { Pump, PumpedProgram } from './pump.js';

export type Backend = 'cap' | 'tcpdump';

export interface ChannelOrder {
  readonly backend: Backend;
  readonly namespace: Namespace;
  /** "any", or an interface of the namespace. */
  readonly device: string;
  readonly filter: string;
  readonly snaplen: number;
  /** Of the kernel's ring. */
  readonly bufferBytes: number;
  readonly promiscuous: boolean;
}

/** Why a program does not capture. */
export type Refusal = 'unavailable' | 'permission' | 'no-device' | 'down' | 'filter' | 'late';

export class Refused extends Error {
  readonly why: Refusal;

  /** `message`: the program's own words, or libpcap's. */
  constructor(why: Refusal, message: string) {
    super(message);
    this.name = 'Refused';
    this.why = why;
  }
}

/** How long a program may take to end by itself. */
const END_MS = 1500;
/** How long it may take to begin. */
const BEGIN_MS = 15_000;
const MAX_SAID = 8192;

/**
 * cap aborts when its interface goes away; nobody wants the memory of that on disk. One byte, not none: none does not
 * keep it from a program that takes memory images (fs/coredump.c).
 */
const NO_CORE = ['--core=1:1', '--'];

export class Channel {
  readonly order: ChannelOrder;
  /** Resolves with the open capture, or rejects with `Refused`. */
  readonly opened: Promise<OpenCapture>;
  /** Resolves when the program is gone and its stream is at its end. */
  readonly ended: Promise<void>;
  /** Packets that the program itself lost, by its own last words; null: it did not say. */
  lost: number | null = null;
  /** Packets came faster than it can be sure to have seen. */
  flooded = false;
  /** It did not end by itself: what it had captured last may be missing. */
  forced = false;
  private readonly program: PumpedProgram;
  private ready = false;
  private said = '';
  private stopping = false;
  private refusal: Refused | null = null;
  private wake: () => void = () => undefined;

  /** `tell` hears of the program's PID while it runs. Throws a UserError where a namespace can't be entered. */
  constructor(order: ChannelOrder, pump: Pump, tell: (pid: number, alive: boolean) => void) {
    this.order = order;
    const [file = '', ...args] = commandOf(order);
    let process: number | null = null;
    let gone: () => void = () => undefined;
    this.ended = new Promise((resolve) => {
      gone = resolve;
    });
    this.program = pump.start(file, args, order.backend === 'cap', {
      started: (pid) => {
        process = pid;
        if (pid !== null) tell(pid, true);
      },
      line: (line) => {
        this.hear(line);
      },
      gone: () => {
        if (process !== null) tell(process, false);
        if (!this.ready) this.refusal ??= this.reason();
        this.wake();
        gone();
      },
    });
    this.opened = this.open();
    // Whoever waits for it hears of it; nobody has to.
    this.opened.catch(() => undefined);
  }

  /** Packets that found no room between the program and us. */
  get dropped(): number {
    return this.program.dropped;
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  /** Ends the program; what it captured before still comes through the queue. */
  async stop(): Promise<void> {
    if (this.stopping) return this.ended;
    this.stopping = true;
    const { program } = this;
    program.endInput();
    if (this.order.backend === 'tcpdump') program.kill('SIGTERM');
    // It may have much to say still; only one that says nothing any more is made to end.
    let { received } = program;
    let signal: NodeJS.Signals = 'SIGTERM';
    const impatience = setInterval(() => {
      if (program.received > received) {
        ({ received } = program);
        return;
      }
      this.forced = true;
      program.kill(signal);
      signal = 'SIGKILL';
    }, END_MS);
    await this.ended;
    clearInterval(impatience);
  }

  private async open(): Promise<OpenCapture> {
    if (!this.ready) {
      const late = setTimeout(() => {
        this.refusal ??= new Refused('late', `it did not begin within ${String(BEGIN_MS / 1000)} s`);
        this.wake();
      }, BEGIN_MS);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      clearTimeout(late);
    }
    if (this.refusal !== null) {
      void this.stop();
      throw this.refusal;
    }
    return openCapture(this.order.device, { source: this.program, size: null });
  }

  private hear(line: string): void {
    const word = this.order.backend === 'cap' ? wordOf(line) : null;
    if (word !== null) {
      if (word.word === 'ready') this.begin();
      else if (word.word === 'flooded') this.flooded = true;
      else this.refusal = new Refused(word.word === 'refused' ? whyOf(word.message) : 'unavailable', word.message);
    } else if (this.order.backend === 'tcpdump' && /listening on .*, link-type/.test(line)) {
      this.begin();
    } else if (this.ready) {
      const lost = /^(\d+) packets? dropped by (?:kernel|interface)/.exec(line)?.[1];
      if (lost !== undefined) this.lost = (this.lost ?? 0) + Number(lost);
    } else if (this.said.length < MAX_SAID) {
      this.said += `${line}\n`;
    }
  }

  private begin(): void {
    this.ready = true;
    this.wake();
  }

  /** What a program said that ended before it captured anything. */
  private reason(): Refused {
    const lines = this.said
      .split('\n')
      .map((line) =>
        line
          .replace(/^.*?(tcpdump|nsenter|prlimit): /, (_, name: string) => (name === 'tcpdump' ? '' : `${name}: `))
          .trim(),
      )
      .filter((line) => line !== '' && !/^(?:warning|data link type|verbose output)/i.test(line));
    const message = lines.join(' ');
    if (message === '') return new Refused('unavailable', 'it ended without a word');
    return new Refused(whyOf(message), message);
  }
}

function whyOf(message: string): Refusal {
  if (/permission|not permitted|CAP_NET_RAW/i.test(message)) return 'permission';
  if (/no such device|doesn't exist|does not exist/i.test(message)) return 'no-device';
  if (/not up|is down|went down/i.test(message)) return 'down';
  if (/nsenter|prlimit|exec|no such file/i.test(message)) return 'unavailable';
  return 'filter';
}

function wordOf(line: string): CapWord | null {
  if (!line.startsWith('{"word":')) return null;
  try {
    return JSON.parse(line) as CapWord;
  } catch {
    return null;
  }
}

function commandOf(order: ChannelOrder): string[] {
  const own = order.backend === 'cap' ? capCommand(order) : tcpdumpCommand(order);
  return [...inNamespace(order.namespace), ...own];
}

/** Whether the backend's program is there at all; what it can do shows when it is started. */
export function isThere(backend: Backend): boolean {
  return backend === 'cap' ? ownProgram('cap-child') !== null : findProgram('tcpdump') !== null;
}

function capCommand(order: ChannelOrder): string[] {
  const { device, filter, snaplen, bufferBytes } = order;
  const what: CapOrder = { device, name: device === 'any' ? null : device, filter, snaplen, bufferBytes };
  const node = [process.execPath, ownProgram('cap-child') ?? 'cap-child.js', JSON.stringify(what)];
  const prlimit = findProgram('prlimit');
  return prlimit === null ? node : [prlimit, ...NO_CORE, ...node];
}

function tcpdumpCommand(order: ChannelOrder): string[] {
  const { device, filter, snaplen, bufferBytes, promiscuous } = order;
  const kibibytes = String(Math.ceil(bufferBytes / 1024));
  // Immediate mode for the delay, a large ring against what it loses by that.
  const options = ['-i', device, '-n', '-U', '--immediate-mode', '-B', kibibytes, '-s', String(snaplen), '-w', '-'];
  return [findProgram('tcpdump') ?? 'tcpdump', ...options, ...(promiscuous ? [] : ['-p']), '--', filter];
}
