/**
 * The diagnostic payload of a reset (draft-ietf-tcpm-rst-diagnostic-payload): a magic number, why the connection was
 * reset, and whose list of reasons that is.
 *
 * Knows the layout alone: the list of reasons is not settled yet.
 */

import { u16, u32 } from '../../base/bytes.js';

const MAGIC = 0x33aa;
const LENGTH = 8;

export interface ResetDiagnostic {
  readonly reason: number;
  /** Private enterprise number; 0: the IETF's list. */
  readonly enterprise: number;
}

/** Null where the payload is none. */
export function resetDiagnostic(payload: Uint8Array): ResetDiagnostic | null {
  if (payload.length < LENGTH || u16(payload, 0) !== MAGIC) return null;
  return { reason: u16(payload, 2), enterprise: u32(payload, 4) };
}
