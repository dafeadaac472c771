/**
 * The walk through one frame: where it stands, what the layers left behind, and how far it got.
 *
 * One record is reused for every frame (an object a frame costs thirty times as much). It knows no file, no clock and
 * no protocol: each protocol file takes the walk at its own header, moves it on and names what comes next. Nothing here
 * throws; a header that is not whole ends the walk with its exact figures.
 */

/** What a layer says comes next. */
export const STOP = 0;
export const ETHERNET = 1;
export const IP = 2;
export const IPV4 = 3;
export const IPV6 = 4;
export const TCP = 5;
export const UDP = 6;
export const GRE = 7;
export const MPLS = 8;
export const PPPOE = 9;
export const PPP = 10;
export const LLC = 11;
export const VLAN = 12;
export type Next = number;

/** How a frame ended: each frame is exactly one of these. */
export const OUTCOME_TCP = 0;
export const OUTCOME_NOT_TCP = 1;
export const OUTCOME_FRAGMENT = 2;
export const OUTCOME_CUT = 3;
export const OUTCOME_MALFORMED = 4;
export const OUTCOME_UNKNOWN_LINK = 5;
export type Outcome = number;

/** The layers, as `Stop` names them. */
export const LAYERS = [
  'capture',
  'ethernet',
  'vlan',
  'llc',
  'sll',
  'sll2',
  'null',
  'ppp',
  'pppoe',
  'ieee80211',
  'radiotap',
  'ppi',
  'fddi',
  'mpls',
  'nflog',
  'pktap',
  'raw',
  'ipv4',
  'ipv6',
  'ah',
  'gre',
  'erspan',
  'udp',
  'vxlan',
  'geneve',
  'gtp',
  'tcp',
  'nesting',
] as const;
export type LayerName = (typeof LAYERS)[number];
export type Layer = number;

export const L_CAPTURE = 0;
export const L_ETHERNET = 1;
export const L_VLAN = 2;
export const L_LLC = 3;
export const L_SLL = 4;
export const L_SLL2 = 5;
export const L_NULL = 6;
export const L_PPP = 7;
export const L_PPPOE = 8;
export const L_IEEE80211 = 9;
export const L_RADIOTAP = 10;
export const L_PPI = 11;
export const L_FDDI = 12;
export const L_MPLS = 13;
export const L_NFLOG = 14;
export const L_PKTAP = 15;
export const L_RAW = 16;
export const L_IPV4 = 17;
export const L_IPV6 = 18;
export const L_AH = 19;
export const L_GRE = 20;
export const L_ERSPAN = 21;
export const L_UDP = 22;
export const L_VXLAN = 23;
export const L_GENEVE = 24;
export const L_GTP = 25;
export const L_TCP = 26;
export const L_NESTING = 27;

/** Encapsulations around the innermost IP header, as the report names them. */
export const ENCAPSULATIONS = ['vxlan', 'geneve', 'gre', 'erspan', 'ipip', '6in4', 'gtp', 'pppoe', 'mpls'] as const;
export type Encapsulation = (typeof ENCAPSULATIONS)[number];
export const E_VXLAN = 0;
export const E_GENEVE = 1;
export const E_GRE = 2;
export const E_ERSPAN = 3;
export const E_IPIP = 4;
export const E_6IN4 = 5;
export const E_GTP = 6;
export const E_PPPOE = 7;
export const E_MPLS = 8;

/** No identifier where the encapsulation has none (or an optional one that is absent). */
export const NO_ID = -1;

/** More tags or encapsulations than this are nobody's network; the walk ends there. */
export const MAX_VLANS = 8;
export const MAX_OUTER = 8;
/** Headers in one frame, of any kind. */
export const MAX_LAYERS = 40;

/** Where the link-layer addresses of a frame lie: two six-byte ones, a source only, or none. */
export type MacLayout = number;
export const MAC_NONE = 0;
export const MAC_BOTH = 1;
export const MAC_SOURCE = 2;

/** A cooked header's packet type (LINUX_SLL "packet type"), as Linux's PACKET_ constants. */
export const PACKET_HOST = 0;
export const PACKET_OTHERHOST = 3;
export const PACKET_OUTGOING = 4;
export const PACKET_UNKNOWN = 255;

/** Why and where a walk ended before TCP: shapes after etherparse's LenError. */
export interface Stop {
  readonly kind: 'cut' | 'malformed';
  readonly layer: LayerName;
  /** Bytes that the layer needs and has, counted from its header at offset `at` of the frame. */
  readonly need: number;
  readonly have: number;
  readonly at: number;
  /** Who said how many bytes there are: the capture, or the length field of a layer. */
  readonly claimedBy: LayerName;
}

export class Walk {
  bytes: Uint8Array = new Uint8Array(0);
  /** First byte of the header that comes next. */
  at = 0;
  /** End of the bytes that were captured and belong to this layer. */
  end = 0;
  /** End of this layer as lower layers claim it; beyond `end` where the capture was cut. */
  wire = 0;
  /** Layer whose length field set `wire`. */
  wireBy: Layer = L_CAPTURE;
  outcome: Outcome = OUTCOME_NOT_TCP;

  frameStart = 0;
  stopLayer: Layer = L_CAPTURE;
  stopNeed = 0;
  stopHave = 0;
  stopAt = 0;
  stopBy: Layer = L_CAPTURE;

  macLayout: MacLayout = MAC_NONE;
  macSourceAt = 0;
  macDestinationAt = 0;
  packetType = PACKET_UNKNOWN;
  /** Interface index by the cooked header (SLL2), −1 where there is none. An index of the capturing machine. */
  interfaceIndex = -1;
  /** Offset of an interface name inside the frame (PKTAP), −1 where there is none. */
  interfaceNameAt = -1;

  vlanCount = 0;
  readonly vlans = new Uint16Array(MAX_VLANS);
  outerCount = 0;
  readonly outerKind = new Uint8Array(MAX_OUTER);
  /** Offset of the outer IP header, −1 where the encapsulation has none. */
  readonly outerIpAt = new Int32Array(MAX_OUTER);
  readonly outerVersion = new Uint8Array(MAX_OUTER);
  readonly outerId = new Float64Array(MAX_OUTER);

  ipVersion = 0;
  ipAt = 0;
  /** A datagram met on the way is the first of several fragments: what ends with it goes on in the next one. */
  fragmented = false;
  tcpAt = 0;
  /** TCP flags, the low nine bits (NS CWR ECE URG ACK PSH RST SYN FIN), and above them the three reserved bits. */
  tcpFlags = 0;

  /** Begins a frame whose bytes lie from `at` to `end`, and which had `original` bytes on the wire, or says so. */
  begin(bytes: Uint8Array, at: number, end: number, original: number): void {
    const wire = at + original;
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.wire = wire < end ? end : wire;
    this.wireBy = L_CAPTURE;
    this.frameStart = at;
    this.outcome = OUTCOME_NOT_TCP;
    this.macLayout = MAC_NONE;
    this.packetType = PACKET_UNKNOWN;
    this.interfaceIndex = -1;
    this.interfaceNameAt = -1;
    this.vlanCount = 0;
    this.outerCount = 0;
    this.ipVersion = 0;
    this.fragmented = false;
  }

  /** Whether `need` bytes of the header at `at` are at hand; if not, the walk is over and says why. */
  has(need: number, layer: Layer): boolean {
    if (this.end - this.at >= need) return true;
    this.short(need, layer);
    return false;
  }

  /** Ends the walk at a header that needs more bytes than there are. */
  short(need: number, layer: Layer): Next {
    const claimed = this.wire - this.at;
    const malformed = claimed < need;
    if (malformed && this.fragmented) {
      this.outcome = OUTCOME_FRAGMENT;
      return STOP;
    }
    this.outcome = malformed ? OUTCOME_MALFORMED : OUTCOME_CUT;
    this.stopLayer = layer;
    this.stopNeed = need;
    this.stopHave = malformed ? claimed : this.end - this.at;
    this.stopAt = this.at - this.frameStart;
    this.stopBy = malformed ? this.wireBy : L_CAPTURE;
    return STOP;
  }

  /** Ends the walk at a header whose own length field (`claimed` bytes) is below what it needs. */
  bad(layer: Layer, need: number, claimed: number): Next {
    this.outcome = OUTCOME_MALFORMED;
    this.stopLayer = layer;
    this.stopNeed = need;
    this.stopHave = claimed;
    this.stopAt = this.at - this.frameStart;
    this.stopBy = layer;
    return STOP;
  }

  /** Ends the walk: a whole frame, but not one that carries a TCP header. */
  notTcp(): Next {
    this.outcome = OUTCOME_NOT_TCP;
    return STOP;
  }

  /** Lower layers bound upper ones: `length` bytes from `at` belong to this layer, by the word of `layer`. */
  bound(length: number, layer: Layer): void {
    const wire = this.at + length;
    if (wire < this.wire) {
      this.wire = wire;
      this.wireBy = layer;
      if (wire < this.end) this.end = wire;
    }
  }

  /** Notes an encapsulation; false when there are too many. */
  wrap(kind: number, ipAt: number, version: number, id: number): boolean {
    const n = this.outerCount;
    if (n >= MAX_OUTER) {
      this.bad(L_NESTING, MAX_OUTER + 1, MAX_OUTER);
      return false;
    }
    this.outerKind[n] = kind;
    this.outerIpAt[n] = ipAt;
    this.outerVersion[n] = version;
    this.outerId[n] = id;
    this.outerCount = n + 1;
    return true;
  }

  /** The stop as a record; null where the walk did not end at a broken header. */
  get stop(): Stop | null {
    if (this.outcome !== OUTCOME_CUT && this.outcome !== OUTCOME_MALFORMED) return null;
    return {
      kind: this.outcome === OUTCOME_CUT ? 'cut' : 'malformed',
      layer: LAYERS[this.stopLayer] ?? 'capture',
      need: this.stopNeed,
      have: this.stopHave,
      at: this.stopAt,
      claimedBy: LAYERS[this.stopBy] ?? 'capture',
    };
  }
}
