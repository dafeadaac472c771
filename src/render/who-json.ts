/** Who owns TCP ports, as a JSON document. Loads nothing that tables need: scripts ask for it often. */

import { SCHEMA_VERSION, type MissingReason, type ProcessInfo, type Tool } from '../report/types.js';
import { processFields } from './event-fields.js';
import { jsonText } from './json-text.js';

/** Key for key as the JSON has it, as are the next two. */
export interface WhoListenerRow {
  readonly ip: string;
  readonly port: number;
  readonly process: ProcessInfo | null;
  readonly reason: MissingReason | null;
  /** PIDs of all that hold the socket. */
  readonly holders: readonly number[];
  readonly netns: number | null;
  readonly backlog: number | null;
  readonly backlog_max: number | null;
}

export interface WhoConnectionRow {
  readonly local_ip: string;
  readonly local_port: number;
  readonly remote_ip: string;
  readonly remote_port: number;
  readonly state: string;
  readonly recv_queue: number | null;
  readonly send_queue: number | null;
  readonly process: ProcessInfo | null;
  readonly reason: MissingReason | null;
  readonly holders: readonly number[];
  readonly netns: number | null;
  readonly age_seconds: number | null;
}

export interface WhoPortRow {
  readonly port: number;
  readonly listeners: readonly WhoListenerRow[];
  readonly connections: readonly WhoConnectionRow[];
}

/** One document, a line for each socket; ends in a line break. */
export function whoJson(ports: readonly WhoPortRow[], namespaces: readonly string[], tool: Tool): string {
  const fields = [
    '"type": "who"',
    `"schema_version": ${String(SCHEMA_VERSION)}`,
    `"tool": ${jsonText({ name: tool.name, version: tool.version })}`,
    `"ports": ${list(ports.map(portText), '    ', '  ')}`,
    `"namespaces": ${jsonText(namespaces)}`,
  ];
  return `{\n  ${fields.join(',\n  ')}\n}\n`;
}

function portText({ port, listeners, connections }: WhoPortRow): string {
  const rows = (texts: readonly string[]): string => list(texts, '      ', '    ');
  return [
    `{"port": ${String(port)}`,
    ` "listeners": ${rows(listeners.map((row) => jsonText(listenerFields(row))))}`,
    ` "connections": ${rows(connections.map((row) => jsonText(connectionFields(row))))}}`,
  ].join(',');
}

function list(texts: readonly string[], indent: string, end: string): string {
  return texts.length === 0 ? '[]' : `[\n${indent}${texts.join(`,\n${indent}`)}\n${end}]`;
}

function listenerFields(row: WhoListenerRow): WhoListenerRow {
  return {
    ip: row.ip,
    port: row.port,
    process: row.process === null ? null : processFields(row.process),
    reason: row.reason,
    holders: row.holders,
    netns: row.netns,
    backlog: row.backlog,
    backlog_max: row.backlog_max,
  };
}

function connectionFields(row: WhoConnectionRow): WhoConnectionRow {
  return {
    local_ip: row.local_ip,
    local_port: row.local_port,
    remote_ip: row.remote_ip,
    remote_port: row.remote_port,
    state: row.state,
    recv_queue: row.recv_queue,
    send_queue: row.send_queue,
    process: row.process === null ? null : processFields(row.process),
    reason: row.reason,
    holders: row.holders,
    netns: row.netns,
    age_seconds: row.age_seconds,
  };
}
