/**
 * All rules in their order: the first that says yes names the cause. The kernel's own word first, then what only one
 * mechanism makes, the more special before the more general.
 */

import { abort, abortTimeout } from './abort.js';
import { closeReset, lateData, timeWaitAssassination } from './closing.js';
import { injected, middleboxReset, outOfWindow } from './foreign.js';
import { halfOpen } from './half-open.js';
import { kernelActive, kernelClose, kernelPath, kernelReason } from './kernel.js';
import { clientGaveUp, handshakeMismatch, listenQueueFull, portReuse } from './opening.js';
import { closedPort, filterReject, filterRefusal, notByTcp, ownOutputFilter } from './refused.js';
import type { Rule } from './rule.js';

export const RULES: readonly Rule[] = [
  kernelPath,
  portReuse,
  timeWaitAssassination,
  kernelReason,
  kernelClose,
  ownOutputFilter,
  clientGaveUp,
  filterReject,
  outOfWindow,
  injected,
  notByTcp,
  filterRefusal,
  closedPort,
  closeReset,
  lateData,
  handshakeMismatch,
  listenQueueFull,
  middleboxReset,
  abortTimeout,
  kernelActive,
  abort,
  halfOpen,
];
