/** Classic pcap as bytes: little-endian, nanosecond resolution (draft-ietf-opsawg-pcap). */

const MAGIC_NANO = 0xa1b23c4d;
const SNAPLEN = 262144;

export function classicFileHeader(linkType: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(0, MAGIC_NANO, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAPLEN, true);
  view.setUint32(20, linkType, true);
  return new Uint8Array(view.buffer);
}

/** A frame without a time is written at 0: the format has no other word for it. */
export function classicRecordHeader(seconds: number, nanos: number, captured: number, original: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, Number.isNaN(seconds) ? 0 : seconds, true);
  view.setUint32(4, Math.floor(nanos), true);
  view.setUint32(8, captured, true);
  view.setUint32(12, original, true);
  return new Uint8Array(view.buffer);
}
