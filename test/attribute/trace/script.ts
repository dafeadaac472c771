/** Trace events as a test writes them down, one after the other, and what the story made of them. */
import { wordsV4, wordsV6, type Ends, type Words } from '../../../src/attribute/trace/ends.js';
import type { TraceEvent } from '../../../src/attribute/trace/events.js';
import type { Symbol } from '../../../src/attribute/trace/stacks.js';
import { Story, type FailedConnect, type ListenerEnd, type Traced } from '../../../src/attribute/trace/story.js';

export const STATE = {
  established: 1,
  synSent: 2,
  finWait1: 4,
  timeWait: 6,
  close: 7,
  lastAck: 9,
  listen: 10,
} as const;

export const PATHS = {
  linger: ['tcp_disconnect', '__tcp_close', 'tcp_close'],
  unread: ['__tcp_close', 'tcp_close'],
  killed: ['__tcp_close', 'tcp_close', 'do_group_exit', 'get_signal'],
  listener: ['tcp_disconnect', 'inet_child_forget', 'inet_csk_listen_stop', '__tcp_close', 'tcp_close'],
  disconnect: ['tcp_disconnect', '__inet_stream_connect'],
  destroyed: ['tcp_abort', 'tcp_diag_destroy'],
  keepalive: ['tcp_keepalive_timer'],
  icmp: ['tcp_v4_err', 'icmp_unreach'],
  timeout: ['tcp_write_err', 'tcp_write_timeout', 'tcp_write_timer_handler'],
} as const satisfies Record<string, readonly Symbol[]>;

function words(ip: string): Words {
  if (ip === '::') return [0, 0, 0, 0];
  if (ip.includes('.')) {
    return wordsV4(Uint8Array.from(ip.split('.').map(Number)), 0);
  }
  // "fd00::7" is enough here.
  const [head = '0', tail = '0'] = ip.split('::');
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint16(0, Number.parseInt(head || '0', 16));
  new DataView(bytes.buffer).setUint16(14, Number.parseInt(tail || '0', 16));
  return wordsV6(bytes, 0);
}

/** "10.0.0.1 80 10.0.0.2 40000": local end first. */
export function ends(tuple: string): Ends {
  const [local = '', localPort, remote = '', remotePort] = tuple.split(' ');
  return {
    local: words(local),
    localPort: Number(localPort),
    remote: words(remote),
    remotePort: Number(remotePort),
  };
}

export function mirrored(tuple: string): string {
  const [local = '', localPort = '', remote = '', remotePort = ''] = tuple.split(' ');
  return [remote, remotePort, local, localPort].join(' ');
}

export interface Where {
  /** The task that ran. */
  readonly task: number;
  /** In an interrupt, whoever it took the CPU from. */
  readonly soft?: boolean;
}

type Stack = readonly Symbol[] | null;

export class Script {
  readonly story = new Story();
  readonly resets: Traced[] = [];
  readonly amended: Traced[] = [];
  readonly failed: FailedConnect[] = [];
  readonly listenerEnds: ListenerEnd[] = [];
  time = 1_000_000;

  state(sk: number, from: number, to: number, tuple: string, where: Where, stack: Stack = null): this {
    return this.see({ kind: 'state', sk, from, to, ends: ends(tuple) }, where, stack);
  }

  /** A connect() as the kernel tells it: first without a local port. */
  connect(sk: number, tuple: string, task: number): this {
    const [local = '', , remote = '', port = ''] = tuple.split(' ');
    this.state(sk, STATE.close, STATE.synSent, [local, '0', remote, port].join(' '), { task });
    return this;
  }

  connected(sk: number, tuple: string, task: number): this {
    return this.connect(sk, tuple, task).state(sk, STATE.synSent, STATE.established, tuple, { task: 7, soft: true });
  }

  listen(sk: number, ip: string, port: number, task: number): this {
    return this.state(sk, STATE.close, STATE.listen, `${ip} ${port} 0.0.0.0 0`, { task });
  }

  /** Sent by the socket itself. */
  abort(sk: number, tuple: string, where: Where, path: keyof typeof PATHS | null, state: number = STATE.close): this {
    const stack = path === null ? null : PATHS[path];
    const event = { kind: 'send-reset', active: true, sk, state, reason: null, ends: ends(tuple) } as const;
    return this.see(event, where, stack);
  }

  /** Sent as an answer. */
  answer(sk: number, tuple: string, where: Where, state: number, reason: string | null = null): this {
    return this.see({ kind: 'send-reset', active: false, sk, state, reason, ends: ends(tuple) }, where, null);
  }

  receive(sk: number, tuple: string, where: Where): this {
    return this.see({ kind: 'receive-reset', sk, ends: ends(tuple) }, where, null);
  }

  failedCall(sk: number, task: number, reading = true): this {
    return this.see({ kind: 'failed-call', sk, reading }, { task }, null);
  }

  destroy(sk: number, tuple: string, where: Where): this {
    return this.see({ kind: 'destroy', sk, ends: ends(tuple) }, where, null);
  }

  see(event: Bare, { task, soft = false }: Where, stack: Stack): this {
    this.time += 1000;
    const whole = { ...event, time: this.time, task, inTask: !soft, mayDeliver: false } as TraceEvent;
    this.story.see(whole, stack === null ? null : new Set(stack));
    const news = this.story.take();
    this.resets.push(...news.resets);
    this.amended.push(...news.amended);
    this.failed.push(...news.failed);
    this.listenerEnds.push(...news.listenerEnds);
    return this;
  }

  /** The last reset. */
  get last(): Traced {
    const last = this.resets.at(-1);
    if (last === undefined) throw new Error('no reset was traced');
    return last;
  }

  /** Who it is: "how task", or null. */
  ownerOf(traced: Traced = this.last): string | null {
    return traced.owner === null ? null : `${traced.owner.how} ${traced.owner.task}`;
  }
}

type Bare = TraceEvent extends infer E
  ? E extends TraceEvent
    ? Omit<E, 'time' | 'task' | 'inTask' | 'mayDeliver'>
    : never
  : never;
