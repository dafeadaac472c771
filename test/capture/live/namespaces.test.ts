/** Namespaces by name, by PID and all of them; what is not there is told with what to do. */
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { UserError } from '../../../src/base/errors.js';
import {
  allNamespaces,
  findNamespaces,
  inNamespace,
  namespaceLabel,
  ownNamespace,
} from '../../../src/capture/live/namespaces.js';
import { testIf } from '../../support/tools.js';
import { inodeOfProcess, itInNamespaces, makeNamespace, sleepIn } from './netns.js';

function refusal(asked: readonly string[]): UserError {
  try {
    findNamespaces(asked);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error(`found ${asked.join(' ')}`);
}

function linksSeen(words: readonly string[]): string {
  const [file, ...args] = [...words, 'ip', '-br', 'link'];
  return execFileSync(file, args, { encoding: 'utf8' }).replace(/ .*/g, '').trim();
}

describe('the own namespace', () => {
  test('is the first and needs no words', () => {
    const own = ownNamespace();
    expect(own).toMatchObject({ inode: inodeOfProcess('self'), path: null });
    expect(findNamespaces([])).toEqual([own]);
    expect(inNamespace(own)).toEqual([]);
    expect(namespaceLabel(own)).toBe('this namespace');
  });

  test('is found once, by whatever it is asked for', () => {
    expect(findNamespaces([String(process.pid), String(process.pid)])).toEqual([ownNamespace()]);
  });
});

describe('other namespaces', () => {
  itInNamespaces('by name: entered, labelled, told from the own one', () => {
    const name = makeNamespace();
    const [own, found, ...more] = findNamespaces([name, name]);
    expect(own).toEqual(ownNamespace());
    expect(more).toEqual([]);
    const inode = statSync(`/run/netns/${name}`).ino;
    expect(found).toEqual({ inode, name, path: `/run/netns/${name}` });
    expect(namespaceLabel(found!)).toBe(`netns ${name}`);
    expect(linksSeen(inNamespace(found!))).toBe('lo');
  });

  itInNamespaces('by the PID of a process in a named one: its name', async () => {
    const name = makeNamespace();
    const { pid } = await sleepIn(['nsenter', `--net=/run/netns/${name}`]);
    expect(findNamespaces([String(pid)])[1]).toMatchObject({ name, path: `/run/netns/${name}` });
    expect(findNamespaces([String(pid), name])).toHaveLength(2);
  });

  itInNamespaces('without a name: by PID and among all, once', async () => {
    const { pid, inode } = await sleepIn(['unshare', '-n']);
    const nameless = { inode, name: null, path: `/proc/${String(pid)}/ns/net` };
    expect(findNamespaces([String(pid)])).toEqual([ownNamespace(), nameless]);
    expect(namespaceLabel(nameless)).toBe(`netns ${String(inode)}`);
    expect(linksSeen(inNamespace(nameless))).toBe('lo');
    const name = makeNamespace();
    const all = findNamespaces(['all', String(pid), name]);
    expect(all[0]).toEqual(ownNamespace());
    expect(all.filter((namespace) => namespace.inode === inode)).toEqual([nameless]);
    expect(all.filter((namespace) => namespace.name === name)).toHaveLength(1);
    expect(new Set(all.map((namespace) => namespace.inode)).size).toBe(all.length);
    // Other tests' namespaces come and go: only what is ours can be compared.
    expect(allNamespaces()).toEqual(expect.arrayContaining([nameless]));
  });

  itInNamespaces('a plain file beside the names is none', () => {
    const there = makeNamespace();
    const name = `${there}-remnant`;
    mkdirSync('/run/netns', { recursive: true });
    writeFileSync(`/run/netns/${name}`, '');
    try {
      expect(allNamespaces().map((namespace) => namespace.name)).toEqual(expect.arrayContaining([there]));
      expect(allNamespaces().map((namespace) => namespace.name)).not.toContain(name);
      expect(refusal([name]).message).toMatch(`/run/netns/${name} is a file and no network namespace`);
    } finally {
      rmSync(`/run/netns/${name}`);
    }
  });

  itInNamespaces('one that is not there: its name, those there are, the command that lists them', () => {
    const name = makeNamespace();
    const error = refusal(['no-such\u001b[2J']);
    expect(error).toMatchObject({ code: 'no-such-namespace', hint: 'ip netns list' });
    expect(error.message).toMatch(/^no network namespace is called "no-such·\[2J": there (is|are) /);
    expect(error.message.includes(name) || error.message.includes(' more')).toBe(true);
  });
});

describe('what names no namespace', () => {
  test.each(['', '.', '..', '../netns', '/etc/passwd', 'a/b', 'x\0y'])('%j', (name) => {
    expect(refusal([name])).toMatchObject({ code: 'no-such-namespace', hint: 'ip netns list' });
  });

  test('a PID that nobody has', () => {
    expect(refusal(['4194999'])).toMatchObject({ code: 'no-such-namespace', hint: 'lsns -t net' });
    expect(refusal(['4194999']).message).toContain('4194999');
  });

  testIf(process.geteuid?.() === 0, 'needs root', 'a process that is not ours to look at: sudo', () => {
    process.seteuid?.(65534);
    try {
      const error = refusal(['1']);
      expect(error).toMatchObject({ code: 'unreadable', hint: 'sudo rstscope live --netns 1' });
      expect(error.message).toBe("the network namespace of process 1 can't be looked at: permission denied");
      // Those that can't be read are passed over.
      expect(allNamespaces()[0]).toEqual(ownNamespace());
    } finally {
      process.seteuid?.(0);
    }
  });
});
