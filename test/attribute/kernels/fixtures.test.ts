/**
 * The recordings of kernels agree with themselves: formats with their own layout, raw bytes with the text of the same
 * events, both with the truth. A decoder is tested against them elsewhere; here is as little of one as can count.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const KERNELS = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const RECORDED = KERNELS.filter((kernel) => existsSync(join(import.meta.dirname, kernel, 'truth.json')));
const PAGE = 4096;

interface Story {
  readonly id: string;
  readonly via: string;
  readonly reset_by: string;
  readonly server_pid: number | null;
  readonly client_pid: number;
  readonly helper_pid: number | null;
  readonly began_ns: number;
  readonly ended_ns: number;
}

interface Truth {
  readonly seen_on: string;
  readonly stories: readonly Story[];
}

interface Line {
  readonly ns: number;
  readonly pid: number;
  readonly name: string;
}

function text(kernel: string, file: string): string {
  return readFileSync(join(import.meta.dirname, kernel, file), 'utf8');
}

function truthOf(kernel: string): Truth {
  return JSON.parse(text(kernel, 'truth.json')) as Truth;
}

/** The text of each event's format. */
function sections(kernel: string): [string, string][] {
  return text(kernel, 'formats.txt')
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 1)]);
}

function linesOf(kernel: string): Line[] {
  const pattern = /^ *.*-(\d+) +\([ \d-]+\) \[\d+\] \S+ +(\d+)\.(\d{6}): (?:(\w+):|<stack trace>)/gm;
  return [...text(kernel, 'trace.txt').matchAll(pattern)].map((match) => ({
    pid: Number(match[1]),
    ns: Number(match[2]) * 1e9 + Number(match[3]) * 1000,
    name: match[4] ?? 'kernel_stack',
  }));
}

/** PID and event number of every record. */
function recordsOf(kernel: string): { id: number; pid: number }[] {
  const raw = readFileSync(join(import.meta.dirname, kernel, 'cpu0.raw'));
  const records = [];
  for (let page = 0; page < raw.length; page += PAGE) {
    const end = page + 16 + (raw.readUInt32LE(page + 8) & 0xfffffff);
    for (let at = page + 16; at < end;) {
      const word = raw.readUInt32LE(at);
      const kind = word & 31;
      if (kind === 29 && word >>> 5 === 0) break;
      const inner = kind === 0 || kind === 29 ? raw.readUInt32LE(at + 4) : kind * 4;
      const data = kind === 0 ? at + 8 : at + 4;
      if (kind < 29) records.push({ id: raw.readUInt16LE(data), pid: raw.readInt32LE(data + 4) });
      at += kind < 29 || kind === 29 ? 4 + inner : 8;
    }
  }
  return records;
}

test('there are recordings, and formats from source', () => {
  expect(RECORDED).toEqual(expect.arrayContaining(['5.10', '6.1', '6.12', '6.18']));
  expect(KERNELS).toEqual(expect.arrayContaining(['6.9', '6.10']));
});

describe.each(KERNELS)('formats of %s', (kernel) => {
  test('the first line says where they are from', () => {
    const mark = RECORDED.includes(kernel) ? /^# seen on \d\S+\n/ : /^# from source v\d+\.\d+ include\/\S+/;
    expect(text(kernel, 'formats.txt')).toMatch(mark);
  });

  test('fields lie as a C compiler lays them', () => {
    for (const [event, format] of sections(kernel)) {
      if (event === 'header_page') continue;
      expect(format).toMatch(new RegExp(`^name: ${event.slice(event.indexOf('/') + 1)}\nID: \\d+\nformat:\n`));
      let end = 0;
      for (const [, name, of, at, size] of format.matchAll(/field:.*?(\w+)(\[\d*\])?;\toffset:(\d+);\tsize:(\d+);/g)) {
        const unit = of === undefined || of === '[]' ? Number(size) : Number(size) / Number(of.slice(1, -1));
        expect([event, name, Number(at)]).toEqual([event, name, Math.ceil(end / unit) * unit]);
        end = Number(at) + Number(size);
      }
      expect(end).toBeGreaterThan(8);
    }
  });
});

describe.each(RECORDED)('the recording of %s', (kernel) => {
  const truth = truthOf(kernel);

  test('every text says which kernel it is of', () => {
    for (const file of ['formats.txt', 'trace.txt', 'symbols.txt']) {
      expect(text(kernel, file).startsWith(`# seen on ${truth.seen_on}\n`)).toBe(true);
    }
  });

  test('raw bytes and text hold the same events', () => {
    const ids = new Map(
      sections(kernel).map(([event, format]) => [
        Number(/^ID: (\d+)/m.exec(format)?.[1]),
        event.slice(event.indexOf('/') + 1),
      ]),
    );
    const records = recordsOf(kernel).map(({ id, pid }) => `${ids.get(id) ?? id} ${pid}`);
    expect(records.length).toBeGreaterThan(80);
    expect(records).toEqual(linesOf(kernel).map(({ name, pid }) => `${name} ${pid}`));
  });

  test('nobody but the programs of the stories is in it', () => {
    const pids = truth.stories.flatMap((story) => [story.server_pid, story.client_pid, story.helper_pid, 0]);
    const lines = linesOf(kernel).filter(({ name }) => name !== 'task_newtask');
    expect(lines.filter(({ pid }) => !pids.includes(pid))).toEqual([]);
  });

  test('each of the programs is born once, of the one that made them all, and gets its name in its story', () => {
    const born = [...text(kernel, 'trace.txt').matchAll(/-(\d+) .*: task_newtask: pid=(\d+) comm=stories /g)];
    const named = [
      ...text(kernel, 'trace.txt').matchAll(/-(\d+) .*: task_rename: pid=(\d+) oldcomm=stories newcomm=(\S+)/g),
    ];
    const pids = truth.stories.flatMap((story) => [story.server_pid, story.client_pid, story.helper_pid]);
    const programs = pids.filter((pid) => pid !== null).sort((a, b) => a - b);
    expect(programs.length).toBeGreaterThan(20);
    expect(born.map(([, , child]) => Number(child)).sort((a, b) => a - b)).toEqual(programs);
    const [first] = born;
    expect(programs).not.toContain(Number(first?.[1]));
    expect(new Set(born.map(([, parent]) => parent))).toEqual(new Set([first?.[1]]));
    // Before it makes a reset, since whoever reads it then is to know its name.
    for (const { server_pid: server, client_pid: client, helper_pid: helper, via, id } of truth.stories) {
      const nameOf = (pid: number): string | undefined => named.find(([, by]) => Number(by) === pid)?.[3];
      expect(nameOf(client)).toBe(id.includes('exec') ? 'nc' : 'story-client');
      if (server !== null) expect(nameOf(server)).toBe('story-server');
      if (helper !== null && via === 'sock-destroy') expect(nameOf(helper)).toBe('story-destroyer');
    }
    expect(named.filter(([, by, of]) => by !== of)).toEqual([]);
  });

  test('every reset of a program has its send event and its stack, in the sender or a timer', () => {
    for (const story of truth.stories) {
      const lines = linesOf(kernel).filter(({ ns }) => ns >= story.began_ns - 1000 && ns <= story.ended_ns);
      const stacks = lines.filter(({ name }) => name === 'kernel_stack').map(({ pid }) => pid);
      const owner = story.reset_by === 'server' ? story.server_pid : story.client_pid;
      const sender = { 'sock-destroy': story.helper_pid, keepalive: 0 }[story.via] ?? owner;
      expect([story.id, ...stacks]).toEqual(story.reset_by === 'kernel' ? [story.id] : [story.id, sender]);
    }
  });

  test('every address of a stack has a symbol', () => {
    const names = new Set(
      text(kernel, 'symbols.txt')
        .split('\n')
        .slice(1)
        .map((line) => line.split(/[ \t]/)[2]),
    );
    const called = [...text(kernel, 'trace.txt').matchAll(/^ => (\S+)/gm)].map((match) => match[1]);
    expect(called.length).toBeGreaterThan(80);
    expect(called.filter((name) => !names.has(name))).toEqual([]);
  });
});
