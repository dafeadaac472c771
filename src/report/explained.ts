/**
 * One reset explained, as plain data: its event, the segments around it, and every rule that was asked with what it said.
 *
 * Words of the rules are the rules' own; nothing is told a second time.
 */

import type { Attribution } from '../attribute/process.js';
import type { Tried } from '../conversation/judge.js';
import type { Ladder, Rung as LadderRung } from '../conversation/ladder.js';
import type { Reset, Tuple } from '../conversation/reset.js';
import type { Side } from '../conversation/ways.js';
import { ACK } from '../decode/net/tcp-layout.js';
import { flagsText } from '../decode/net/tcp.js';
import { eventOf } from './event.js';
import { timeText } from './time-text.js';
import type { Cause, Pattern, ResetEvent } from './types.js';

/** A segment of the ladder. */
export interface Rung {
  readonly frame: number;
  /** Of all frames that showed it. */
  readonly frames: readonly number[];
  readonly file: string | null;
  readonly timestamp: string | null;
  /** Since the first segment that is shown; null where the capture gave no time. */
  readonly seconds: number | null;
  readonly from: 'server' | 'client' | 'unknown';
  readonly side: Side;
  readonly flags: string;
  readonly seq: number;
  readonly ack: number | null;
  readonly relative_seq: number | null;
  readonly relative_ack: number | null;
  readonly window: number | null;
  readonly payload_length: number;
  /** It is the reset that was asked for. */
  readonly asked: boolean;
  /** It came behind that. */
  readonly after: boolean;
  readonly new_connection: boolean;
  readonly repeat: 'again' | 'late' | 'probe' | null;
  /** Bytes of its own side before it that were not captured. */
  readonly missing_bytes: number;
  /** Bytes that it acknowledges and that were not captured. */
  readonly unseen_bytes: number;
  readonly translation: Translated | null;
}

/** The addresses of a segment behind a NAT. */
export interface Translated {
  readonly src_ip: string;
  readonly src_port: number;
  readonly dest_ip: string;
  readonly dest_port: number;
}

export interface RuleRow {
  /** What it recognises; of the one that said yes, what it found. */
  readonly cause: Cause;
  readonly name: string;
  readonly verdict: 'yes' | 'no' | 'not-tried';
  readonly because: string;
  /** Of the one that said yes. */
  readonly evidence: readonly string[];
  readonly source: string;
}

export interface Explained {
  /** What was typed. */
  readonly asked: string;
  readonly event: ResetEvent;
  readonly ladder: readonly Rung[];
  /** Segments of the conversation before those of the ladder, and others that came soon behind the reset. */
  readonly earlier: number;
  readonly later: number;
  readonly rules: readonly RuleRow[];
  /** How much of the capture was there to be judged by. */
  readonly context: 'resets' | 'control' | 'full';
}

const NOT_TRIED = 'not tried: an earlier rule said yes';

export interface Explanandum {
  readonly asked: string;
  readonly reset: Reset;
  readonly who: Attribution;
  /** What it is part of, with others of the capture. */
  readonly pattern: () => Pattern | null;
  readonly tried: readonly Tried[];
  readonly ladder: Ladder;
  readonly files: readonly string[];
  readonly context: Explained['context'];
}

export function explainedOf({ asked, reset, who, pattern, tried, ladder, files, context }: Explanandum): Explained {
  const first = ladder.rungs.find(({ timed }) => timed);
  const since = first === undefined ? null : first.seconds + first.nanos / 1e9;
  return {
    asked,
    event: { ...eventOf(reset, files, who), pattern: pattern() },
    ladder: ladder.rungs.map((rung) => rungOf(rung, reset, files, since)),
    earlier: ladder.earlier,
    later: ladder.later,
    rules: tried.map(ruleRow),
    context,
  };
}

function rungOf(rung: LadderRung, reset: Reset, files: readonly string[], since: number | null): Rung {
  const { side, translation } = rung;
  return {
    frame: rung.frame,
    frames: rung.frames,
    file: files[rung.file] ?? null,
    timestamp: timeText({ ...rung, digits: reset.digits }),
    seconds: rung.timed && since !== null ? rung.seconds + rung.nanos / 1e9 - since : null,
    from: fromOf(side, reset),
    side,
    flags: flagsText(rung.flags),
    seq: rung.seq,
    ack: (rung.flags & ACK) === 0 ? null : rung.ack,
    relative_seq: rung.relativeSeq,
    relative_ack: rung.relativeAck,
    window: rung.window,
    payload_length: rung.length,
    asked: rung.isAsked,
    after: rung.isBehind,
    new_connection: rung.isAnew,
    repeat: rung.repeat,
    missing_bytes: rung.missing?.left ?? 0,
    unseen_bytes: rung.unseen?.left ?? 0,
    translation: translation === null ? null : translatedOf(translation),
  };
}

function fromOf(side: Side, { resetBy }: Reset): Rung['from'] {
  if (resetBy === 'unknown') return 'unknown';
  if (side === 'sender') return resetBy;
  return resetBy === 'server' ? 'client' : 'server';
}

function translatedOf({ srcIp, srcPort, destIp, destPort }: Tuple): Translated {
  return { src_ip: srcIp, src_port: srcPort, dest_ip: destIp, dest_port: destPort };
}

function ruleRow({ rule: { name, cause, source }, answer }: Tried): RuleRow {
  if (answer === null) return { cause, name, verdict: 'not-tried', because: NOT_TRIED, evidence: [], source };
  if (!answer.yes) return { cause, name, verdict: 'no', because: answer.because(), evidence: [], source };
  const evidence = [...answer.evidence()];
  return { cause: answer.cause, name, verdict: 'yes', because: evidence.join('; '), evidence, source };
}
