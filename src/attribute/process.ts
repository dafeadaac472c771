/**
 * What is known of a process, and what of the two processes at the ends of a reset. Plain data, sent between threads.
 *
 * Texts are as the system has them, with their lengths bounded and secrets masked; whoever prints them strips what could
 * steer a terminal.
 */

import { NO_KERNEL_FACTS, type KernelFacts, type KernelPath } from '../conversation/kernel-facts.js';

export interface Container {
  readonly id: string;
  /** "docker", "containerd", "cri-o", "podman", "lxc" …, null where nothing says. */
  readonly runtime: string | null;
  readonly name: string | null;
  readonly pod: string | null;
  readonly podNamespace: string | null;
}

export interface Process {
  readonly pid: number;
  readonly ppid: number | null;
  /** Name of the parent. */
  readonly parent: string | null;
  /** As /proc/PID/comm has it: at most 15 bytes. */
  readonly name: string | null;
  /** Absolute path of the executable, as the process sees it. */
  readonly exe: string | null;
  /** Command line, its words separated by blanks. */
  readonly command: string | null;
  readonly user: string | null;
  /** systemd unit of the system or of a user. */
  readonly unit: string | null;
  readonly container: Container | null;
  /** Inode number of its network namespace. */
  readonly netns: number | null;
  /** Seconds since 1970, to a hundredth. */
  readonly started: number | null;
}

/** How a process was found. */
export type Match =
  'kernel-trace' | 'socket' | 'recent-socket' | 'listener' | 'listener-group' | 'listener-now' | 'capture-comment';

/** Why there is no process. */
export type MissingReason =
  | 'remote'
  | 'offline'
  | 'no-listener'
  | 'gone'
  | 'permission'
  | 'ambiguous'
  | 'pid-namespace'
  | 'not-tried'
  | 'unknown';

/** The process at one end, or why it is not known. */
export type End =
  | { readonly process: Process; readonly match: Match; readonly reason: null }
  | { readonly process: null; readonly match: null; readonly reason: MissingReason };

export interface Attribution {
  /** At the reset's source. */
  readonly sender: End;
  /** At its destination. */
  readonly receiver: End;
  /** What the system knows of why. */
  readonly kernel: KernelFacts;
  /** Sentences, each a fact that was observed. */
  readonly evidence: readonly string[];
}

/** What became of the connects of one program to one address and port that failed; `attempts` is the sum of the four. */
export interface FailedConnects {
  /** The first of them; many programs that are started again and again have a PID each. */
  readonly process: Process;
  readonly pids: number;
  readonly ip: string;
  readonly port: number;
  readonly attempts: number;
  /** A reset came. */
  readonly refused: number;
  /** An ICMP error came. */
  readonly icmp: number;
  readonly timedOut: number;
  /** The program closed the socket, or ended, before an answer came. */
  readonly abandoned: number;
}

export function missing(reason: MissingReason): End {
  return { process: null, match: null, reason };
}

export function found(process: Process, match: Match): End {
  return { process, match, reason: null };
}

/** Nothing was looked for, and why. */
export function unattributed(reason: MissingReason): Attribution {
  const end = missing(reason);
  return { sender: end, receiver: end, kernel: NO_KERNEL_FACTS, evidence: [] };
}

/** The kernel's own word for why it sent the reset. */
export function kernelReasonOf({ kernel: { sent } }: Attribution): string | null {
  return sent === null || sent === 'silent' ? null : sent.reason;
}

export function kernelPathOf({ kernel: { sent } }: Attribution): KernelPath | null {
  return sent === null || sent === 'silent' ? null : sent.path;
}
