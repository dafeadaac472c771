/**
 * The two processes of a reset as plain JSON, with the keys that an event has, and back.
 *
 * Reading takes nothing for granted: a value of another type, a word that is not known or a text without end makes the
 * whole of it unread.
 */

import { kernelJson, readKernel } from './comment-kernel.js';
import { isOneOf, objectOf, sentence, type Json } from './comment-shapes.js';
import {
  found,
  missing,
  type Attribution,
  type Container,
  type End,
  type Match,
  type MissingReason,
  type Process,
} from './process.js';

/** How much of it is told, where not everything has room. */
export type Detail = 'whole' | 'cut-commands' | 'no-commands' | 'no-evidence' | 'names';

const MATCHES: Readonly<Record<Match, true>> = {
  'kernel-trace': true,
  socket: true,
  'recent-socket': true,
  listener: true,
  'listener-group': true,
  'listener-now': true,
  'capture-comment': true,
};
const REASONS: Readonly<Record<MissingReason, true>> = {
  remote: true,
  offline: true,
  'no-listener': true,
  gone: true,
  permission: true,
  ambiguous: true,
  'pid-namespace': true,
  'not-tried': true,
  unknown: true,
};

/** Characters of a name, and of a path or command line. */
const MAX_NAME = 256;
const MAX_LONG = 8192;
/** Characters of a command line that is cut so that the rest has room. */
const CUT_COMMAND = 1024;
const MAX_EVIDENCE = 16;
/** Far beyond any. */
const MAX_SECONDS = 1e11;

/** For JSON.stringify, which leaves out what is undefined: keys that say nothing. */
export function writable(who: Attribution, detail: Detail, fullCommand: boolean): Json {
  const { sender, receiver, kernel, evidence } = who;
  const sparse = detail === 'no-evidence' || detail === 'names';
  return {
    sender: processJson(sender, detail, fullCommand),
    receiver: processJson(receiver, detail, fullCommand),
    sender_reason: sender.reason ?? undefined,
    receiver_reason: receiver.reason ?? undefined,
    ...kernelJson(kernel, !sparse),
    evidence: sparse || evidence.length === 0 ? undefined : evidence.slice(0, MAX_EVIDENCE).map(sentence),
  };
}

function processJson({ process, match }: End, detail: Detail, fullCommand: boolean): Json | undefined {
  if (process === null) return undefined;
  const name = fitting(process.name, MAX_NAME);
  if (detail === 'names') return { pid: process.pid, name, match };
  return {
    pid: process.pid,
    ppid: process.ppid ?? undefined,
    parent: fitting(process.parent, MAX_NAME),
    name,
    exe: fitting(process.exe, MAX_LONG),
    command: fullCommand ? commandOf(process, detail) : undefined,
    user: fitting(process.user, MAX_NAME),
    unit: fitting(process.unit, MAX_NAME),
    container: containerJson(process.container),
    netns: process.netns ?? undefined,
    started: process.started ?? undefined,
    match,
  };
}

function commandOf({ command }: Process, detail: Detail): string | undefined {
  if (command === null || (detail !== 'whole' && detail !== 'cut-commands')) return undefined;
  const limit = detail === 'whole' ? MAX_LONG - 1 : CUT_COMMAND;
  return command.length > limit ? `${command.slice(0, limit)}…` : command;
}

function containerJson(container: Container | null): Json | undefined {
  const id = fitting(container?.id ?? null, MAX_NAME);
  if (container === null || id === undefined) return undefined;
  const { runtime, name, pod, podNamespace } = container;
  return {
    id,
    runtime: fitting(runtime, MAX_NAME),
    name: fitting(name, MAX_NAME),
    pod: fitting(pod, MAX_NAME),
    pod_namespace: fitting(podNamespace, MAX_NAME),
  };
}

/** Half a path or name would be another one. */
function fitting(text: string | null, limit: number): string | undefined {
  return text !== null && text.length <= limit ? text : undefined;
}

/** Null where anything is not as it should be. */
export function readAttribution(json: unknown): Attribution | null {
  const said = objectOf(json);
  if (said === null) return null;
  const sender = endOf(said['sender'], said['sender_reason']);
  const receiver = endOf(said['receiver'], said['receiver_reason']);
  const kernel = readKernel(said);
  const evidence = evidenceOf(said['evidence'] ?? []);
  if (sender === null || receiver === null || kernel === null || evidence === null) return null;
  return { sender, receiver, kernel, evidence };
}

function endOf(process: unknown, reason: unknown): End | null {
  if (process === undefined || process === null) return isOneOf(REASONS, reason) ? missing(reason) : null;
  const said = objectOf(process);
  const known = said === null || !isOneOf(MATCHES, said['match']) ? null : processOf(said);
  return known === null || (reason ?? null) !== null ? null : found(known, 'capture-comment');
}

function processOf(said: Json): Process | null {
  const pid = wholeNumber(said['pid']);
  const ppid = wholeNumber(said['ppid']);
  const netns = wholeNumber(said['netns']);
  const started = said['started'] ?? null;
  const container = containerOf(said['container']);
  const parent = textOf(said['parent'], MAX_NAME);
  const name = textOf(said['name'], MAX_NAME);
  const exe = textOf(said['exe'], MAX_LONG);
  const command = textOf(said['command'], MAX_LONG);
  const user = textOf(said['user'], MAX_NAME);
  const unit = textOf(said['unit'], MAX_NAME);
  if (pid === undefined || pid === null || pid === 0 || ppid === undefined || netns === undefined) return null;
  if (started !== null && !(typeof started === 'number' && started >= 0 && started < MAX_SECONDS)) return null;
  if (parent === undefined || name === undefined || exe === undefined || command === undefined) return null;
  if (user === undefined || unit === undefined || container === undefined) return null;
  return { pid, ppid, parent, name, exe, command, user, unit, container, netns, started };
}

/** Undefined: no container, and not none either. So with the texts and numbers below. */
function containerOf(said: unknown): Container | null | undefined {
  if (said === undefined || said === null) return null;
  const json = objectOf(said);
  if (json === null) return undefined;
  const id = textOf(json['id'], MAX_NAME);
  const runtime = textOf(json['runtime'], MAX_NAME);
  const name = textOf(json['name'], MAX_NAME);
  const pod = textOf(json['pod'], MAX_NAME);
  const podNamespace = textOf(json['pod_namespace'], MAX_NAME);
  if (id === undefined || id === null || runtime === undefined || name === undefined) return undefined;
  return pod === undefined || podNamespace === undefined ? undefined : { id, runtime, name, pod, podNamespace };
}

function evidenceOf(said: unknown): string[] | null {
  if (!Array.isArray(said) || said.length > MAX_EVIDENCE) return null;
  const sentences: string[] = [];
  for (const one of said as readonly unknown[]) {
    if (typeof one !== 'string') return null;
    sentences.push(sentence(one));
  }
  return sentences;
}

function textOf(said: unknown, limit: number): string | null | undefined {
  if (said === undefined || said === null) return null;
  return typeof said === 'string' && said.length <= limit ? said : undefined;
}

function wholeNumber(said: unknown): number | null | undefined {
  if (said === undefined || said === null) return null;
  return typeof said === 'number' && Number.isSafeInteger(said) && said >= 0 ? said : undefined;
}
