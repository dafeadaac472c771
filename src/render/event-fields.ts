/**
 * An event for JSON, written field by field: its keys are those of the type, in its order, and no others.
 */

import type { Container, Outer, ProcessInfo, ResetEvent, Translation } from '../report/types.js';

export function eventFields(event: ResetEvent): ResetEvent {
  return {
    type: event.type,
    id: event.id,
    timestamp: event.timestamp,
    epoch: event.epoch,
    src_ip: event.src_ip,
    src_port: event.src_port,
    dest_ip: event.dest_ip,
    dest_port: event.dest_port,
    ip_version: event.ip_version,
    src_mac: event.src_mac,
    dest_mac: event.dest_mac,
    tcp_flags: event.tcp_flags,
    seq: event.seq,
    ack: event.ack,
    window: event.window,
    ttl: event.ttl,
    ip_id: event.ip_id,
    payload_length: event.payload_length,
    payload_text: event.payload_text,
    vlan: event.vlan,
    outer: event.outer.map(outerFields),
    file: event.file,
    frame: event.frame,
    frames: event.frames,
    interface: event.interface,
    interfaces: event.interfaces,
    copies: event.copies,
    translations: event.translations.map(translationFields),
    netns: event.netns,
    direction: event.direction,
    service_port: event.service_port,
    reset_by: event.reset_by,
    conn_state: event.conn_state,
    stage: event.stage,
    idle_seconds: event.idle_seconds,
    bytes_to_server: event.bytes_to_server,
    bytes_to_client: event.bytes_to_client,
    cause: event.cause,
    confidence: event.confidence,
    origin: event.origin,
    pattern: event.pattern,
    evidence: event.evidence,
    kernel_reason: event.kernel_reason,
    kernel_path: event.kernel_path,
    sender: event.sender === null ? null : processFields(event.sender),
    receiver: event.receiver === null ? null : processFields(event.receiver),
    sender_reason: event.sender_reason,
    receiver_reason: event.receiver_reason,
    community_id: event.community_id,
  };
}

function outerFields(outer: Outer): Outer {
  return {
    encapsulation: outer.encapsulation,
    src_ip: outer.src_ip,
    dest_ip: outer.dest_ip,
    id: outer.id,
  };
}

function translationFields(translation: Translation): Translation {
  return {
    src_ip: translation.src_ip,
    src_port: translation.src_port,
    dest_ip: translation.dest_ip,
    dest_port: translation.dest_port,
    interface: translation.interface,
  };
}

export function processFields(process: ProcessInfo): ProcessInfo {
  return {
    pid: process.pid,
    ppid: process.ppid,
    parent: process.parent,
    name: process.name,
    exe: process.exe,
    command: process.command,
    user: process.user,
    unit: process.unit,
    container: process.container === null ? null : containerFields(process.container),
    netns: process.netns,
    started: process.started,
    match: process.match,
  };
}

function containerFields(container: Container): Container {
  return {
    id: container.id,
    runtime: container.runtime,
    name: container.name,
    pod: container.pod,
    pod_namespace: container.pod_namespace,
  };
}
