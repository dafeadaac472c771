/**
 * Community ID version 1: one name for a flow, whichever end speaks (https://github.com/corelight/community-id-spec).
 *
 * "1:" and the base64 of SHA-1 over seed (2), the lower address, the higher, protocol (1), padding (1), their ports.
 */

import { createHash } from 'node:crypto';
import { parseAddress } from './address.js';

const TCP = 6;

export function communityId(srcIp: string, srcPort: number, destIp: string, destPort: number): string {
  const source = addressBytes(srcIp);
  const destination = addressBytes(destIp);
  const order = Buffer.compare(source, destination);
  const forward = order < 0 || (order === 0 && srcPort <= destPort);
  const tail = Buffer.alloc(6);
  tail[0] = TCP;
  tail.writeUInt16BE(forward ? srcPort : destPort, 2);
  tail.writeUInt16BE(forward ? destPort : srcPort, 4);
  const sha1 = createHash('sha1').update(Buffer.alloc(2));
  sha1.update(forward ? source : destination).update(forward ? destination : source);
  return `1:${sha1.update(tail).digest('base64')}`;
}

function addressBytes(ip: string): Buffer {
  const address = parseAddress(ip);
  if (address === null) return Buffer.alloc(0);
  const bytes = Buffer.alloc(16);
  for (const [i, word] of address.words.entries()) bytes.writeUInt32BE(word, i * 4);
  return address.version === 4 ? bytes.subarray(12) : bytes;
}
