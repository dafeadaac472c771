/**
 * `-w`: where saved frames go. A file of mode 0600, or standard output.
 *
 * A disk that fills up is a sentence at the end; the report still comes.
 */

import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { systemReason, UserError } from '../base/errors.js';
import { printable } from '../base/text.js';
import { inTimeOrder, type CaptureFile } from '../capture/story.js';
import { CaptureWriter, type SaveFormat } from '../capture/writer.js';
import { linkTypeName } from '../decode/link-types.js';
import { STANDARD_INPUT } from './inputs.js';

const BUFFER = 256 * 1024;
const STANDARD_OUTPUT_FD = 1;
/** LINKTYPE_ETHERNET: what an empty classic pcap says where nothing was read. */
const DEFAULT_LINK_TYPE = 1;

export interface Saving {
  readonly writer: CaptureWriter;
  /** Frames written. Throws a UserError with the system's reason when not all could be. */
  finish(): number;
}

export function saveFormat(target: string): SaveFormat {
  return target.endsWith('.pcap') ? 'pcap' : 'pcapng';
}

/** Opens `target`. Refuses to write over a capture that is being read, and several link types in a classic pcap. */
export async function openSaving(target: string, files: readonly CaptureFile[], application: string): Promise<Saving> {
  const format = saveFormat(target);
  const name = printable(target);
  for (const file of files) {
    if (sameFile(target, file.name))
      throw new UserError('usage', `-w ${name} would write over the capture that is being read`);
  }
  const linkTypes = format === 'pcap' ? await linkTypesOf(files) : [];
  if (linkTypes.length > 1) {
    throw new UserError(
      'unsupported',
      `a classic pcap holds one link type, the input has ${String(linkTypes.length)}: ${linkTypes.map(linkTypeName).join(', ')}`,
      'name a file that does not end in .pcap: it is written as pcapng',
    );
  }
  const fd = target === STANDARD_INPUT ? STANDARD_OUTPUT_FD : create(target);
  const file = new BufferedFile(fd);
  const writer = new CaptureWriter(format, application, (bytes) => {
    file.write(bytes);
  });
  return {
    writer,
    finish: () => {
      writer.finish(linkTypes[0] ?? DEFAULT_LINK_TYPE);
      file.close();
      if (file.failure !== null) {
        throw new UserError('write-failed', `cannot write ${name}: ${systemReason(file.failure)}`, null, file.failure);
      }
      return writer.written;
    },
  };
}

function create(target: string): number {
  try {
    return openSync(target, 'w', 0o600);
  } catch (error) {
    throw new UserError('write-failed', `cannot write ${printable(target)}: ${systemReason(error)}`, null, error);
  }
}

function sameFile(a: string, b: string): boolean {
  if (a === STANDARD_INPUT || b === STANDARD_INPUT) return false;
  try {
    const [one, other] = [statSync(a), statSync(b)];
    return one.isFile() && one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}

/** Link types of the interfaces that have frames. Pipes are not looked at: theirs shows when a frame is written. */
async function linkTypesOf(files: readonly CaptureFile[]): Promise<number[]> {
  const found = new Set<number>();
  const passages = inTimeOrder(
    files.filter(({ once }) => !once),
    () => undefined,
    () => undefined,
  );
  for await (const { batch, capture, from, to } of passages) {
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

class BufferedFile {
  failure: unknown = null;
  private readonly fd: number;
  private pending: Uint8Array[] = [];
  private size = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  write(bytes: Uint8Array): void {
    this.pending.push(bytes);
    this.size += bytes.length;
    if (this.size >= BUFFER) this.flush();
  }

  close(): void {
    this.flush();
    if (this.fd !== STANDARD_OUTPUT_FD) closeSync(this.fd);
  }

  private flush(): void {
    const all = Buffer.concat(this.pending);
    this.pending = [];
    this.size = 0;
    if (this.failure !== null) return;
    try {
      for (let at = 0; at < all.length;) at += this.writeSome(all, at);
    } catch (error) {
      this.failure = error;
    }
  }

  /** A pipe whose reader is slow takes nothing for a while: try again rather than lose frames. */
  private writeSome(all: Buffer, at: number): number {
    try {
      return writeSync(this.fd, all, at);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        return 0;
      }
      throw error;
    }
  }
}
