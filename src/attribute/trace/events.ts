/**
 * The trace events that are read, as plain records: which bytes of a record mean what, by the kernel's own formats.
 *
 * Sources: Linux include/trace/events/tcp.h, sock.h, task.h, sched.h. What a kernel lacks is not decoded, and nobody misses it
 * here: `Decoders.has` tells.
 */

import { u16le, u32le } from '../../base/bytes.js';
import { utf8 } from '../../base/text.js';
import { NO_ENDS, socketAddress, wordsV4, wordsV6, type Ends, type Words } from './ends.js';
import type { EventFormat, Field } from './format.js';

interface Common {
  /** Nanoseconds of the ring's clock. */
  readonly time: number;
  /** The thread that ran on the CPU. */
  readonly task: number;
  /** It ran on its own behalf: no interrupt had taken the CPU from it. */
  readonly inTask: boolean;
  /** It kept interrupts' work from its CPU, as whoever hands packets to the network does (a TUN device's writer). */
  readonly mayDeliver: boolean;
}

/** Sockets are told by the low 48 bits of their address: the rest is the same for all. */
export type TraceEvent = Common &
  (
    | {
        readonly kind: 'send-reset';
        /** Sent by the socket itself, not as an answer to a packet. */
        readonly active: boolean;
        /** 0: none. */
        readonly sk: number;
        readonly state: number;
        readonly reason: string | null;
        readonly ends: Ends;
      }
    | { readonly kind: 'receive-reset'; readonly sk: number; readonly ends: Ends }
    | { readonly kind: 'state'; readonly sk: number; readonly from: number; readonly to: number; readonly ends: Ends }
    /** A call that reads or writes failed because of a reset. */
    | { readonly kind: 'failed-call'; readonly sk: number; readonly reading: boolean }
    /** A socket, told by its ends only, was given an error. */
    | { readonly kind: 'error'; readonly error: number; readonly ends: Ends }
    | { readonly kind: 'destroy'; readonly sk: number; readonly ends: Ends }
    /** The stack of the record before it on its CPU. */
    | { readonly kind: 'stack'; readonly callers: readonly number[] }
    /** The task that ran made another one. */
    | { readonly kind: 'birth'; readonly child: number; readonly name: string; readonly isThread: boolean }
    | { readonly kind: 'rename'; readonly pid: number; readonly name: string }
    | { readonly kind: 'exec'; readonly pid: number; readonly file: string | null }
  );

export const EVENTS = [
  'tcp/tcp_send_reset',
  'tcp/tcp_receive_reset',
  'tcp/tcp_destroy_sock',
  'sock/inet_sock_set_state',
  'sock/inet_sk_error_report',
  'sock/sock_recv_length',
  'sock/sock_send_length',
  'task/task_newtask',
  'task/task_rename',
  'sched/sched_process_exec',
  'ftrace/kernel_stack',
] as const;
export type EventName = (typeof EVENTS)[number];

/** include/net/tcp_states.h. */
export const ESTABLISHED = 1;
export const SYN_SENT = 2;
export const FIN_WAIT1 = 4;
export const FIN_WAIT2 = 5;
export const TIME_WAIT = 6;
export const CLOSE = 7;
export const LAST_ACK = 9;
export const LISTEN = 10;
export const CLOSING = 11;

/** TRACE_FLAG_HARDIRQ | TRACE_FLAG_SOFTIRQ. */
const IN_INTERRUPT = 0x18;
/** TRACE_FLAG_BH_OFF. */
const BOTTOM_HALVES_OFF = 0x80;
/** include/uapi/linux/sched.h. */
const CLONE_THREAD = 0x10000;
const COMMON_FLAGS = 2;
const COMMON_PID = 4;
const COMMON_SIZE = 8;
const MAX_TEXT = 512;
const MAX_CALLERS = 128;

type Bare = TraceEvent extends infer E ? (E extends Common ? Omit<E, keyof Common> : never) : never;
type Decode = (page: Uint8Array, at: number, length: number) => Bare | null;

interface Decoder {
  readonly decode: Decode;
  /** Bytes that the fields take. */
  readonly least: number;
}

export class Decoders {
  private readonly byId = new Map<number, Decoder>();
  private readonly names = new Set<EventName>();

  constructor(formats: ReadonlyMap<EventName, EventFormat>) {
    for (const [name, format] of formats) {
      const decoder = decoderOf(name, format);
      if (decoder === null) continue;
      this.byId.set(format.id, decoder);
      this.names.add(name);
    }
  }

  /** The kernel has the event, with the fields that are needed. */
  has(name: EventName): boolean {
    return this.names.has(name);
  }

  /** Null: a record of something else. */
  decode(page: Uint8Array, at: number, length: number, time: number): TraceEvent | null {
    if (length < COMMON_SIZE) return null;
    const decoder = this.byId.get(u16le(page, at));
    if (decoder === undefined || length < decoder.least) return null;
    const event = decoder.decode(page, at, length);
    if (event === null) return null;
    const flags = page[at + COMMON_FLAGS] ?? 0;
    const inTask = (flags & IN_INTERRUPT) === 0;
    const mayDeliver = (flags & BOTTOM_HALVES_OFF) !== 0;
    return { ...event, time, task: u32le(page, at + COMMON_PID), inTask, mayDeliver };
  }
}

/** Null: a field that is needed is not there, or not of the size that it must have. */
function decoderOf(name: EventName, format: EventFormat): Decoder | null {
  const fields = new Fields(format);
  const decode = DECODERS[name](fields, format);
  return decode === null || fields.lacking ? null : { decode, least: fields.end };
}

/** Asks for fields, and keeps in mind how far they reach and whether one was not there. */
class Fields {
  lacking = false;
  end = COMMON_SIZE;
  private readonly all: ReadonlyMap<string, Field>;

  constructor({ fields }: EventFormat) {
    this.all = fields;
  }

  has(name: string): boolean {
    return this.all.has(name);
  }

  size(name: string): number {
    return this.all.get(name)?.size ?? 0;
  }

  at(name: string, size: number): number {
    const field = this.all.get(name);
    if (field?.size !== size) {
      this.lacking = true;
      return 0;
    }
    this.end = Math.max(this.end, field.offset + size);
    return field.offset;
  }
}

const DECODERS: Readonly<Record<EventName, (fields: Fields, format: EventFormat) => Decode | null>> = {
  'tcp/tcp_send_reset': (fields, { names }) => {
    const skb = fields.at('skbaddr', 8);
    const sk = fields.at('skaddr', 8);
    const state = fields.at('state', 4);
    const ends = endsOf(fields);
    const reason = fields.has('reason') ? fields.at('reason', 4) : null;
    const reasons = names.get('reason');
    return (page, at) => ({
      kind: 'send-reset',
      active: address(page, at + skb) === 0,
      sk: address(page, at + sk),
      state: u32le(page, at + state),
      reason: reason === null ? null : said(reasons?.get(u32le(page, at + reason))),
      ends: ends(page, at),
    });
  },
  'tcp/tcp_receive_reset': (fields) => {
    const sk = fields.at('skaddr', 8);
    const ends = endsOf(fields);
    return (page, at) => ({ kind: 'receive-reset', sk: address(page, at + sk), ends: ends(page, at) });
  },
  'tcp/tcp_destroy_sock': (fields) => {
    const sk = fields.at('skaddr', 8);
    const ends = endsOf(fields);
    return (page, at) => ({ kind: 'destroy', sk: address(page, at + sk), ends: ends(page, at) });
  },
  'sock/inet_sock_set_state': (fields) => {
    const sk = fields.at('skaddr', 8);
    const from = fields.at('oldstate', 4);
    const to = fields.at('newstate', 4);
    const ends = endsOf(fields);
    return (page, at) => ({
      kind: 'state',
      sk: address(page, at + sk),
      from: u32le(page, at + from),
      to: u32le(page, at + to),
      ends: ends(page, at),
    });
  },
  'sock/inet_sk_error_report': (fields) => {
    const error = fields.at('error', 4);
    const ends = endsOf(fields);
    return (page, at) => ({ kind: 'error', error: u32le(page, at + error), ends: ends(page, at) });
  },
  'sock/sock_recv_length': (fields) => failedCall(fields, true),
  'sock/sock_send_length': (fields) => failedCall(fields, false),
  'task/task_newtask': (fields) => {
    const child = fields.at('pid', 4);
    const flags = fields.at('clone_flags', 8);
    const name = textOf(fields, 'comm');
    return (page, at, length) => ({
      kind: 'birth',
      child: u32le(page, at + child),
      name: name(page, at, length) ?? '',
      isThread: (u32le(page, at + flags) & CLONE_THREAD) !== 0,
    });
  },
  'task/task_rename': (fields) => {
    const pid = fields.at('pid', 4);
    const name = textOf(fields, 'newcomm');
    return (page, at, length) => ({
      kind: 'rename',
      pid: u32le(page, at + pid),
      name: name(page, at, length) ?? '',
    });
  },
  'sched/sched_process_exec': (fields) => {
    const pid = fields.at('pid', 4);
    const file = textOf(fields, 'filename');
    return (page, at, length) => ({ kind: 'exec', pid: u32le(page, at + pid), file: file(page, at, length) });
  },
  'ftrace/kernel_stack': (fields) => {
    const size = fields.at('size', 4);
    // The array of callers is as long as the stack was.
    const callers = 16;
    return (page, at, length) => {
      const deep = Math.min(u32le(page, at + size), Math.floor((length - callers) / 8), MAX_CALLERS);
      const found: number[] = [];
      for (let i = 0; i < deep; i++) found.push(address(page, at + callers + i * 8));
      return { kind: 'stack', callers: found };
    };
  },
};

/** Linux 6.10 and 6.11 have a reason for answers only; of what a program sent they say that there is none. */
function said(reason: string | undefined): string | null {
  return reason === undefined || reason === 'NOT_SPECIFIED' ? null : reason;
}

function failedCall(fields: Fields, reading: boolean): Decode {
  const sk = fields.at('sk', 8);
  return (page, at) => ({ kind: 'failed-call', sk: address(page, at + sk), reading });
}

/** The low 48 bits of an address. */
function address(page: Uint8Array, at: number): number {
  return u32le(page, at) + u16le(page, at + 4) * 2 ** 32;
}

/** Older kernels keep ports and addresses apart, newer ones have two socket addresses in `tcp_send_reset`. */
function endsOf(fields: Fields): (page: Uint8Array, at: number) => Ends {
  const SOCKET_ADDRESS = 28;
  if (!fields.has('sport') && fields.size('saddr') === SOCKET_ADDRESS) {
    const source = fields.at('saddr', SOCKET_ADDRESS);
    const destination = fields.at('daddr', SOCKET_ADDRESS);
    return (page, at) => {
      const local = socketAddress(page, at + source);
      const remote = socketAddress(page, at + destination);
      if (local === null || remote === null) return NO_ENDS;
      return { localPort: local.port, remotePort: remote.port, local: local.words, remote: remote.words };
    };
  }
  const localPort = fields.at('sport', 2);
  const remotePort = fields.at('dport', 2);
  const v6 = fields.has('saddr_v6');
  const local = fields.at(v6 ? 'saddr_v6' : 'saddr', v6 ? 16 : 4);
  const remote = fields.at(v6 ? 'daddr_v6' : 'daddr', v6 ? 16 : 4);
  const read: (page: Uint8Array, at: number) => Words = v6 ? wordsV6 : wordsV4;
  return (page, at) => ({
    localPort: u16le(page, at + localPort),
    remotePort: u16le(page, at + remotePort),
    local: read(page, at + local),
    remote: read(page, at + remote),
  });
}

/** A `__data_loc` text, or an array of characters as newest and oldest kernels have it. */
function textOf(fields: Fields, name: string): (page: Uint8Array, at: number, length: number) => string | null {
  const size = fields.size(name);
  const place = fields.at(name, size);
  if (size !== 4) return (page, at) => utf8(page.subarray(at + place, at + place + size));
  return (page, at, length) => {
    const word = u32le(page, at + place);
    const start = word & 0xffff;
    const end = Math.min(start + (word >>> 16), start + MAX_TEXT, length);
    return end <= start ? null : utf8(page.subarray(at + start, at + end));
  };
}
