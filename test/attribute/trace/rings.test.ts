/** Several CPUs' rings as one story: each recorded page stands for a CPU here. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceFacts } from '../../../src/attribute/trace/instance.js';
import { Rings } from '../../../src/attribute/trace/rings.js';
import { eventsOf, formatsOf, linesOf, pageFormatOf, pagesOf } from './recordings.js';

const folder = mkdtempSync(join(tmpdir(), 'rstscope-test-rings-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const KERNEL = '6.18';
let count = 0;

function facts(rings: readonly (Uint8Array | string)[], stacks = true): InstanceFacts {
  const instance = join(folder, `i${count++}`);
  mkdirSync(join(instance, 'per_cpu'), { recursive: true });
  rings.forEach((ring, i) => {
    const cpu = join(instance, 'per_cpu', `cpu${i}`);
    mkdirSync(cpu);
    if (typeof ring === 'string') symlinkSync(ring, join(cpu, 'trace_pipe_raw'));
    else writeFileSync(join(cpu, 'trace_pipe_raw'), ring);
  });
  return { folder: instance, tracefs: folder, formats: formatsOf(KERNEL), page: pageFormatOf(KERNEL), stacks };
}

/** A page that says of itself that some before it were lost. */
function lossy(page: Uint8Array): Uint8Array {
  const changed = page.slice();
  const view = new DataView(changed.buffer);
  view.setUint32(8, (view.getUint32(8, true) | 0x8000_0000) >>> 0, true);
  return changed;
}

function open(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('the pages of one run, each as a CPU of its own, the last first', () => {
  const pages = pagesOf(KERNEL);
  const all = eventsOf(KERNEL);
  const whole = all.filter(({ kind }) => kind !== 'stack');

  test('come in the order of time, with their stacks', () => {
    const rings = new Rings(facts([...pages].reverse()));
    const { seen, until, lost } = rings.drain(Infinity);
    rings.close();
    expect(rings.count).toBe(pages.length);
    expect(seen.map(({ event }) => event)).toEqual(whole);
    expect(seen.filter(({ stack }) => stack !== null).length).toBe(
      linesOf(KERNEL).filter(({ name }) => name === 'kernel_stack').length,
    );
    for (const { event, stack } of seen) {
      if (event.kind === 'send-reset') expect(stack !== null).toBe(event.active);
    }
    expect([until, lost]).toEqual([Infinity, 0]);
  });

  test('what is younger than the look waits for the next', () => {
    const rings = new Rings(facts([...pages].reverse()));
    const middle = whole[Math.floor(whole.length / 2)]?.time ?? 0;
    const first = rings.drain(middle);
    const second = rings.drain(Infinity);
    rings.close();
    expect(first.seen.map(({ event }) => event)).toEqual(whole.filter(({ time }) => time < middle));
    expect([...first.seen, ...second.seen].map(({ event }) => event)).toEqual(whole);
  });

  test('loss is told, and the rest is read', () => {
    const rings = new Rings(facts(pages.map((page, i) => (i === 1 ? lossy(page) : page))));
    const { seen, lost } = rings.drain(Infinity);
    rings.close();
    expect([seen.length, lost]).toEqual([whole.length, 1]);
  });
});

test('a stack that is not there yet is waited for, two milliseconds', () => {
  const all = eventsOf(KERNEL);
  const at = all.findIndex((event) => event.kind === 'send-reset' && event.active);
  const { time = 0 } = all[at] ?? {};
  const [page = new Uint8Array(0)] = pagesOf(KERNEL);
  // Cut behind the reset: the record is whole, and the next is not written.
  const cut = page.slice();
  const stack = linesOf(KERNEL).findIndex(({ name }) => name === 'kernel_stack');
  expect(stack).toBe(at + 1);
  const view = new DataView(cut.buffer);
  let best = 0;
  for (let commit = 4; commit < 4000; commit += 4) {
    view.setUint32(8, commit, true);
    const rings = new Rings(facts([cut], false));
    const { seen } = rings.drain(Infinity);
    rings.close();
    if (seen.length === at + 1) {
      best = commit;
      break;
    }
  }
  view.setUint32(8, best, true);
  const rings = new Rings(facts([cut]));
  const first = rings.drain(time + 1e6);
  expect([first.seen.length, first.until]).toEqual([at, time]);
  const second = rings.drain(Infinity);
  rings.close();
  expect(second.seen).toMatchObject([{ event: { kind: 'send-reset' }, stack: null }]);
});

test('a ring that never ends is left, and nothing is said to be known', () => {
  const rings = new Rings(facts(['/dev/zero', ...pagesOf(KERNEL)]));
  const { seen, until } = rings.drain(1e18);
  rings.close();
  expect(until).toBe(0);
  expect(seen).toEqual([]);
});

test('pages of rubbish are counted as lost, and are no events', () => {
  const rings = new Rings(facts([new Uint8Array(4096).fill(0xff), new Uint8Array(3)]));
  const { seen, lost } = rings.drain(Infinity);
  rings.close();
  expect([seen.length, lost]).toEqual([0, 2]);
});

test('where one can not be opened nothing stays open', () => {
  const before = open();
  expect(() => new Rings(facts([...pagesOf(KERNEL), '/nonexistent/ring']))).toThrow();
  expect(open()).toBe(before);
  const rings = new Rings(facts(pagesOf(KERNEL)));
  rings.close();
  expect(open()).toBe(before);
});
