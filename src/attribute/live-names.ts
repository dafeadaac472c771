/**
 * Everything that names processes while a capture runs: begun before it, ended after it.
 *
 * What can't be used is left out, and `trace` says why: a capture without names is better than none.
 */

import { systemReason } from '../base/errors.js';
import { plural, printable } from '../base/text.js';
import { nobody, type Attributor } from './attributor.js';
import { LiveAttributor } from './live-attributor.js';
import type { LiveSources } from './live-inquiry.js';
import { SocketWatch } from './sockets/watch.js';
import { isInitialPids, NoTrace } from './trace/instance.js';
import { KernelTrace } from './trace/kernel-trace.js';
import type { TracedReset } from './trace/protocol.js';

export interface NamesWanted {
  /** Look for processes at all. */
  readonly processes: boolean;
  readonly trace: boolean;
  /** The wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** What the capture knows. */
export type Captured = Pick<LiveSources, 'local' | 'namespaces' | 'netnsOf' | 'timestamps'>;

export class LiveNames {
  private readonly kernel: KernelTrace | null;
  private readonly refusal: string;
  private readonly sockets: SocketWatch | null;
  private readonly wanted: NamesWanted;

  private constructor(wanted: NamesWanted, kernel: KernelTrace | string, sockets: SocketWatch | null) {
    this.wanted = wanted;
    this.kernel = typeof kernel === 'string' ? null : kernel;
    this.refusal = typeof kernel === 'string' ? kernel : '';
    this.sockets = sockets;
  }

  /** When it resolves, whatever happens is seen. */
  static async start(wanted: NamesWanted): Promise<LiveNames> {
    if (!wanted.processes) return new LiveNames(wanted, 'off', null);
    const [kernel, sockets] = await Promise.all([
      wanted.trace ? startTrace() : Promise.resolve('off'),
      SocketWatch.start(wanted.now),
    ]);
    return new LiveNames(wanted, kernel, sockets);
  }

  /** "on", "off", or why the kernel's trace is not used. */
  get trace(): string {
    return this.kernel?.state ?? this.refusal;
  }

  /** What the user should know of the names, and no number can say. */
  get notes(): string[] {
    const lost = this.kernel?.lost ?? 0;
    if (lost === 0) return [];
    return [`the kernel's trace lost ${plural(lost, 'event')}: some processes may have no name`];
  }

  /** `listener` hears of every reset that the kernel is traced to send or take, once. */
  listen(listener: (reset: TracedReset) => void): void {
    if (this.kernel !== null) this.kernel.onTold = listener;
  }

  /** Why the trace does not tell of every reset that TCP sent; null: it does. */
  get untold(): string | null {
    const { kernel } = this;
    if (kernel === null)
      return this.refusal === 'off' ? 'the kernel is not traced' : `the kernel is not traced: ${this.refusal}`;
    if (kernel.state !== 'on') return `the kernel's trace ${kernel.state}`;
    if (!kernel.tellsAnswers) return 'this kernel traces only some of the resets that it sends (all since Linux 6.10)';
    return kernel.lost === 0 ? null : `the kernel's trace lost ${plural(kernel.lost, 'event')}`;
  }

  /** The trace tells of every reset that a socket took. */
  get tellsTaken(): boolean {
    const { kernel } = this;
    return kernel !== null && kernel.state === 'on' && kernel.lost === 0 && kernel.tellsTaken;
  }

  attributor(captured: Captured): Attributor {
    if (!this.wanted.processes) return nobody('not-tried');
    const { kernel: trace, sockets, wanted } = this;
    return new LiveAttributor({ ...captured, trace, sockets, otherPids: !isInitialPids(), now: wanted.now });
  }

  async close(): Promise<void> {
    await Promise.all([this.kernel?.close(), this.sockets?.close()]);
  }
}

/** Null: it can't be used, and why. */
async function startTrace(): Promise<KernelTrace | string> {
  try {
    return await KernelTrace.start();
  } catch (error) {
    if (error instanceof NoTrace) return error.message;
    // No thread can be had, no file opened: the capture goes on without.
    return `it could not be started: ${printable(systemReason(error), 200)}`;
  }
}
