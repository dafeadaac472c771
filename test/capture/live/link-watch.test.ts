/** Interfaces that come and go while somebody watches, in namespaces of our own. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { LinkWatch } from '../../../src/capture/live/link-watch.js';
import type { Link } from '../../../src/capture/live/links.js';
import { findNamespaces, ownNamespace } from '../../../src/capture/live/namespaces.js';
import { ip, ipBatch, itInNamespaces, makeNamespace, pause, sleepIn, until } from './netns.js';

interface Watched {
  watch: LinkWatch;
  /** What onChange was told, in order. */
  told: (readonly Link[])[];
  children: Map<number, boolean>;
}

const watches: LinkWatch[] = [];

function watching(name: string): Watched {
  const told: (readonly Link[])[] = [];
  const children = new Map<number, boolean>();
  const watch = new LinkWatch(
    findNamespaces([name])[1] ?? ownNamespace(),
    (links) => told.push(links),
    (pid, alive) => children.set(pid, alive),
  );
  watches.push(watch);
  return { watch, told, children };
}

afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.stop()));
});

const namesOf = (links: readonly Link[] | undefined): string[] => (links ?? []).map((link) => link.name);
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Of the most: on a busy machine one of them may take long. */
function expectSoon(times: readonly number[]): void {
  const [median] = [...times].sort((a, b) => a - b).slice(times.length / 2);
  expect(median).toBeLessThan(1000);
}

describe('changes are told of within a second', () => {
  itInNamespaces('come, up, renamed, addressed, down, gone', async () => {
    const name = makeNamespace();
    const { watch, told } = watching(name);
    expect(namesOf(await watch.start())).toEqual(['lo']);
    expect(told).toEqual([]);
    const has = (text: string) => () => namesOf(watch.links).includes(text);
    const took: number[] = [];

    ip('-n', name, 'link', 'add', 'one', 'index', '70', 'type', 'bridge');
    took.push(await until(has('one')));
    ip('-n', name, 'link', 'set', 'one', 'up');
    took.push(await until(() => watch.links.some((link) => link.name === 'one' && link.up)));
    ip('-n', name, 'addr', 'add', '10.0.0.1/24', 'dev', 'one');
    took.push(await until(() => watch.links.some((link) => link.addresses.includes('10.0.0.1'))));
    ip('-n', name, 'link', 'set', 'one', 'down');
    took.push(await until(() => watch.links.some((link) => link.name === 'one' && !link.up)));
    ip('-n', name, 'link', 'set', 'one', 'name', 'two');
    took.push(await until(has('two')));
    expect(watch.nameOf(70)).toBe('two');
    ip('-n', name, 'link', 'del', 'two');
    took.push(await until(() => !has('two')()));
    expect(watch.nameOf(70)).toBe('two');
    expect(told.at(-1)).toBe(watch.links);
    expectSoon(took);
  });

  itInNamespaces('nothing is told where nothing differs', async () => {
    const { watch, told } = watching(makeNamespace());
    await watch.start();
    for (let i = 0; i < 10; i++) {
      watch.refresh();
      await pause(20);
    }
    expect(told).toEqual([]);
  });

  itInNamespaces('without the monitor, too', async () => {
    const name = makeNamespace();
    const { watch, children } = watching(name);
    await watch.start();
    const [pid = 0] = children.keys();
    process.kill(pid, 'SIGKILL');
    await until(() => children.get(pid) === false);
    await pause(150);
    const took: number[] = [];
    for (const late of ['late0', 'late1', 'late2']) {
      ip('-n', name, 'link', 'add', late, 'type', 'bridge');
      took.push(await until(() => namesOf(watch.links).includes(late)));
    }
    expectSoon(took);
  });

  itInNamespaces('also when the process is gone by which the namespace was found', async () => {
    const { pid, end } = await sleepIn(['unshare', '-n']);
    const { watch, children } = watching(String(pid));
    await watch.start();
    await end();
    const [monitor = 0] = children.keys();
    const net = `--net=/proc/${String(monitor)}/ns/net`;
    const took: number[] = [];
    for (const orphan of ['orphan0', 'orphan1']) {
      execFileSync('nsenter', [net, '--', 'ip', 'link', 'add', orphan, 'type', 'bridge']);
      took.push(await until(() => namesOf(watch.links).includes(orphan)));
    }
    process.kill(monitor, 'SIGKILL');
    took.push(await until(() => watch.links.length === 0));
    expectSoon(took);
  });
});

describe('names', () => {
  itInNamespaces('of thirty interfaces that are gone before anybody can look', async () => {
    const name = makeNamespace();
    const { watch } = watching(name);
    await watch.start();
    const numbers = Array.from({ length: 30 }, (_, i) => 1000 + i);
    ipBatch(
      name,
      numbers.flatMap((n) => [`link add q${String(n)} index ${String(n)} type bridge`, `link del q${String(n)}`]),
    );
    await until(() => watch.nameOf(1029) !== null);
    expect(numbers.map((n) => watch.nameOf(n))).toEqual(numbers.map((n) => `q${String(n)}`));
    // A reading may have met one of them.
    await until(() => namesOf(watch.links).join() === 'lo');
    expect(watch.nameOf(999)).toBeNull();
  });

  itInNamespaces('with an @, and of an end of a veth', async () => {
    const name = makeNamespace();
    const { watch } = watching(name);
    await watch.start();
    ipBatch(name, [
      'link add v0 index 50 type veth peer name v1 index 51',
      'link add b@d index 52 type bridge',
      'link add a@c index 53 type veth peer name a@e index 54',
    ]);
    await until(() => watch.links.length === 6);
    const seen = new Set<string | null>();
    ip('-n', name, 'link', 'set', 'b@d', 'up');
    await until(() => {
      seen.add(watch.nameOf(52));
      return watch.links.some((link) => link.up);
    });
    expect([...seen]).toEqual(['b@d']);
    expect([50, 51, 52, 53, 54].map((n) => watch.nameOf(n))).toEqual(['v0', 'v1', 'b@d', 'a@c', 'a@e']);
  });
});

describe('the end', () => {
  itInNamespaces('the child is there while it watches, and then gone; nothing is told afterwards', async () => {
    const name = makeNamespace();
    const { watch, told, children } = watching(name);
    await watch.start();
    const [pid = 0] = children.keys();
    expect([...children]).toEqual([[pid, true]]);
    expect(isAlive(pid)).toBe(true);
    await pause(120);
    ip('-n', name, 'link', 'add', 'last', 'type', 'bridge');
    watch.refresh();
    // The reading that is under way sees it.
    await watch.stop();
    expect(told).toEqual([]);
    expect([...children]).toEqual([[pid, false]]);
    expect(isAlive(pid)).toBe(false);
    ip('-n', name, 'link', 'del', 'last');
    watch.refresh();
    await pause(150);
    expect(told).toEqual([]);
  });

  itInNamespaces('while it starts', async () => {
    const { watch, children } = watching(makeNamespace());
    const started = watch.start();
    await watch.stop();
    await started;
    expect([...children.values()]).not.toContain(true);
  });

  test('before it started: no child', async () => {
    const { watch, children } = watching('all');
    await watch.stop();
    expect(await watch.start()).toEqual([]);
    expect(children.size).toBe(0);
  });
});
