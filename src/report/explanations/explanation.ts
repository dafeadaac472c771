/**
 * What an explanation of a cause consists of. The explanations themselves are data in the files beside this one, and
 * say only what the kernel's source, its documentation or an experiment says.
 */

import type { Cause } from '../types.js';

/** What somebody can do about it. */
export interface NextStep {
  readonly say: string;
  /** A command to type, words in capitals to be filled in. */
  readonly type?: string;
}

/** A counter of /proc/net/snmp or /proc/net/netstat, and how it moves. */
export interface CounterNote {
  readonly name: string;
  readonly says: string;
}

/** A file below /proc/sys, written as sysctl writes it. */
export interface SysctlNote {
  readonly name: string;
  readonly says: string;
  /** The first kernel that has it, where kernels in use lack it. */
  readonly since?: string;
  /** One value for the whole machine, seen in the first network namespace only. */
  readonly machineWide?: true;
}

export interface Explanation {
  readonly cause: Cause;
  /** What happened, in a few words. */
  readonly title: string;
  readonly meaning: string;
  readonly recognised_by: readonly string[];
  /** How sure it can be, from which evidence. */
  readonly certainty: string;
  readonly next_steps: readonly NextStep[];
  readonly counters: readonly CounterNote[];
  readonly sysctls: readonly SysctlNote[];
  /** Other words for it, and for nothing else here. */
  readonly aliases: readonly string[];
}

/** A word that operators use and that several causes answer to. */
export interface SharedWord {
  readonly words: readonly string[];
  /** What is true of the word as such. */
  readonly says: string;
  readonly causes: readonly WhichCause[];
}

export interface WhichCause {
  readonly cause: Cause;
  /** When it is this one. */
  readonly when: string;
}
