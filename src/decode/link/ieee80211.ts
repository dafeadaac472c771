/**
 * IEEE 802.11 data frames, and the headers that capture tools put before them (radiotap, PPI).
 *
 * Frame control (2, little-endian), duration (2), three addresses, sequence control (2); a fourth address between two
 * access points, QoS control (2), HT control (4). Encrypted frames and those without data carry no readable TCP.
 * Of an aggregate (A-MSDU) the first subframe is read.
 */

import { u16, u16le, u32le, u8 } from '../../base/bytes.js';
import {
  ETHERNET,
  L_IEEE80211,
  L_PPI,
  L_RADIOTAP,
  LLC,
  MAC_BOTH,
  OUTCOME_FRAGMENT,
  STOP,
  type Next,
  type Walk,
} from '../walk.js';

const BASE = 24;
const TYPE_DATA = 0x08;
const TYPE_MASK = 0x0c;
const SUBTYPE_QOS = 0x80;
const SUBTYPE_NO_DATA = 0x40;
const TO_DS = 0x0100;
const FROM_DS = 0x0200;
const MORE_FRAGMENTS = 0x0400;
const PROTECTED = 0x4000;
const ORDER = 0x8000;
const QOS_AMSDU = 0x80;
const AMSDU_SUBFRAME = 14;

const ADDRESS_1 = 4;
const ADDRESS_2 = 10;
const ADDRESS_3 = 16;
const SEQUENCE = 22;
const FRAGMENT_NUMBER = 0x0f;
const ADDRESS_4 = 24;

export function ieee80211(w: Walk): Next {
  return dataFrame(w, false);
}

function dataFrame(w: Walk, padded: boolean): Next {
  if (!w.has(2, L_IEEE80211)) return STOP;
  const control = u16le(w.bytes, w.at);
  if ((control & TYPE_MASK) !== TYPE_DATA || (control & (SUBTYPE_NO_DATA | PROTECTED)) !== 0) return w.notTcp();
  const toDs = (control & TO_DS) !== 0;
  const fromDs = (control & FROM_DS) !== 0;
  const qos = (control & SUBTYPE_QOS) !== 0;
  const qosAt = toDs && fromDs ? BASE + 6 : BASE;
  let header = qosAt + (qos ? 2 : 0) + (qos && (control & ORDER) !== 0 ? 4 : 0);
  if (padded) header = (header + 3) & ~3;
  if (!w.has(header, L_IEEE80211)) return STOP;
  const at = w.at;
  w.macLayout = MAC_BOTH;
  w.macDestinationAt = at + (toDs ? ADDRESS_3 : ADDRESS_1);
  w.macSourceAt = at + (fromDs ? (toDs ? ADDRESS_4 : ADDRESS_3) : ADDRESS_2);
  if ((u8(w.bytes, at + SEQUENCE) & FRAGMENT_NUMBER) !== 0) {
    w.outcome = OUTCOME_FRAGMENT;
    return STOP;
  }
  if ((control & MORE_FRAGMENTS) !== 0) w.fragmented = true;
  w.at += header;
  return qos && (u8(w.bytes, at + qosAt) & QOS_AMSDU) !== 0 ? aggregate(w) : LLC;
}

/** Destination (6), source (6), length (2) of the subframe; the frame's own third address is then the access point. */
function aggregate(w: Walk): Next {
  if (!w.has(AMSDU_SUBFRAME, L_IEEE80211)) return STOP;
  w.macDestinationAt = w.at;
  w.macSourceAt = w.at + 6;
  const length = u16(w.bytes, w.at + 12);
  w.at += AMSDU_SUBFRAME;
  w.bound(length, L_IEEE80211);
  return LLC;
}

/** version (1), pad (1), length (2), then bit masks of the fields present, continued while their top bit is set. */
const RADIOTAP_HEADER = 8;
const RADIOTAP_MORE = 0x80000000;
const RADIOTAP_TSFT = 1;
const RADIOTAP_FLAGS = 2;
/** In the flags field: the 802.11 header is padded to four bytes. */
const FLAG_DATA_PAD = 0x20;

export function radiotap(w: Walk): Next {
  if (!w.has(RADIOTAP_HEADER, L_RADIOTAP)) return STOP;
  const { bytes, at } = w;
  const length = u16le(bytes, at + 2);
  if (length < RADIOTAP_HEADER) return w.bad(L_RADIOTAP, RADIOTAP_HEADER, length);
  if (!w.has(length, L_RADIOTAP)) return STOP;
  const padded = dataPad(bytes, at, at + length);
  w.at += length;
  return dataFrame(w, padded);
}

function dataPad(bytes: Uint8Array, at: number, end: number): boolean {
  const present = u32le(bytes, at + 4);
  if ((present & RADIOTAP_FLAGS) === 0) return false;
  let field = at + 4;
  while (end - field >= 8 && (u32le(bytes, field) & RADIOTAP_MORE) !== 0) field += 4;
  field += 4;
  if ((present & RADIOTAP_TSFT) !== 0) field = at + ((field - at + 7) & ~7) + 8;
  return field < end && (u8(bytes, field) & FLAG_DATA_PAD) !== 0;
}

/** Per-Packet Information: version (1), flags (1), length (2), DLT of what follows (4), all little-endian. */
const PPI_HEADER = 8;
const DLT_EN10MB = 1;
const DLT_IEEE802_11 = 105;

export function ppi(w: Walk): Next {
  if (!w.has(PPI_HEADER, L_PPI)) return STOP;
  const length = u16le(w.bytes, w.at + 2);
  const inner = u32le(w.bytes, w.at + 4);
  if (length < PPI_HEADER) return w.bad(L_PPI, PPI_HEADER, length);
  if (!w.has(length, L_PPI)) return STOP;
  w.at += length;
  if (inner === DLT_IEEE802_11) return dataFrame(w, false);
  return inner === DLT_EN10MB ? ETHERNET : w.notTcp();
}
