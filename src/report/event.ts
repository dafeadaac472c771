/** A reset as an event of the JSON: every key of the schema, `null` where nothing is known. */

import { kernelPathOf, kernelReasonOf, type Attribution } from '../attribute/process.js';
import { macText } from '../base/address.js';
import { communityId } from '../base/community-id.js';
import { epochNumber } from '../base/time.js';
import { bytesOf, connStateOf, idleOf, stageOf } from '../conversation/course.js';
import { framesOf, interfacesOf, twinsOf, type Reset } from '../conversation/reset.js';
import { ACK } from '../decode/net/tcp-layout.js';
import { flagsText } from '../decode/net/tcp.js';
import { endInfo } from './process-info.js';
import { timeText } from './time-text.js';
import type { ResetEvent } from './types.js';

/**
 * `files` are the names of the captures, by the reset's file number; null: what was captured live has none. `who` is
 * what is known of the processes at its ends.
 */
export function eventOf(reset: Reset, files: readonly string[] | null, who: Attribution): ResetEvent {
  const frames = framesOf(reset);
  const bytes = bytesOf(reset);
  const { evidence } = reset.verdict;
  return {
    type: 'reset',
    id: eventId(reset, files === null),
    timestamp: timeText(reset),
    epoch: reset.timed ? epochNumber(reset.seconds, reset.nanos) : null,
    src_ip: reset.srcIp,
    src_port: reset.srcPort,
    dest_ip: reset.destIp,
    dest_port: reset.destPort,
    ip_version: reset.ipVersion,
    src_mac: macOf(reset.srcMac),
    dest_mac: macOf(reset.destMac),
    tcp_flags: flagsText(reset.flags),
    seq: reset.seq,
    ack: (reset.flags & ACK) === 0 ? null : reset.ack,
    window: reset.window < 0 ? null : reset.window,
    ttl: reset.ttl,
    ip_id: reset.ipId < 0 ? null : reset.ipId,
    payload_length: reset.payloadLength,
    payload_text: reset.payloadText,
    vlan: reset.vlan,
    outer: reset.outer.map(({ encapsulation, srcIp, destIp, id }) => ({
      encapsulation,
      src_ip: srcIp,
      dest_ip: destIp,
      id,
    })),
    file: files?.[reset.file] ?? null,
    frame: files === null ? null : reset.frame,
    frames: files === null ? [] : frames,
    interface: reset.interface,
    interfaces: interfacesOf(reset),
    copies: frames.length,
    translations: twinsOf(reset).map((twin) => ({
      src_ip: twin.srcIp,
      src_port: twin.srcPort,
      dest_ip: twin.destIp,
      dest_port: twin.destPort,
      interface: twin.interface,
    })),
    netns: reset.netns,
    direction: reset.direction,
    service_port: reset.servicePort,
    reset_by: reset.resetBy,
    conn_state: connStateOf(reset),
    stage: stageOf(reset),
    idle_seconds: idleOf(reset),
    bytes_to_server: bytes?.toServer ?? null,
    bytes_to_client: bytes?.toClient ?? null,
    cause: reset.verdict.cause,
    confidence: reset.verdict.confidence,
    origin: reset.verdict.origin,
    pattern: reset.verdict.pattern,
    // Either may say who listened there before.
    evidence: who.evidence.length === 0 ? evidence : [...new Set([...evidence, ...who.evidence])],
    kernel_reason: kernelReasonOf(who),
    kernel_path: kernelPathOf(who),
    sender: endInfo(who.sender),
    receiver: endInfo(who.receiver),
    sender_reason: who.sender.reason,
    receiver_reason: who.receiver.reason,
    community_id: communityId(reset.srcIp, reset.srcPort, reset.destIp, reset.destPort),
  };
}

function macOf(mac: number): string | null {
  return mac < 0 ? null : macText(Math.floor(mac / 4294967296), mac % 4294967296);
}

/**
 * Number of the file and of the reset's first frame in it: the same in every run over the same files. Live, its time and
 * its tuple, and its number where even these agree with another's.
 */
export function eventId(reset: Reset, live: boolean): string {
  if (!live) return `f${String(reset.file + 1)}-${String(reset.frame)}`;
  const { srcIp, srcPort, destIp, destPort, frame } = reset;
  return `${timeText(reset) ?? ''}-${srcIp}-${String(srcPort)}-${destIp}-${String(destPort)}-${String(frame)}`;
}
