/**
 * What a kernel says of its own trace events: number, fields and names of values, from the `format` files of tracefs.
 *
 * Every kernel has its own places and numbers: nothing of them is taken for granted here.
 */

export interface Field {
  /** Bytes from the start of the event. */
  readonly offset: number;
  readonly size: number;
}

export interface EventFormat {
  /** What the event's `common_type` says. */
  readonly id: number;
  readonly fields: ReadonlyMap<string, Field>;
  /** Names of values by field ("reason" → 1 → "NO_SOCKET"), as the kernel would print them. */
  readonly names: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

const MAX_FIELDS = 128;
const MAX_NAMES = 1024;

/** Null: it is no format file. */
export function parseFormat(text: string): EventFormat | null {
  const id = /^ID: (\d{1,9})$/m.exec(text)?.[1];
  if (id === undefined) return null;
  const fields = new Map<string, Field>();
  for (const [, name, offset, size] of text.matchAll(
    /^\tfield:[^;]*?(\w+)(?:\[[^\]]*\])?;\toffset:(\d+);\tsize:(\d+);/gm,
  )) {
    if (name === undefined || fields.size >= MAX_FIELDS) continue;
    fields.set(name, { offset: Number(offset), size: Number(size) });
  }
  const names = new Map<string, Map<number, string>>();
  for (const [, field, list] of text.matchAll(/__print_symbolic\(REC->(\w+),((?:\s*\{[^}]*\},?)+)\s*\)/g)) {
    if (field === undefined || list === undefined) continue;
    const values = new Map<number, string>();
    // Older kernels leave the names of an enum in the place of its numbers: those say nothing.
    for (const [, value, name] of list.matchAll(/\{ (-?\d+), "([^"]*)" \}/g)) {
      if (name !== undefined && values.size < MAX_NAMES) values.set(Number(value), name);
    }
    if (values.size > 0) names.set(field, values);
  }
  return { id: Number(id), fields, names };
}

/** Where the data of a page of the ring begins, and in how many bytes its length is kept ("header_page"). */
export interface PageFormat {
  readonly commit: number;
  readonly commitSize: number;
  readonly data: number;
}

/** Null: it is no header_page file. */
export function parsePageFormat(text: string): PageFormat | null {
  const place = (name: string): { offset: number; size: number } | null => {
    const [, offset, size] =
      new RegExp(`^\\tfield: [^;]*\\b${name};\\toffset:(\\d+);\\tsize:(\\d+);`, 'm').exec(text) ?? [];
    return offset === undefined ? null : { offset: Number(offset), size: Number(size) };
  };
  const commit = place('commit');
  const data = place('data');
  return commit === null || data === null
    ? null
    : { commit: commit.offset, commitSize: commit.size, data: data.offset };
}
