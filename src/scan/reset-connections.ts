/**
 * Which connections of saved captures have resets: a first pass over them, quick and of bounded memory. It remembers a
 * bit for each hash, so that a few connections without resets are taken for some.
 */

import { recordOf } from '../decode/records.js';
import { R_HASH, RECORD_WORDS } from '../decode/record-layout.js';
import { RST } from '../decode/net/tcp-layout.js';
import type { CaptureFile } from '../capture/story.js';
import { num, word } from '../base/bytes.js';
import { startScan } from './scan.js';

/** Two megabytes: of a hundred thousand connections with resets, one in a hundred and sixty others passes for one. */
const BITS = 1 << 24;

/** @returns says yes to the hash of a connection with a reset. Ends early, knowing less, when `signal` aborts. */
export async function connectionsWithResets(
  files: readonly CaptureFile[],
  signal: AbortSignal,
): Promise<(hash: number) => boolean> {
  const bits = new Uint8Array(BITS / 8);
  const record = new Uint32Array(2 * RECORD_WORDS);
  const scan = startScan(files, RST, 'none');
  try {
    for (let rows = await scan.next(); rows !== null && !signal.aborted; rows = await scan.next()) {
      const { segments } = rows;
      for (let i = 0; i < segments.count; i++) {
        recordOf(segments, i, record);
        const at = word(record, R_HASH) & (BITS - 1);
        bits[at >>> 3] = num(bits, at >>> 3) | (1 << (at & 7));
      }
    }
  } finally {
    await scan.close();
  }
  return (hash) => (num(bits, (hash & (BITS - 1)) >>> 3) & (1 << (hash & 7))) !== 0;
}
