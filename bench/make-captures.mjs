/**
 * Writes the captures the benchmark reads, each with a NAME.json that says
 * how many packets, flows and resets it holds.
 *
 *   node bench/make-captures.mjs [NAME...] [--scale N] [--force]
 *
 * NAME is `full`, `small`, `many` or `ten`, with an optional ending for the scale:
 * `-tenth`, `-fifth`, `-x2`, `-x4`... Without a name: all four. A capture
 * is a stream from a seeded generator, cut at a size, so the smaller scales
 * are exact prefixes of the larger, and every machine gets the same bytes.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import process, { argv, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';

/** Raise this when the bytes change: captures of another version are written anew. */
const VERSION = 1;

/** The folder of the captures. */
export const DATA = join(dirname(fileURLToPath(import.meta.url)), 'data');

/**
 * @typedef {object} Profile
 * @property {number} bytes size at scale 1
 * @property {number} seed
 * @property {number} live flows open at a time
 * @property {number} gap mean microseconds between packets
 * @property {boolean} big full-size segments (or packets of 54 to 90 bytes)
 * @property {boolean} [brief] one request a flow, some eleven packets
 */

/** @type {Record<string, Profile>} */
const PROFILES = {
  full: { bytes: 2e9, seed: 0x1f2e3d4c, live: 4000, gap: 120, big: true },
  small: { bytes: 640e6, seed: 0x5a697887, live: 6000, gap: 75, big: false },
  many: { bytes: 1e9, seed: 0x3c4d5e6f, live: 300_000, gap: 25, big: false, brief: true },
};

/**
 * @typedef {object} Resets
 * @property {number} v4 untagged IPv4 (all that tcpdump's `tcp[tcpflags]` matches)
 * @property {number} v6 untagged IPv6
 * @property {number} vlan4 IPv4 under an 802.1Q tag
 * @property {number} vlan6 IPv6 under an 802.1Q tag
 * @property {number} total
 */

/**
 * @typedef {object} Capture
 * @property {number} version
 * @property {string} name
 * @property {number} bytes
 * @property {number} packets
 * @property {number} tcpPackets
 * @property {number} flows TCP connections and connection attempts
 * @property {number} seconds from the first packet to the last
 * @property {Resets} resets
 */

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;

/** How a flow ends. */
const CLOSE = 0; // FIN from both sides
const ABORT = 1; // reset in mid-stream, more resets for what was in flight
const HANG_UP = 2; // FIN, then resets for data that still comes in
const REFUSED = 3; // reset in answer to the SYN
const SILENT = 4; // SYN without answer
const LOST = 5; // nothing more is seen

const CHUNK = 8 << 20;
const ROOM = 2048; // more than the largest record
const START = 1_700_000_000_000_000; // microseconds

/** Random payload bytes, taken at varying offsets. */
const NOISE_SIZE = 1 << 16;

/** @param {number} seed */
function xorshift(seed) {
  let x = seed | 0 || 1;
  /** The next number, 0 to 2^32 - 1. */
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** A pcap file written through one large buffer. */
class PcapWriter {
  /**
   * @param {string} path
   * @param {number} gap mean microseconds between packets
   * @param {() => number} random
   */
  constructor(path, gap, random) {
    this.fd = openSync(path, 'w');
    this.out = Buffer.alloc(CHUNK);
    this.view = new DataView(this.out.buffer, this.out.byteOffset, CHUNK);
    this.gap = gap * 2 + 1;
    this.random = random;
    this.written = 0;
    this.packets = 0;
    this.now = START;
    this.seconds = START / 1e6;
    this.micros = 0;
    const view = this.view;
    view.setUint32(0, 0xa1b2c3d4, true);
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, 262144, true);
    view.setUint32(20, 1, true); // Ethernet
    this.pos = 24;
  }

  get bytes() {
    return this.written + this.pos;
  }

  /**
   * Begins a packet.
   * @param {number} length
   * @returns {number} where its frame starts in `out`
   */
  frame(length) {
    if (this.pos + ROOM > CHUNK) this.flush();
    if (this.packets > 0) this.micros += this.random() % this.gap;
    if (this.micros >= 1e6) {
      this.micros -= 1e6;
      this.seconds++;
    }
    const { view, pos } = this;
    view.setUint32(pos, this.seconds, true);
    view.setUint32(pos + 4, this.micros, true);
    view.setUint32(pos + 8, length, true);
    view.setUint32(pos + 12, length, true);
    this.pos = pos + 16 + length;
    this.packets++;
    return pos + 16;
  }

  flush() {
    for (let from = 0; from < this.pos;) from += writeSync(this.fd, this.out, from, this.pos - from);
    this.written += this.pos;
    this.pos = 0;
  }

  close() {
    this.flush();
    closeSync(this.fd);
  }
}

/**
 * @typedef {object} Flow
 * @property {Uint8Array[]} heads link, network and TCP header of either direction (0: from the client)
 * @property {number[]} sums of the constant words of the IPv4 headers
 * @property {number[]} seq next sequence numbers
 * @property {boolean} v6
 * @property {boolean} tagged
 * @property {boolean} stamps with the timestamps option
 * @property {boolean} http
 * @property {number} network offset of the IP header
 * @property {number} tcp offset of the TCP header
 * @property {number} end
 * @property {number} sender of the bulk of the data
 * @property {number} state
 * @property {number} rounds requests to come
 * @property {number} left segments to come in this round
 * @property {number} tries
 * @property {number} id
 */

/** Makes flows and writes their packets, one burst at a time. */
class Traffic {
  /**
   * @param {string} path
   * @param {Profile} profile
   */
  constructor(path, profile) {
    this.random = xorshift(profile.seed);
    this.profile = profile;
    this.file = new PcapWriter(path, profile.gap, this.random);
    this.flows = 0;
    this.tcpPackets = 0;
    this.resets = { v4: 0, v6: 0, vlan4: 0, vlan6: 0, total: 0 };
    this.noise = Buffer.alloc(NOISE_SIZE);
    for (let i = 0; i < NOISE_SIZE; i += 4) this.noise.writeUInt32LE(this.random(), i);
  }

  /** @param {number} n */
  below(n) {
    return this.random() % n;
  }

  /**
   * A new flow of its own addresses and ports.
   * @param {number} [end] how it ends, if not left to chance (then on untagged IPv4, too)
   * @returns {Flow}
   */
  open(end) {
    const { big, brief } = this.profile;
    const number = this.flows++;
    const dice = this.below(1000);
    const v6 = this.below(10) === 0 && end === undefined;
    const tagged = this.below(50) === 0 && end === undefined;
    const stamps = big ? this.below(10) < 7 : !v6 && this.below(4) === 0;
    const clients = 2000;
    const client = number % clients;
    const clientPort = 32768 + ((Math.floor(number / clients) * 7919 + client * 13) % 28232);
    const server = this.below(400);
    const http = big && this.below(10) === 0;
    const serverPort = http ? 80 : 443;
    const network = tagged ? 18 : 14;
    const tcp = network + (v6 ? 40 : 20);
    const heads = [new Uint8Array(tcp + 20), new Uint8Array(tcp + 20)];
    const sums = [0, 0];
    for (let from = 0; from < 2; from++) {
      const head = heads[from];
      const view = new DataView(head.buffer);
      const macs = [
        [2, 0, 0x5e, 0, client >> 8, client & 255],
        [2, 0, 0x5e, 1, 0, 1],
      ];
      head.set(macs[1 - from], 0);
      head.set(macs[from], 6);
      if (tagged) {
        view.setUint16(12, 0x8100);
        view.setUint16(14, 100 + (client & 7));
      }
      view.setUint16(network - 2, v6 ? 0x86dd : 0x0800);
      if (v6) {
        const addresses = [
          [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, client >> 8, client & 255],
          [0x20, 1, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, server >> 8, server & 255],
        ];
        view.setUint32(network, 0x60000000 | (number & 0xfffff));
        head[network + 6] = 6;
        head[network + 7] = 64;
        head.set(addresses[from], network + 8);
        head.set(addresses[1 - from], network + 24);
      } else {
        const addresses = [
          [10, 1, client >> 8, client & 255],
          server < 200 ? [203, 0, 113, server + 1] : [198, 51, 100, server - 199],
        ];
        head[network] = 0x45;
        view.setUint16(network + 6, 0x4000);
        head[network + 8] = 64;
        head[network + 9] = 6;
        head.set(addresses[from], network + 12);
        head.set(addresses[1 - from], network + 16);
        for (let at = network; at < tcp; at += 2) sums[from] += view.getUint16(at);
      }
      view.setUint16(tcp, from ? serverPort : clientPort);
      view.setUint16(tcp + 2, from ? clientPort : serverPort);
      view.setUint16(tcp + 14, from ? 29200 : 64240);
    }
    const ends =
      dice < 50 ? ABORT : dice < 80 ? HANG_UP : dice < 110 ? REFUSED : dice < 130 ? SILENT : dice < 140 ? LOST : CLOSE;
    return {
      heads,
      sums,
      seq: [this.random(), this.random()],
      v6,
      tagged,
      stamps,
      http,
      network,
      tcp,
      end: end ?? ends,
      sender: big && this.below(7) === 0 ? 0 : 1,
      state: 0,
      rounds: brief ? 1 : big ? 1 + (this.below(10) < 3 ? this.below(4) : 0) : 3 + this.below(14),
      left: 0,
      tries: 0,
      id: this.below(65536),
    };
  }

  /**
   * Writes a TCP segment.
   * @param {Flow} flow
   * @param {number} from direction: 0 from the client, 1 from the server
   * @param {number} flags
   * @param {number} size of the payload
   */
  segment(flow, from, flags, size) {
    const { file } = this;
    const { out, view } = file;
    const { network, tcp } = flow;
    const options = flags & RST ? 0 : flags & SYN ? (flow.stamps ? 20 : 12) : flow.stamps ? 12 : 0;
    const body = tcp + 20 + options;
    const at = file.frame(body + size); // may flush: `out` stays the same
    out.set(flow.heads[from], at);
    const ip = at + network;
    if (flow.v6) {
      view.setUint16(ip + 4, 20 + options + size);
    } else {
      const length = 40 + options + size;
      const id = (flow.id = (flow.id + 1) & 0xffff);
      let sum = flow.sums[from] + length + id;
      sum = (sum & 0xffff) + (sum >>> 16);
      sum = (sum & 0xffff) + (sum >>> 16);
      view.setUint16(ip + 2, length);
      view.setUint16(ip + 4, id);
      view.setUint16(ip + 10, ~sum & 0xffff);
    }
    const head = at + tcp;
    const refusal = flags & RST && flow.state === 0;
    view.setUint32(head + 4, refusal ? 0 : flow.seq[from]);
    if (flags & ACK) view.setUint32(head + 8, flow.seq[1 - from]);
    out[head + 12] = (20 + options) << 2;
    out[head + 13] = flags;
    if (flags & RST) view.setUint16(head + 14, 0);
    let option = head + 20;
    if (flags & SYN) {
      view.setUint32(option, 0x020405b4); // segments of up to 1460
      view.setUint32(option + 4, flow.stamps ? 0x0402080a : 0x01010402);
      option += 8;
      if (flow.stamps) {
        view.setUint32(option, this.stamp());
        view.setUint32(option + 4, 0);
        option += 8;
      }
      view.setUint32(option, 0x01030307);
    } else if (options) {
      view.setUint32(option, 0x0101080a);
      view.setUint32(option + 4, this.stamp());
      view.setUint32(option + 8, this.stamp() - 20);
    }
    if (size > 0) this.payload(at + body, size, flow.http, from);
    flow.seq[from] = (flow.seq[from] + size + (flags & (SYN | FIN) ? 1 : 0)) >>> 0;
    this.tcpPackets++;
    if (flags & RST) {
      this.resets.total++;
      this.resets[flow.tagged ? (flow.v6 ? 'vlan6' : 'vlan4') : flow.v6 ? 'v6' : 'v4']++;
    }
  }

  stamp() {
    return ((this.file.seconds & 0xfffff) * 1000 + Math.floor(this.file.micros / 1000)) >>> 0;
  }

  /**
   * A whole HTTP message or TLS record, so that dissectors have nothing to complain of.
   * @param {number} at
   * @param {number} size
   * @param {boolean} http
   * @param {number} from
   */
  payload(at, size, http, from) {
    const { out } = this.file;
    let done = 5;
    if (http) {
      const start = from
        ? 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n'
        : 'POST /upload HTTP/1.1\r\nHost: example.net\r\n';
      done = start.length + 26;
      out.write(`${start}Content-Length: ${String(size - done).padStart(6, '0')}\r\n\r\n`, at, done);
    } else {
      out[at] = 0x17;
      out[at + 1] = 3;
      out[at + 2] = 3;
      out[at + 3] = (size - 5) >> 8;
      out[at + 4] = (size - 5) & 255;
    }
    const { noise } = this;
    const skip = this.random() & 0x7fff;
    const rest = size - done;
    if (rest > 64) noise.copy(out, at + done, skip, skip + rest);
    else for (let i = 0; i < rest; i++) out[at + done + i] = noise[skip + i];
  }

  /**
   * The size of a message: a full segment, a short one, or one that keeps within 90 bytes.
   * @param {Flow} flow
   * @param {boolean} whole
   */
  size(flow, whole) {
    const options = flow.stamps ? 12 : 0;
    if (!this.profile.big) return 6 + this.below(90 - flow.tcp - 20 - options - 5);
    return whole ? 1460 - options - (flow.v6 ? 20 : 0) : 120 + this.below(700);
  }

  /**
   * The next burst of a flow.
   * @param {Flow} flow
   * @returns {boolean} whether more is to come
   */
  step(flow) {
    const { sender } = flow;
    switch (flow.state) {
      case 0:
        if (flow.tries++ > 0) flow.seq[0] = (flow.seq[0] - 1) >>> 0; // the same SYN once more
        this.segment(flow, 0, SYN, 0);
        if (flow.end === REFUSED) {
          this.segment(flow, 1, RST | ACK, 0);
          return flow.tries < 3 && this.below(2) === 0;
        }
        if (flow.end === SILENT) return flow.tries < 4;
        flow.state = 1;
        return true;
      case 1:
        this.segment(flow, 1, SYN | ACK, 0);
        this.segment(flow, 0, ACK, 0);
        flow.state = 2;
        return true;
      case 2: // a request, and how much the answer will be
        this.segment(flow, 1 - sender, PSH | ACK, this.size(flow, false));
        this.segment(flow, sender, ACK, 0);
        if (this.profile.big) {
          const r = this.random() / 2 ** 32;
          flow.left = this.below(1000) === 0 ? 1500 : 1 + Math.floor(52 * r * r * r);
        } else {
          flow.left = 1 + this.below(3);
        }
        flow.state = 3;
        return true;
      case 3: // one or two segments and an ack
        if (flow.end === ABORT && flow.rounds === 1 && this.below(4) === 0) {
          flow.state = 4;
          return true;
        }
        if (flow.left > 2 && this.profile.big) {
          this.segment(flow, sender, ACK, this.size(flow, true));
          flow.left--;
        }
        this.segment(flow, sender, flow.left === 1 ? PSH | ACK : ACK, this.size(flow, flow.left > 1));
        flow.left--;
        this.segment(flow, 1 - sender, ACK, 0);
        if (flow.left === 0) flow.state = --flow.rounds > 0 ? 2 : 4;
        return true;
      case 4:
        if (flow.end === LOST) return false;
        if (flow.end === ABORT) {
          const by = this.below(3) === 0 ? 0 : 1;
          this.segment(flow, by, this.below(3) === 0 ? RST : RST | ACK, 0);
          for (let late = this.below(5) - 2; late > 0; late--) {
            this.segment(flow, 1 - by, PSH | ACK, this.size(flow, false));
            this.segment(flow, by, RST, 0);
          }
          return false;
        }
        this.segment(flow, 0, FIN | ACK, 0);
        flow.state = 5;
        return true;
      default:
        if (flow.end === HANG_UP) {
          for (let late = 1 + this.below(2); late > 0; late--) {
            this.segment(flow, 1, PSH | ACK, this.size(flow, false));
            this.segment(flow, 0, RST, 0);
          }
          return false;
        }
        this.segment(flow, 1, FIN | ACK, 0);
        this.segment(flow, 0, ACK, 0);
        return false;
    }
  }

  /** A DNS question and its answer. */
  dns() {
    const { file } = this;
    const client = this.below(2000);
    const port = 20000 + this.below(10000);
    const id = this.below(65536);
    const name = [4, 0x68, 0x6f, 0x73, 0x74, 7, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0]; // host.example
    for (let from = 0; from < 2; from++) {
      const length = from ? 88 : 72;
      const at = file.frame(length);
      const { out, view } = file;
      out.fill(0, at, at + length);
      out.set(
        from
          ? [2, 0, 0x5e, 0, client >> 8, client & 255, 2, 0, 0x5e, 1, 0, 1]
          : [2, 0, 0x5e, 1, 0, 1, 2, 0, 0x5e, 0, client >> 8, client & 255],
        at,
      );
      view.setUint16(at + 12, 0x0800);
      const ip = at + 14;
      out[ip] = 0x45;
      view.setUint16(ip + 2, length - 14);
      view.setUint16(ip + 4, id);
      out[ip + 8] = 64;
      out[ip + 9] = 17;
      out.set([10, 1, client >> 8, client & 255], ip + (from ? 16 : 12));
      out.set([192, 0, 2, 53], ip + (from ? 12 : 16));
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += view.getUint16(ip + i);
      sum = (sum & 0xffff) + (sum >>> 16);
      sum = (sum & 0xffff) + (sum >>> 16);
      view.setUint16(ip + 10, ~sum & 0xffff);
      const udp = ip + 20;
      view.setUint16(udp, from ? 53 : port);
      view.setUint16(udp + 2, from ? port : 53);
      view.setUint16(udp + 4, length - 34);
      const dns = udp + 8;
      view.setUint16(dns, id);
      view.setUint16(dns + 2, from ? 0x8180 : 0x0100);
      view.setUint16(dns + 4, 1);
      view.setUint16(dns + 6, from);
      out.set(name, dns + 12);
      out.set([0, 1, 0, 1], dns + 26);
      if (from) out.set([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 1], dns + 30);
    }
  }

  /** An ARP request, padded to the least size of a frame. */
  arp() {
    const at = this.file.frame(60);
    const { out } = this.file;
    const client = this.below(2000);
    out.fill(0, at, at + 60);
    out.fill(255, at, at + 6);
    out.set([2, 0, 0x5e, 1, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0x5e, 1, 0, 1, 10, 1, 255, 254], at + 6);
    out.set([10, 1, client >> 8, client & 255], at + 38);
  }

  /**
   * Writes until the file has this many bytes, then stops where it is.
   * @param {number} bytes
   */
  run(bytes) {
    const { file } = this;
    /** @type {(Flow | null)[]} */
    const live = new Array(this.profile.live).fill(null);
    while (file.bytes < bytes) {
      const other = this.below(8192);
      if (other < 64) this.dns();
      else if (other === 64) this.arp();
      const slot = this.below(live.length);
      const flow = (live[slot] ??= this.open());
      if (!this.step(flow)) live[slot] = null;
    }
  }

  /** Ten packets: a conversation that is reset, and a refused one. */
  ten() {
    const one = this.open(ABORT);
    this.segment(one, 0, SYN, 0);
    this.segment(one, 1, SYN | ACK, 0);
    this.segment(one, 0, ACK, 0);
    this.segment(one, 0, PSH | ACK, 300);
    this.segment(one, 1, ACK, 0);
    this.segment(one, 1, ACK, 1000);
    this.segment(one, 0, ACK, 0);
    one.state = 4;
    this.segment(one, 1, RST | ACK, 0);
    const two = this.open(REFUSED);
    this.segment(two, 0, SYN, 0);
    this.segment(two, 1, RST | ACK, 0);
  }
}

/**
 * @param {string} name
 * @returns {{ base: string, scale: number }}
 */
function parseName(name) {
  const match = /^(full|small|many|ten)(?:-(tenth|fifth|x\d+))?$/.exec(name);
  if (!match || (match[1] === 'ten' && match[2])) throw new Error(`no such capture: ${name}`);
  const ending = match[2];
  const scale = !ending ? 1 : ending === 'tenth' ? 0.1 : ending === 'fifth' ? 0.2 : Number(ending.slice(1));
  return { base: match[1], scale };
}

/**
 * Makes a capture, unless it is there already.
 * @param {string} name `full`, `small-x2`, `ten`...
 * @param {{ force?: boolean, log?: (line: string) => void }} [options]
 * @returns {Capture & { path: string }}
 */
export function ensureCapture(name, { force = false, log } = {}) {
  const { base, scale } = parseName(name);
  const path = join(DATA, `${name}.pcap`);
  const about = join(DATA, `${name}.json`);
  if (!force && existsSync(path) && existsSync(about)) {
    const known = JSON.parse(readFileSync(about, 'utf8'));
    if (known.version === VERSION && known.bytes === statSync(path).size) return { ...known, path };
  }
  mkdirSync(DATA, { recursive: true });
  log?.(`writing ${name}.pcap`);
  const profile = PROFILES[base] ?? { bytes: 0, seed: 8, live: 1, gap: 2000, big: true };
  const traffic = new Traffic(`${path}.part`, profile);
  if (base === 'ten') traffic.ten();
  else traffic.run(Math.round(profile.bytes * scale));
  const { file } = traffic;
  file.close();
  renameSync(`${path}.part`, path);
  /** @type {Capture} */
  const capture = {
    version: VERSION,
    name,
    bytes: file.written,
    packets: file.packets,
    tcpPackets: traffic.tcpPackets,
    flows: traffic.flows,
    seconds: Math.round(file.seconds + file.micros / 1e6 - START / 1e6),
    resets: traffic.resets,
  };
  writeFileSync(about, `${JSON.stringify(capture, null, 2)}\n`);
  return { ...capture, path };
}

function main() {
  const names = [];
  let scale = 1;
  let force = false;
  const args = argv.slice(2);
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--force') force = true;
    else if (args[i] === '--scale') scale = Number(args[++i]);
    else names.push(args[i]);
  }
  if (!Number.isInteger(scale) || scale < 1) throw new Error('--scale takes a whole number from 1');
  if (names.length === 0) names.push(...(scale > 1 ? ['full', 'small', 'many'] : ['full', 'small', 'many', 'ten']));
  for (const name of names) {
    const whole = scale > 1 && name in PROFILES ? `${name}-x${scale}` : name;
    const capture = ensureCapture(whole, { force, log: (line) => stderr.write(`${line}\n`) });
    stdout.write(`${JSON.stringify({ ...capture, path: undefined })}\n`);
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    stderr.write(`make-captures: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}
