/**
 * The two processes of a reset as the text of its frames' comment in a saved capture, for people; and as JSON behind it
 * for reading them back.
 *
 * Knows no capture and no packet. What is read back is distrusted, since anybody can write such a comment: what is not
 * of the right shape throughout is as if it were not there.
 */

import { printable } from '../base/text.js';
import { PACKET_MARK } from '../capture/packet-note.js';
import { readAttribution, writable, type Detail } from './comment-json.js';
import { isBlank } from './comment-kernel.js';
import { kernelPathOf, kernelReasonOf, type Attribution, type End, type Process } from './process.js';

const PROCESSES_MARK = 'rstscope-processes: ';
/** Bytes of a comment, all told. A flood writes a million of them. */
const MAX_WRITTEN = 8 * 1024;
/** Characters of JSON that are looked at. */
const MAX_READ = 16 * 1024;
/** A character takes three bytes of UTF-8 at most, a pair of surrogates four. */
const BYTES_A_CHARACTER = 3;
/** In the line for people. */
const MAX_WORD = 64;
const SHORT_ID = 12;
/** Left out from the first that fits on. */
const DETAILS: readonly Detail[] = ['whole', 'cut-commands', 'no-commands', 'no-evidence', 'names'];

/** What JSON.stringify leaves and could steer a terminal that the comment is printed on; most texts have none of it. */
const PLAIN = /^[ -~]*$/;
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const encoder = new TextEncoder();

/**
 * What is written on each frame of a reset: a line for people, which is all where nobody looked for processes, and
 * another with everything. Whole command lines only where they were asked for.
 */
export function attributionComment(
  id: string,
  cause: string,
  confidence: string,
  who: Attribution,
  fullCommand: boolean,
): string {
  const first = `${PACKET_MARK} cause=${cause} confidence=${confidence} id=${id}`;
  if (saysNothing(who)) return first;
  const line = `${first} sender=${words(who.sender)} receiver=${words(who.receiver)}${kernelWords(who)}`;
  for (const detail of DETAILS) {
    const json = harmless(JSON.stringify(writable(who, detail, fullCommand)));
    const text = `${line}\n${PROCESSES_MARK}${json}`;
    if (fits(text)) return text;
  }
  return line;
}

const ID = /^\S+ cause=\S+ confidence=\S+ id=(\S+)/;

/** The id that the event had in the run that wrote the comment; null: it says none. */
export function readCommentId(text: string): string | null {
  return text.startsWith(PACKET_MARK) ? (ID.exec(text)?.[1] ?? null) : null;
}

/** Who the comment says it was, every process with match "capture-comment"; null: it says nothing, or nothing sound. */
export function readAttributionComment(text: string): Attribution | null {
  const json = processesOf(text);
  return json === null ? null : attributionOf(json);
}

/** Lines that are remembered; a flood's are mostly the same. */
const MAX_REMEMBERED = 512;

/** Reads many comments: what was read before is not parsed again, and takes memory once. */
export class CommentReader {
  private readonly known = new Map<string, Attribution | null>();

  read(text: string): Attribution | null {
    const json = processesOf(text);
    if (json === null) return null;
    let who = this.known.get(json);
    if (who !== undefined) return who;
    who = attributionOf(json);
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    this.known.set(json, who);
    return who;
  }
}

function processesOf(text: string): string | null {
  if (!text.startsWith(PACKET_MARK)) return null;
  const at = text.indexOf(`\n${PROCESSES_MARK}`);
  if (at < 0) return null;
  const from = at + 1 + PROCESSES_MARK.length;
  const newline = text.indexOf('\n', from);
  const to = newline < 0 ? text.length : newline;
  return to - from > MAX_READ ? null : text.slice(from, to);
}

function attributionOf(json: string): Attribution | null {
  try {
    return readAttribution(JSON.parse(json));
  } catch {
    return null;
  }
}

/** As every reset of a capture that says nothing of processes. */
function saysNothing({ sender, receiver, kernel, evidence }: Attribution): boolean {
  if (sender.reason !== 'offline' || receiver.reason !== 'offline') return false;
  return isBlank(kernel) && evidence.length === 0;
}

function words({ process, match, reason }: End): string {
  if (process === null) return `(${reason})`;
  const group = match === 'listener-group' ? ' (listener-group)' : '';
  const place = placeOf(process);
  return `${nameOf(process)}[${String(process.pid)}]${place === null ? '' : ` ${word(place)}`}${group}`;
}

function nameOf({ name, exe }: Process): string {
  return word(name ?? exe?.slice(exe.lastIndexOf('/') + 1) ?? '?');
}

/** A container's unit is but its identifier once more. */
function placeOf({ unit, container }: Process): string | null {
  if (container === null) return unit;
  const { pod, podNamespace, name, id } = container;
  if (pod !== null) return podNamespace === null ? pod : `${podNamespace}/${pod}`;
  return name ?? id.slice(0, SHORT_ID);
}

function kernelWords(who: Attribution): string {
  const [reason, path] = [kernelReasonOf(who), kernelPathOf(who)];
  if (reason === null) return path === null ? '' : ` kernel=(${path})`;
  return ` kernel=${word(reason)}${path === null ? '' : ` (${path})`}`;
}

function word(text: string): string {
  return printable(text, MAX_WORD);
}

function harmless(json: string): string {
  return PLAIN.test(json) ? json : json.replace(STEERING, escaped);
}

function escaped(character: string): string {
  let out = '';
  for (let i = 0; i < character.length; i++) out += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return out;
}

function fits(text: string): boolean {
  return text.length * BYTES_A_CHARACTER <= MAX_WRITTEN || encoder.encode(text).length <= MAX_WRITTEN;
}
