/** Counters of real namespaces that come, stay, change hands and go. */
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { findNamespaces, inodeAt, ownNamespace, type Namespace as Known } from '../../src/capture/live/namespaces.js';
import { CounterWatch, type Account } from '../../src/health/counter-watch.js';
import { Lab, labProblem, poll, type Namespace } from '../support/lab.js';
import { testIf } from '../support/tools.js';
import { knock } from '../support/traffic.js';

const LAB = labProblem();
const TIMEOUT_MS = 60_000;

let lab: Lab;
beforeEach(async () => {
  if (LAB === '') lab = await Lab.create();
});
afterEach(async () => {
  if (LAB === '') await lab.destroy();
});

function named({ name }: Namespace): Known {
  const [, found] = findNamespaces([name]);
  if (found === undefined) throw new Error(`${name} is not found`);
  return found;
}

function accountOf(watch: CounterWatch, inode: number): Account | undefined {
  return watch.accounts.find(({ namespace }) => namespace.inode === inode);
}

const refused = (ns: Namespace, times: number): Promise<unknown> =>
  knock({ ns, host: '127.0.0.1', port: 9, times }).done;

describe('a namespace', () => {
  testIf(
    LAB === '',
    LAB,
    'that was asked for is read before and after, also with nobody in it',
    async () => {
      const ns = await lab.namespace('asked');
      await refused(ns, 5);
      const watch = new CounterWatch([ownNamespace(), named(ns)], false);
      await watch.readFirst();
      await refused(ns, 7);
      await watch.readLast();
      expect(watch.accounts).toHaveLength(2);
      expect(accountOf(watch, ns.inode)).toMatchObject({ asked: true, broken: false, gone: false });
      expect(accountOf(watch, ns.inode)?.rose?.get('OutRsts')).toBe(7);
      expect(accountOf(watch, ns.inode)?.totals.get('OutRsts')).toBe(12);
    },
    TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'that is made meanwhile has counted from 0',
    async () => {
      const watch = new CounterWatch([ownNamespace()], true);
      await watch.readFirst();
      const ns = await lab.namespace('new');
      await refused(ns, 4);
      await watch.readLast();
      expect(accountOf(watch, ns.inode)).toMatchObject({ asked: false, broken: false });
      expect(accountOf(watch, ns.inode)?.rose?.get('OutRsts')).toBe(4);
    },
    TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'whose first process ends is the same one, by whoever is still in it',
    async () => {
      const ns = await lab.namespace('stays');
      await refused(ns, 6);
      const [first, second] = [1, 2].map(() => ns.start(['sleep', '50'], { via: 'nsenter' }));
      await poll(() => ns.pids().length === 2, 10_000, 'two processes');
      const watch = new CounterWatch([ownNamespace()], true);
      await watch.readFirst();
      first?.kill('SIGKILL');
      await poll(() => ns.pids().length === 1, 10_000, 'one process');
      watch.readNow(true);
      await refused(ns, 2);
      await watch.readLast();
      second?.kill('SIGKILL');
      expect(accountOf(watch, ns.inode)?.rose?.get('OutRsts')).toBe(2);
    },
    TIMEOUT_MS,
  );

  testIf(
    LAB === '',
    LAB,
    'that goes away is gone, and what takes its name is not read for it',
    async () => {
      const ns = await lab.namespace('again');
      const watch = new CounterWatch([ownNamespace(), named(ns)], false);
      await watch.readFirst();
      await refused(ns, 3);
      watch.readNow(false);
      const own = await lab.namespace('keeper');
      const again = `ip netns del ${ns.name}; ip netns add ${ns.name}; ip -n ${ns.name} link set lo up`;
      expect((await own.exec(['sh', '-c', again], { via: 'nsenter' })).code).toBe(0);
      await watch.readLast();
      const account = accountOf(watch, ns.inode);
      // The kernel may have given its number away, too; then nothing tells the two apart.
      if (inodeAt(ns.file) !== ns.inode) expect(account).toMatchObject({ broken: true, gone: true });
      expect(account?.rose?.get('OutRsts') ?? 0).toBeLessThanOrEqual(3);
    },
    TIMEOUT_MS,
  );
});
