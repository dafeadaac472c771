/**
 * The program that captures by the `cap` binding: one interface, written as pcapng to standard output.
 *
 * A process of its own, because cap aborts its process when the interface goes away. Never waits for its reader: what
 * finds no room is dropped and counted. Ends when its standard input ends, which it does when its starter dies, however
 * that dies. Knows no connections; what it says of itself goes to standard error as lines of JSON.
 */

import { fstatSync, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { pcapngInterface, pcapngLost, pcapngPacketInto, pcapngSection, PCAPNG_PACKET_ROOM } from '../pcapng-bytes.js';
import { FLOOD_PACKETS_A_MS, type CapOrder, type CapWord } from './cap-order.js';

/** What we use of the binding (cap 0.2.1). */
interface Cap {
  /** Gives the link type in words. Throws with libpcap's words. */
  open(device: string, filter: string, bufferBytes: number, into: Buffer): string;
  close(): boolean;
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): void;
}

interface Binding {
  readonly Cap: new () => Cap;
}

/** The binding always asks libpcap for so many bytes of a packet. */
const CAP_SNAPLEN = 65535;
const OUT_BYTES = 256 * 1024;
/** Bytes that may wait for the starter to read: some seconds of a flood, in this process's memory and not in its. */
const MAX_WAITING = 112 * 1024 * 1024;
/** Of these, what is held back in a flood. */
const HELD_BACK = 96 * 1024 * 1024;
const FLOOD_LOOK_MS = 10;
/** Packets between two looks at the clock and at standard input: while packets come, the event loop stands still. */
const PACKETS_A_LOOK = 512;
/** What is there in one turn of the event loop came together; so many packets at most bear one time. */
const PACKETS_A_TIME = 32;
const MICROSECOND_DIGITS = 6;
/** The wall clock may be set: past this difference the own one follows it. */
const MAX_DRIFT_MS = 2;
const CLOCK_CHECK_MS = 1000;

const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
  IEEE802_11_RADIO: 127,
};
/** DLT_RAW has another number in files. */
const DLT_RAW = 12;
const LINKTYPE_RAW = 101;

function say(word: CapWord): void {
  writeSync(2, `${JSON.stringify(word)}\n`);
}

function linkTypeOf(words: string): number {
  const known = LINK_TYPES[words];
  if (known !== undefined) return known;
  const dlt = Number(/\d+/.exec(words)?.[0] ?? NaN);
  return dlt === DLT_RAW ? LINKTYPE_RAW : dlt;
}

/** Bytes on their way out: a buffer that is filled, and what the pipe did not take yet. */
class Out {
  lost = 0;
  private readonly flood = new Flood();
  private readonly buffer = new Uint8Array(OUT_BYTES);
  private filled = 0;
  private waiting: Uint8Array[] = [];
  private size = 0;
  private armed = false;
  private readonly sink: (bytes: Uint8Array) => number;

  /** `sink` takes what it can without waiting, and says how much; throws EAGAIN where that is nothing. */
  constructor(sink: (bytes: Uint8Array) => number) {
    this.sink = sink;
  }

  packet(micros: number, bytes: Uint8Array, original: number): void {
    const room = PCAPNG_PACKET_ROOM + bytes.length;
    if (room > this.buffer.length - this.filled) {
      this.stow();
      if (!this.holdsBack) this.give();
    }
    if (this.size > MAX_WAITING) {
      this.lost++;
      return;
    }
    this.filled = pcapngPacketInto(this.buffer, this.filled, micros, bytes, original);
    if (this.armed) return;
    this.armed = true;
    // After the packets that are there by now: one write for all of them.
    setImmediate(() => {
      this.armed = false;
      this.offer();
    });
  }

  block(bytes: Uint8Array): void {
    this.stow();
    this.waiting.push(bytes);
    this.size += bytes.length;
    this.give();
  }

  get wasFlooded(): boolean {
    return this.flood.met;
  }

  get empty(): boolean {
    return this.filled === 0 && this.waiting.length === 0;
  }

  /** So many packets came since the last look. */
  look(packets: number): void {
    this.flood.look(packets, performance.now());
    this.offer();
  }

  /** Everything at once, flood or not. */
  flush(): void {
    this.stow();
    this.give();
  }

  private offer(): void {
    if (!this.holdsBack) this.flush();
  }

  private get holdsBack(): boolean {
    return this.flood.isOn && this.size < HELD_BACK;
  }

  private stow(): void {
    if (this.filled === 0) return;
    this.waiting.push(this.buffer.slice(0, this.filled));
    this.size += this.filled;
    this.filled = 0;
  }

  /** Gives away what the pipe takes without waiting. */
  private give(): void {
    for (let [first] = this.waiting; first !== undefined; [first] = this.waiting) {
      let taken: number;
      try {
        taken = this.sink(first);
      } catch (error) {
        // Full: again with the next packet or at the next tick. Anything else: nobody is there any more.
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
        process.exit(0);
      }
      this.size -= taken;
      if (taken === first.length) this.waiting.shift();
      else this.waiting[0] = first.subarray(taken);
    }
  }
}

/**
 * Tells a flood. The kernel's ring holds few packets, the binding asks for 64 KiB for each: whoever works on them beside
 * us, on few cores, keeps us from the ring for longer than it lasts. So in a flood capturing goes first, and what is
 * captured is handed over when it ebbs, or when it takes too much memory.
 */
class Flood {
  isOn = false;
  /** There was one. */
  met = false;
  private looked = performance.now();
  private packets = 0;

  look(packets: number, now: number): void {
    this.packets += packets;
    const ms = now - this.looked;
    if (ms < FLOOD_LOOK_MS) return;
    this.isOn = this.packets > ms * FLOOD_PACKETS_A_MS;
    if (this.isOn) this.met = true;
    this.looked = now;
    this.packets = 0;
  }
}

/** Microseconds since 1970, on a clock that is finer than Date's and follows it when it is set. */
class Clock {
  private origin = performance.timeOrigin;
  private checked = performance.now();

  now(): number {
    const since = performance.now();
    if (since - this.checked > CLOCK_CHECK_MS) {
      this.checked = since;
      const drift = Date.now() - (this.origin + since);
      if (Math.abs(drift) > MAX_DRIFT_MS) this.origin += drift;
    }
    return Math.floor((this.origin + since) * 1000);
  }
}

function capture(order: CapOrder, { Cap }: Binding): void {
  const packet = Buffer.alloc(CAP_SNAPLEN);
  const cap = new Cap();
  const linkType = linkTypeOf(cap.open(order.device, order.filter, order.bufferBytes, packet));
  if (!(linkType >= 0)) throw new Error(`${order.device} has a link type that is not known`);
  const out = new Out((bytes) => writeSync(1, bytes));
  const clock = new Clock();
  rehearse(packet, clock);
  let packets = 0;
  let looked = 0;
  let finished = false;
  let micros = 0;
  let bearers = 0;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    cap.close();
    if (out.wasFlooded) say({ word: 'flooded' });
    out.block(pcapngLost(0, out.lost));
    // Whoever is slow to take it, takes it; whoever does not, ends us.
    setInterval(() => {
      out.flush();
      if (out.empty) process.exit(0);
    }, 2);
  };
  const look = (): void => {
    out.look(packets - looked);
    looked = packets;
  };
  cap.on('packet', (length) => {
    const kept = Math.min(length, order.snaplen);
    if (bearers === 0) {
      micros = clock.now();
      bearers = PACKETS_A_TIME;
      setImmediate(() => {
        bearers = 0;
      });
    }
    bearers--;
    out.packet(micros, packet.subarray(0, kept), length);
    packets++;
    if (packets - looked < PACKETS_A_LOOK) return;
    look();
    if (inputEnded()) finish();
  });
  process.stdin.on('end', finish);
  process.stdin.on('error', finish);
  process.stdin.resume();
  // What found the pipe full is offered again, also when no packet comes any more.
  const lookOften = (): void => {
    const isBusy = packets > looked || !out.empty;
    look();
    setTimeout(lookOften, isBusy ? BUSY_LOOK_MS : QUIET_LOOK_MS);
  };
  lookOften();
  out.block(pcapngSection('rstscope'));
  out.block(pcapngInterface(linkType, order.snaplen, order.name, MICROSECOND_DIGITS));
  say({ word: 'ready', linkType });
}

/** A quiet host is to stay quiet. */
const BUSY_LOOK_MS = 20;
const QUIET_LOOK_MS = 200;

/** Packets of a rehearsal: by then the code is compiled, and the beginning of a flood does not meet it slow. */
const REHEARSAL = 30_000;

function rehearse(packet: Uint8Array, clock: Clock): void {
  const nowhere = new Out((bytes) => bytes.length);
  for (let i = 0; i < REHEARSAL; i++) {
    nowhere.packet(clock.now(), packet.subarray(0, 54 + (i & 15)), 60);
    if (i % PACKETS_A_LOOK === 0) nowhere.look(1);
  }
  nowhere.flush();
}

const probe = new Uint8Array(64);

/** Standard input never carries anything: a read that does not fail is its end. */
function inputEnded(): boolean {
  try {
    return readSync(0, probe, 0, probe.length, null) === 0;
  } catch {
    return false;
  }
}

function main(): void {
  const order = JSON.parse(process.argv[2] ?? '') as CapOrder;
  // A stream over the descriptor makes it one that does not block; nothing is written through the stream.
  if (!fstatSync(1).isFile()) new Socket({ fd: 1, readable: false, writable: true }).unref();
  let binding: Binding;
  try {
    // Loaded here and nowhere else: it can't be loaded twice, and aborts its process.
    binding = createRequire(import.meta.url)('cap') as Binding;
  } catch (error) {
    // Behind the first line Node lists who asked for it.
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    say({ word: 'unavailable', message });
    process.exit(1);
  }
  try {
    capture(order, binding);
  } catch (error) {
    say({ word: 'refused', message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}

main();
