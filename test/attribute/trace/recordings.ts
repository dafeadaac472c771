/** The recordings of kernels in ../kernels, taken apart: formats, raw pages, the kernel's own text of them, the truth. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decoders, EVENTS, type EventName, type TraceEvent } from '../../../src/attribute/trace/events.js';
import {
  parseFormat,
  parsePageFormat,
  type EventFormat,
  type PageFormat,
} from '../../../src/attribute/trace/format.js';
import { readPage } from '../../../src/attribute/trace/page.js';
import { Symbols } from '../../../src/attribute/trace/stacks.js';

const FOLDER = join(import.meta.dirname, '../kernels');
export const PAGE = 4096;

export const KERNELS = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
/** Those that ran; of the others there are formats only. */
export const RECORDED = KERNELS.filter((kernel) => existsSync(join(FOLDER, kernel, 'truth.json')));

export interface TrueStory {
  readonly id: string;
  readonly reset_by: 'server' | 'client' | 'kernel';
  readonly via: string;
  readonly ip: string;
  readonly server_port: number;
  readonly client_port: number;
  readonly server_pid: number | null;
  readonly client_pid: number;
  readonly helper_pid: number | null;
  readonly began_ns: number;
  readonly ended_ns: number;
}

export function text(kernel: string, file: string): string {
  return readFileSync(join(FOLDER, kernel, file), 'utf8');
}

/** Text of each section of formats.txt. */
export function sections(kernel: string): Map<string, string> {
  const parts = text(kernel, 'formats.txt').split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]));
}

export function formatsOf(kernel: string): Map<EventName, EventFormat> {
  const found = new Map<EventName, EventFormat>();
  const all = sections(kernel);
  for (const name of EVENTS) {
    const format = parseFormat(all.get(name) ?? '');
    if (format !== null) found.set(name, format);
  }
  return found;
}

export function pageFormatOf(kernel: string): PageFormat {
  const format = parsePageFormat(sections(kernel).get('header_page') ?? '');
  if (format === null) throw new Error(`no header_page of ${kernel}`);
  return format;
}

export function pagesOf(kernel: string): Uint8Array[] {
  const raw = new Uint8Array(readFileSync(join(FOLDER, kernel, 'cpu0.raw')));
  const pages: Uint8Array[] = [];
  for (let at = 0; at < raw.length; at += PAGE) pages.push(raw.subarray(at, at + PAGE));
  return pages;
}

export function eventsOf(kernel: string): TraceEvent[] {
  const decoders = new Decoders(formatsOf(kernel));
  const events: TraceEvent[] = [];
  for (const page of pagesOf(kernel)) {
    readPage(page, PAGE, pageFormatOf(kernel), (bytes, at, length, time) => {
      const event = decoders.decode(bytes, at, length, time);
      if (event !== null) events.push(event);
    });
  }
  return events;
}

export interface Line {
  readonly microseconds: number;
  readonly task: number;
  readonly softirq: boolean;
  /** "kernel_stack" for a stack. */
  readonly name: string;
  /** The text behind the name. */
  readonly rest: string;
  /** Functions of a stack. */
  readonly functions: readonly string[];
}

/** What the kernel itself made of the records. */
export function linesOf(kernel: string): Line[] {
  const lines: (Line & { functions: string[] })[] = [];
  for (const line of text(kernel, 'trace.txt').split('\n')) {
    const match = /^ *.*-(\d+) +\([ \d-]+\) \[\d+\] (\S+) +(\d+)\.(\d{6}): (?:(\w+): (.*)|<stack trace>)$/.exec(line);
    if (match !== null) {
      lines.push({
        microseconds: Number(match[3]) * 1e6 + Number(match[4]),
        task: Number(match[1]),
        softirq: /[sH]/.test((match[2] ?? '').slice(2, 3)),
        name: match[5] ?? 'kernel_stack',
        rest: match[6] ?? '',
        functions: [],
      });
    } else if (line.startsWith(' => ')) lines.at(-1)?.functions.push(line.slice(4).replace(/ \[\w+\]$/, ''));
  }
  return lines;
}

export function symbolsOf(kernel: string): Symbols {
  const symbols = new Symbols();
  for (const line of text(kernel, 'symbols.txt').split('\n')) symbols.line(line);
  return symbols;
}

export function storiesOf(kernel: string): readonly TrueStory[] {
  return (JSON.parse(text(kernel, 'truth.json')) as { stories: TrueStory[] }).stories;
}
