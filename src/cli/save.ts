/**
 * `-w`: where saved frames go. A file of mode 0600, or standard output.
 *
 * A disk that fills up is a sentence at the end; the report still comes. Nothing is written over before there is
 * something to write.
 */

import { closeSync, constants, fchownSync, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { FrameSaver } from '../analyze/analyze.js';
import { systemReason, UserError } from '../base/errors.js';
import { printable } from '../base/text.js';
import { inTimeOrder, type CaptureFile } from '../capture/story.js';
import { CaptureWriter, MixedLinkTypes, type SaveFormat } from '../capture/writer.js';
import { linkTypeName } from '../decode/link-types.js';
import { sameFile, STANDARD_INPUT } from './inputs.js';
import { Output, type Io } from './io.js';
import { userBehindSudo } from './sudo.js';

const BUFFER = 256 * 1024;
/** What was captured is on disk soon, for whoever looks at it meanwhile. */
const FLUSH_MS = 250;
/** LINKTYPE_ETHERNET: what an empty classic pcap says where nothing was read. */
const DEFAULT_LINK_TYPE = 1;

export interface Saving {
  readonly writer: FrameSaver;
  /** Why no more can be written; null: all is well so far. */
  readonly failure: UserError | null;
  /** Gives away what is ready, now and then; waits for a slow reader. */
  drain(): Promise<void>;
  /** @returns frames written. Throws a UserError with the system's reason when not all could be. */
  finish(): Promise<number>;
  /** The run failed: leaves things as they were where nothing was written yet. */
  abandon(): void;
}

/** Where bytes go; keeps its failure to itself until it is asked. */
interface Target {
  readonly failure: unknown;
  write(bytes: Uint8Array): void;
  drain(): Promise<void>;
  close(): Promise<void>;
  abandon(): void;
}

export function saveFormat(target: string): SaveFormat {
  return target.endsWith('.pcap') ? 'pcap' : 'pcapng';
}

/** Refuses to write over a capture that is being read. */
export function refuseOverwriting(target: string, files: readonly CaptureFile[]): void {
  if (target !== STANDARD_INPUT && files.some((file) => sameFile(target, file.name))) {
    throw new UserError('usage', `-w ${printable(target)} would write over the capture that is being read`);
  }
}

/** Refuses what can't be opened, before anything is. */
export function refuseTarget(target: string, io: Io): void {
  if (target === '') throw new UserError('usage', '-w needs the name of a file, or - for standard output');
  if (target === STANDARD_INPUT && io.stdout.isTTY)
    throw new UserError('usage', '-w - would write a capture to the terminal', 'name a file: -w resets.pcapng');
}

/** Says what the format that was chosen by the name can't hold. */
export async function tellFormat(target: string, talk: (sentence: string) => Promise<void>): Promise<void> {
  if (saveFormat(target) === 'pcap') await talk(`${target} is written as classic pcap, which holds no comments`);
}

/** Opens `target`. Refuses several link types in a classic pcap; `linkTypes` are those that are known to come. */
export function openSaving(target: string, linkTypes: readonly number[], application: string, io: Io): Saving {
  const format = saveFormat(target);
  refuseTarget(target, io);
  if (format === 'pcap' && linkTypes.length > 1) throw tooManyLinkTypes(linkTypes);
  const out = target === STANDARD_INPUT ? new StreamTarget(io.stdout, true) : fileOrPipe(target, io);
  const writer = new CaptureWriter(format, application, (bytes) => {
    out.write(bytes);
  });
  const guarded = new GuardedWriter(writer);
  return {
    writer: guarded,
    get failure() {
      return guarded.failure ?? (out.failure === null ? null : cannotWrite(target, out.failure));
    },
    drain: () => out.drain(),
    finish: async () => {
      guarded.flush();
      if (guarded.failure === null) writer.finish(linkTypes[0] ?? DEFAULT_LINK_TYPE);
      await out.close();
      if (guarded.failure !== null) throw guarded.failure;
      if (out.failure !== null) throw cannotWrite(target, out.failure);
      return writer.written;
    },
    abandon: () => {
      out.abandon();
    },
  };
}

function tooManyLinkTypes(linkTypes: readonly number[], cause?: unknown): UserError {
  return new UserError(
    'unsupported',
    `a classic pcap holds one link type, the input has ${String(linkTypes.length)}: ${linkTypes.map(linkTypeName).join(', ')}`,
    'name a file that does not end in .pcap: it is written as pcapng',
    cause,
  );
}

/** Link types of the interfaces that have frames. Pipes are not looked at: theirs shows when a frame is written. */
export async function linkTypesOf(files: readonly CaptureFile[], interrupt: AbortSignal): Promise<number[]> {
  const found = new Set<number>();
  const passages = inTimeOrder(
    files.filter(({ once }) => !once),
    () => undefined,
    () => undefined,
  );
  for await (const { batch, capture, from, to } of passages) {
    if (interrupt.aborted) {
      throw new UserError('interrupted', 'interrupted before it was known which link types there are to be saved');
    }
    let before = -1;
    for (let i = from; i < to; i++) {
      const iface = batch.iface[i] ?? 0;
      if (iface === before) continue;
      before = iface;
      const linkType = capture.reader.interfaces[iface]?.linkType;
      if (linkType !== undefined) found.add(linkType);
    }
  }
  return [...found];
}

/** Ends the saving, not the run, at a second link type that only a pipe can come up with. */
class GuardedWriter implements FrameSaver {
  failure: UserError | null = null;
  private readonly inner: CaptureWriter;

  constructor(inner: CaptureWriter) {
    this.inner = inner;
  }

  hold(frame: Parameters<FrameSaver['hold']>[0]): ReturnType<FrameSaver['hold']> {
    return this.failure === null ? this.inner.hold(frame) : { ...frame, fate: 'open', comment: null };
  }

  flush(): void {
    if (this.failure !== null) return;
    try {
      this.inner.flush();
    } catch (error) {
      if (!(error instanceof MixedLinkTypes)) throw error;
      this.failure = tooManyLinkTypes(error.linkTypes, error);
    }
  }
}

/** A stream, which may have a slow reader. One that leaves is no failure; standard output tells of others itself. */
class StreamTarget implements Target {
  private pending: Uint8Array[] = [];
  private readonly output: Output;
  private readonly isStandard: boolean;

  constructor(output: Output, isStandard: boolean) {
    this.output = output;
    this.isStandard = isStandard;
  }

  get failure(): unknown {
    return this.isStandard ? null : this.output.error;
  }

  write(bytes: Uint8Array): void {
    this.pending.push(bytes);
  }

  async drain(): Promise<void> {
    const all = Buffer.concat(this.pending);
    this.pending = [];
    await this.output.write(all);
  }

  close(): Promise<void> {
    return this.drain();
  }

  abandon(): void {
    this.pending = [];
  }
}

class SavedFile implements Target {
  failure: unknown = null;
  private readonly path: string;
  private readonly fd: number;
  private readonly created: boolean;
  private begun = false;
  private closed = false;
  private pending: Uint8Array[] = [];
  private size = 0;
  private flushed: number;
  private readonly now: () => number;

  constructor(path: string, { fd, created }: Opened, io: Io) {
    this.path = path;
    this.fd = fd;
    this.created = created;
    this.now = io.now;
    this.flushed = io.now();
    const owner = userBehindSudo(io.env);
    if (created && owner !== null) fchownSync(fd, owner.uid, owner.gid);
  }

  write(bytes: Uint8Array): void {
    this.pending.push(bytes);
    this.size += bytes.length;
    if (this.size >= BUFFER) this.flush();
  }

  drain(): Promise<void> {
    if (this.size > 0 && this.now() - this.flushed >= FLUSH_MS) this.flush();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.flush();
    this.closed = true;
    closeSync(this.fd);
    return Promise.resolve();
  }

  abandon(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.fd);
    if (this.created && !this.begun) unlinkSync(this.path);
  }

  private flush(): void {
    const all = Buffer.concat(this.pending);
    this.pending = [];
    this.size = 0;
    this.flushed = this.now();
    if (this.failure !== null) return;
    try {
      if (!this.begun && fstatSync(this.fd).isFile()) ftruncateSync(this.fd);
      this.begun = true;
      for (let at = 0; at < all.length;) at += writeSync(this.fd, all, at);
    } catch (error) {
      this.failure = error;
    }
  }
}

interface Opened {
  readonly fd: number;
  readonly created: boolean;
}

/** A pipe's reader may be slow, and must not hold up the run. */
function fileOrPipe(path: string, io: Io): Target {
  const opened = openForWriting(path);
  const stat = fstatSync(opened.fd);
  if (!stat.isFIFO() && !stat.isSocket()) return new SavedFile(path, opened, io);
  return new StreamTarget(new Output(new Socket({ fd: opened.fd, readable: false, writable: true })), false);
}

/** A new file, or what is there, its content untouched. A pipe without a reader is refused: it would hold up the run. */
function openForWriting(path: string): Opened {
  try {
    return { fd: openSync(path, 'wx', 0o600), created: true };
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw cannotWrite(path, error);
  }
  try {
    return { fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), created: false };
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function cannotWrite(path: string, error: unknown): UserError {
  const code = codeOf(error);
  const reason =
    code === 'ENOENT' ? 'there is no such folder' : code === 'ENXIO' ? 'nobody reads that pipe' : systemReason(error);
  return new UserError('write-failed', `cannot write ${printable(path)}: ${reason}`, null, error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
