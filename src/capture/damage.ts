/**
 * Sentences for damage that every reader can meet.
 */

import { systemReason } from '../base/errors.js';
import type { ByteWindow } from './byte-window.js';
import type { Damage } from './frame-batch.js';
import { GzipError } from './gzip.js';

/** The stream under a reader failed before its end. */
export function readDamage(window: ByteWindow): Damage {
  const error = window.readError;
  const byte = window.offset + window.available;
  if (error instanceof GzipError) {
    return { reason: error.cut ? 'cut-off' : 'corrupt-gzip', interface: null, byte, message: error.message };
  }
  return {
    reason: 'read-error',
    interface: null,
    byte,
    message: `reading failed at byte ${String(byte)}: ${systemReason(error)}`,
  };
}
