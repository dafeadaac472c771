/**
 * Hears of interfaces that come, go and change, for as long as somebody watches.
 *
 * `ip monitor` says that something has changed, a reading (links.ts) says what; the lines of the monitor themselves are
 * asked for nothing but names, so that an interface which was gone before the reading has one too. Where there is no
 * monitor the links are read twice a second.
 */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { findProgram, startProgram, type Program } from '../../base/spawn.js';
import { askLinks, isLinkName, type Link } from './links.js';
import { inNamespace, inodeAt, type Namespace } from './namespaces.js';

/** Between the end of one reading and the next. */
const QUIET_MS = 100;
/** Between readings where nothing is heard: the monitor may lose messages in a storm of them. */
const POLL_MS = 2000;
const POLL_DEAF_MS = 500;
/** How long the monitor may take to listen; then the first reading is made without it. */
const LISTEN_MS = 500;
const LISTEN_STEP_MS = 4;
const KILL_MS = 500;
const MAX_NAMES = 65_536;
/** A line of the monitor is a few hundred bytes. */
const MAX_LINE = 65_536;

export class LinkWatch {
  private readonly namespace: Namespace;
  private readonly onChange: (links: readonly Link[]) => void;
  private readonly onChild: (pid: number, alive: boolean) => void;

  private now: readonly Link[] = [];
  /** `now` as text, to tell whether a reading differs. */
  private print = '[]';
  /** The latest name of each index, the longest unheard of first. */
  private readonly names = new Map<number, string>();

  private monitor: Monitor | null = null;
  private started: Promise<readonly Link[]> | null = null;
  private stopping: Promise<void> | null = null;

  private begun = false;
  private reading: Promise<void> | null = null;
  private again = false;
  private soon = false;
  private readAt = 0;
  private timer: NodeJS.Timeout | undefined;

  /** `onChild` is told of the child that listens, for somebody who ends it should this process be killed. */
  constructor(
    namespace: Namespace,
    onChange: (links: readonly Link[]) => void,
    onChild: (pid: number, alive: boolean) => void = () => undefined,
  ) {
    this.namespace = namespace;
    this.onChange = onChange;
    this.onChild = onChild;
  }

  /** The links of the last reading, by index. */
  get links(): readonly Link[] {
    return this.now;
  }

  /** Reads the links, then goes on watching. Resolves with the first reading. */
  start(): Promise<readonly Link[]> {
    this.started ??= this.begin();
    return this.started;
  }

  /** The latest name of an index, also of one that is gone; null: there was none while this watched. */
  nameOf(index: number): string | null {
    return this.names.get(index) ?? null;
  }

  /** Reads again soon: at once, or when the last reading is a while ago. */
  refresh(): void {
    if (!this.begun || this.stopping !== null || this.soon) return;
    if (this.reading !== null) {
      this.again = true;
      return;
    }
    const wait = QUIET_MS - (performance.now() - this.readAt);
    if (wait <= 0) {
      this.read();
    } else {
      this.soon = true;
      this.plan(wait);
    }
  }

  /** Ends the watching and the child; resolves when it is gone. Nothing is told of any more. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async begin(): Promise<readonly Link[]> {
    if (this.stopping !== null) return this.now;
    const place = this.place();
    if (place !== null) {
      const hear = (lines: readonly string[]): void => this.hear(lines);
      this.monitor = startMonitor(place, hear, () => this.refresh(), this.onChild);
    }
    // A change between the first reading and the first word of the monitor would go unheard.
    await this.monitor?.listening();
    this.begun = true;
    this.read();
    await this.reading;
    return this.now;
  }

  private async end(): Promise<void> {
    clearTimeout(this.timer);
    await this.monitor?.end();
    await this.reading;
  }

  private plan(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.read(), ms).unref();
  }

  private read(): void {
    if (this.stopping !== null || this.reading !== null) return;
    clearTimeout(this.timer);
    this.again = false;
    this.soon = false;
    this.reading = this.readOnce();
  }

  private async readOnce(): Promise<void> {
    const first = this.readAt === 0;
    const place = this.place();
    // Always a turn of the event loop: `reading` is set by the caller after this returns for the first time.
    const links = await (place === null ? [] : askLinks(place));
    this.reading = null;
    this.readAt = performance.now();
    if (this.isStopping()) return;
    this.soon = this.again;
    this.plan(this.again ? QUIET_MS : this.monitor?.alive === true ? POLL_MS : POLL_DEAF_MS);
    // A reading that failed says nothing of the links.
    if (links !== null) this.take(links, first);
  }

  /** A method, since the compiler takes a field for unchanged across an await. */
  private isStopping(): boolean {
    return this.stopping !== null;
  }

  private take(links: readonly Link[], first: boolean): void {
    for (const { index, name } of links) this.learn(index, name);
    const print = JSON.stringify(links);
    if (print === this.print) return;
    this.print = print;
    this.now = links;
    if (!first) this.onChange(links);
  }

  /**
   * Where the namespace is to be entered now. The process that held it may have ended and its PID, like a name, been
   * given to another one; the monitor still holds the one that was meant. Null: it is gone.
   */
  private place(): Namespace | null {
    const { inode, path } = this.namespace;
    if (path === null || inode === null || inodeAt(path) === inode) return this.namespace;
    const pid = this.monitor?.alive === true ? this.monitor.pid : null;
    const other = pid === null ? null : `/proc/${String(pid)}/ns/net`;
    return other !== null && inodeAt(other) === inode ? { ...this.namespace, path: other } : null;
  }

  private hear(lines: readonly string[]): void {
    for (const line of lines) {
      // "7: veth1@if2: <BROADCAST,…". A line of an address has no such colon, and the name before a renaming.
      const [, index, title] = /^(?:Deleted )?(\d{1,10}): (\S+): </.exec(line) ?? [];
      if (index !== undefined && title !== undefined) this.learnTitle(Number(index), title);
    }
    this.refresh();
  }

  /** "veth1@if2", or a name alone; a name may have an @ of its own, which only a reading can tell. */
  private learnTitle(index: number, title: string): void {
    const known = this.names.get(index);
    if (known !== undefined && (title === known || title.startsWith(`${known}@`))) return;
    const at = title.lastIndexOf('@');
    const name = at > 0 ? title.slice(0, at) : title;
    if (isLinkName(name)) this.learn(index, name);
  }

  private learn(index: number, name: string): void {
    this.names.delete(index);
    this.names.set(index, name);
    if (this.names.size <= MAX_NAMES) return;
    const [oldest] = this.names.keys();
    if (oldest !== undefined) this.names.delete(oldest);
  }
}

/** The child that listens. */
interface Monitor {
  readonly pid: number;
  readonly alive: boolean;
  /** Resolves when the kernel tells it of changes, or it ended, or that took too long. */
  listening(): Promise<void>;
  end(): Promise<void>;
}

/** Null where it can't be started. `onEnd` is called once it is gone. */
function startMonitor(
  namespace: Namespace,
  onLines: (lines: readonly string[]) => void,
  onEnd: () => void,
  onChild: (pid: number, alive: boolean) => void,
): Monitor | null {
  const child = spawnMonitor(namespace);
  const pid = child?.pid;
  if (child === null || pid === undefined) return null;
  let alive = true;
  let ending = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      alive = false;
      onChild(pid, false);
      resolve();
      onEnd();
    });
  });
  onChild(pid, true);
  readLines(child, onLines);
  // Watching alone keeps no process alive.
  child.unref();
  return {
    pid,
    get alive() {
      return alive;
    },
    async listening() {
      for (let waited = 0; waited < LISTEN_MS && alive && !ending && !listens(pid); waited += LISTEN_STEP_MS) {
        await new Promise((resolve) => setTimeout(resolve, LISTEN_STEP_MS));
      }
    },
    async end() {
      ending = true;
      if (!alive) return;
      child.ref();
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}

function spawnMonitor(namespace: Namespace): Program | null {
  const ip = findProgram('ip');
  if (ip === null) return null;
  try {
    const [file, ...args] = [...inNamespace(namespace), ip, '-o', 'monitor', 'link', 'address'];
    const child = startProgram(file, args, { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' });
    // What can't be started says so here, and has no PID.
    child.on('error', () => undefined);
    return child;
  } catch {
    return null;
  }
}

function readLines(child: Program, onLines: (lines: readonly string[]) => void): void {
  const { stdin, stdout, stderr } = child;
  for (const stream of [stdin, stdout, stderr]) {
    stream?.on('error', () => undefined);
    if (stream instanceof Socket) stream.unref();
  }
  stdin?.end();
  // It complains when messages were lost: something has changed then, too.
  stderr?.on('data', () => onLines([]));
  let rest = '';
  stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) rest = '';
    onLines(lines);
  });
}

const RTMGRP_LINK = 1;

/** Whether the process has a socket that hears of links: its descriptors name sockets, the table what they listen to. */
function listens(pid: number): boolean {
  const folder = `/proc/${String(pid)}`;
  try {
    const sockets = new Set(
      readdirSync(`${folder}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/fd/${fd}`))?.[1]),
    );
    // sk, protocol (0: routes and links), port, groups, …, inode.
    return readFileSync(`${folder}/net/netlink`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(
        ([, protocol, , groups = '', , , , , , inode]) =>
          protocol === '0' && (Number.parseInt(groups, 16) & RTMGRP_LINK) !== 0 && sockets.has(inode),
      );
  } catch {
    // It has ended, or has just not opened what was there a moment ago.
    return false;
  }
}
