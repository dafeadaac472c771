/**
 * Resets made by the kernel for real sockets, in a namespace of a lab or in the test's own, with the truth of each: who
 * spoke to whom and when. Each is a node process of its own, bounded in count and time, that ends with its parent.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './lab.js';
import { bareEnvironment } from './run.js';

const CHILD = fileURLToPath(new URL('./traffic-child.mjs', import.meta.url));
const LONGEST_MS = 30_000;
const MOST = 10_000;

export interface Endpoint {
  ip: string;
  port: number;
}

/** What became of one connection, as the program saw it that made it: behind DNAT both sides see another server. */
export interface Truth {
  by: 'knock' | 'dial' | 'lingerClient' | 'lingerServer' | 'quietServer';
  client: Endpoint;
  server: Endpoint;
  /** Wall clock, ms: the reset was sent or came between these two. */
  beforeMs: number;
  afterMs: number;
  /** refused: a reset answered the SYN; reset: one came later; aborted: this side sent one; or an error's code. */
  outcome: string;
}

export interface Traffic {
  readonly pid: number;
  /** The truth so far. */
  readonly truth: readonly Truth[];
  /** All of it, when the program has ended. */
  readonly done: Promise<Truth[]>;
  /** Ends it now (connections under way are let end); a second call only waits. */
  stop(): Promise<Truth[]>;
}

export interface Common {
  /** The test's own namespace if not given. */
  ns?: Namespace;
  host: string;
  port: number;
  /** Ends by itself after this; 30 s if not given. */
  forMs?: number;
}

export interface ClientOptions extends Common {
  /** Connections, one after the other; 1 if not given. */
  times?: number;
  /** From start to start, 0 (at once) if not given. */
  everyMs?: number;
  /** The first connection's own port, the next one more each; any free one if not given. */
  localPort?: number;
  /** Sent when connected. */
  send?: string;
}

export interface ServerOptions extends Common {
  /** Ends after so many connections; 10 000 if not given. */
  times?: number;
}

/** SYNs to a port, closed if resets are wanted: outcome refused. */
export function knock(options: ClientOptions): Traffic {
  return startChild('knock', options).traffic;
}

/** Connects, and waits for the server to end it; with `lingerServer`, outcome reset. */
export function dial(options: ClientOptions): Traffic {
  return startChild('dial', options).traffic;
}

/** Connects and hangs up by a reset (SO_LINGER 0) after `afterMs`, 20 if not given: outcome aborted. */
export function lingerClient(options: ClientOptions & { afterMs?: number }): Traffic {
  return startChild('lingerClient', { afterMs: 20, ...options }).traffic;
}

/** A server that resets (SO_LINGER 0) what it accepts, after `afterMs`, at once if not given. Listens when resolved. */
export function lingerServer(options: ServerOptions & { afterMs?: number }): Promise<Traffic> {
  return serving(startChild('lingerServer', { times: MOST, ...options }));
}

/** A server that accepts and reads and says nothing. Listens when resolved. */
export function quietServer(options: ServerOptions): Promise<Traffic> {
  return serving(startChild('quietServer', { times: MOST, ...options }));
}

interface Started {
  traffic: Traffic;
  ready: Promise<void>;
}

async function serving({ traffic, ready }: Started): Promise<Traffic> {
  // A server that can't listen ends; its error is told, not awaited for.
  await Promise.race([ready, traffic.done]);
  return traffic;
}

function startChild(kind: Truth['by'], options: ClientOptions & { afterMs?: number }): Started {
  const { ns, times = 1, everyMs = 0, afterMs = 0, forMs = LONGEST_MS, ...rest } = options;
  if (times > MOST || forMs > 10 * LONGEST_MS)
    throw new Error(`${times} times in ${forMs} ms is more than a test wants`);
  const args = [process.execPath, CHILD, JSON.stringify({ kind, times, everyMs, afterMs, forMs, ...rest })] as const;
  const [program, ...words] = ns === undefined ? args : ns.command(args, 'nsenter');
  const child = spawn(program, words, { env: bareEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} could not be started`);

  const truth: Truth[] = [];
  let unfinished = '';
  let stderr = '';
  let listening: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (listening = resolve));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (unfinished + chunk).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) {
      const said = JSON.parse(line) as Truth | { ready: unknown };
      if ('ready' in said) listening();
      else truth.push(said);
    }
  });
  child.stdin.on('error', () => undefined);
  // Its own limit is the rule; this is for one that hangs.
  const timer = setTimeout(() => child.kill('SIGKILL'), forMs + 5_000);
  const done = once(child, 'close').then(([code, signal]: unknown[]) => {
    clearTimeout(timer);
    if (code === 0) return truth;
    throw new Error(`${kind} ${options.host}:${options.port} ended with ${String(signal ?? code)}: ${stderr.trim()}`);
  });
  // It may be stopped, or its lab destroyed, without anybody waiting for it.
  done.catch(() => undefined);
  const stop = (): Promise<Truth[]> => {
    child.stdin.end();
    return done;
  };
  return { traffic: { pid, truth, done, stop }, ready };
}
