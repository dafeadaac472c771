/** What container engines leave on disk, and what is made of it when it is not as expected. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { ContainerNames, podFromEnviron } from '../../../src/attribute/proc/containers.js';
import { ProcTree } from './proc-tree.js';

const ID = '0123456789abcdef'.repeat(4);
const DOCKER = `root/var/lib/docker/containers/${ID}/config.v2.json`;
const OVERLAY = 'storage/overlay-containers';

let tree: ProcTree;
let now: number;
beforeEach(() => {
  tree = new ProcTree();
  now = 1000;
});
afterEach(() => tree.end());

function names(): ContainerNames {
  return new ContainerNames(tree.root, 'node-1', () => now);
}

function place(runtime: string | null, podUid: string | null = null, ofUser = false) {
  return { id: ID, runtime, podUid, ofUser };
}

const noEnviron = (): string | null => null;

describe('names on disk', () => {
  test('docker', () => {
    tree.write(DOCKER, JSON.stringify({ Name: '/web', Config: { Labels: null } }));
    const expected = { id: ID, runtime: 'docker', name: 'web', pod: null, podNamespace: null };
    expect(names().describe(place('docker'), noEnviron)).toEqual(expected);
    expect(names().describe(place(null), noEnviron)).toEqual(expected);
  });

  test('docker under Kubernetes, its folder moved', () => {
    tree.write('root/etc/docker/daemon.json', '{"data-root":"/srv/docker"}');
    const Labels = {
      'io.kubernetes.container.name': 'app',
      'io.kubernetes.pod.name': 'app-7f8d9c5b4-x2k9p',
      'io.kubernetes.pod.namespace': 'shop',
    };
    tree.write(
      `root/srv/docker/containers/${ID}/config.v2.json`,
      JSON.stringify({ Name: '/k8s_app', Config: { Labels } }),
    );
    expect(names().describe(place(null, 'uid'), noEnviron)).toEqual({
      id: ID,
      runtime: 'docker',
      name: 'app',
      pod: 'app-7f8d9c5b4-x2k9p',
      podNamespace: 'shop',
    });
  });

  test.each(['containerd', 'k3s/containerd'])('%s under Kubernetes', (folder) => {
    const annotations = {
      'io.kubernetes.cri.container-name': 'app',
      'io.kubernetes.cri.sandbox-name': 'web-0',
      'io.kubernetes.cri.sandbox-namespace': 'shop',
    };
    tree.write(
      `root/run/${folder}/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`,
      JSON.stringify({ annotations }),
    );
    expect(names().describe(place(null, 'uid'), noEnviron)).toEqual({
      id: ID,
      runtime: 'containerd',
      name: 'app',
      pod: 'web-0',
      podNamespace: 'shop',
    });
  });

  test('CRI-O', () => {
    const annotations = {
      'io.container.manager': 'cri-o',
      'io.kubernetes.container.name': 'app',
      'io.kubernetes.pod.name': 'web-0',
      'io.kubernetes.pod.namespace': 'shop',
    };
    tree.write(`root/run/containers/${OVERLAY}/${ID}/userdata/config.json`, JSON.stringify({ annotations }));
    expect(names().describe(place(null), noEnviron)).toEqual({
      id: ID,
      runtime: 'cri-o',
      name: 'app',
      pod: 'web-0',
      podNamespace: 'shop',
    });
  });

  test('podman', () => {
    tree.write(
      `root/var/lib/containers/${OVERLAY}/${ID}/userdata/config.json`,
      '{"annotations":{"io.container.manager":"libpod"}}',
    );
    tree.write(`root/var/lib/containers/${OVERLAY}/containers.json`, '[{"id":"x","names":["no"]},null]');
    tree.write(
      `root/var/lib/containers/${OVERLAY}/volatile-containers.json`,
      JSON.stringify([{ id: ID, names: ['web'] }]),
    );
    const described = names().describe(place('podman'), noEnviron);
    expect(described).toEqual({ id: ID, runtime: 'podman', name: 'web', pod: null, podNamespace: null });
  });

  test('machines are known by their names', () => {
    const lxc = { id: '../../etc', runtime: 'lxc', podUid: null, ofUser: false };
    expect(names().describe(lxc, noEnviron)).toMatchObject({ runtime: 'lxc', name: '../../etc' });
  });

  test("a user's containers are not looked for among the system's", () => {
    tree.write(DOCKER, '{"Name":"/web"}');
    expect(names().describe(place('docker', null, true), noEnviron).name).toBeNull();
  });

  test('nothing found is looked for again after a while, a name read again later', () => {
    const reader = names();
    const name = () => reader.describe(place('docker'), noEnviron).name;
    expect(name()).toBeNull();
    tree.write(DOCKER, '{"Name":"/web"}');
    expect(name()).toBeNull();
    now += 5000;
    expect(name()).toBe('web');
    tree.write(DOCKER, '{"Name":"/renamed"}');
    expect(name()).toBe('web');
    now += 60_000;
    expect(name()).toBe('renamed');
  });
});

describe('files not as expected', () => {
  test.each([
    ['', null],
    ['{', null],
    ['null', null],
    ['[]', null],
    ['7', null],
    ['{"Name":7,"Config":[]}', null],
    ['{"Name":"","Config":{"Labels":[1]}}', null],
    ['{"__proto__":{"Name":"x"},"Config":"x"}', null],
    ['['.repeat(500_000), null],
    [`{"Name":"${'x'.repeat(1024 * 1024)}"}`, null],
    [`{"Name":"${'x'.repeat(1000)}"}`, 'x'.repeat(256)],
  ])('%.40s', (content, name) => {
    tree.write(DOCKER, content);
    expect(names().describe(place('docker'), noEnviron)).toMatchObject({ runtime: 'docker', name });
  });

  test('a named pipe in its place is not waited for', () => {
    tree.write(DOCKER, '');
    const pipe = path.join(tree.folder, DOCKER);
    execFileSync('sh', ['-c', 'rm "$1" && mkfifo "$1"', 'sh', pipe]);
    expect(names().describe(place('docker'), noEnviron).name).toBeNull();
  });

  test('arbitrary JSON throws nothing', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (config, list) => {
        tree.write(DOCKER, config);
        tree.write(`root/run/containers/${OVERLAY}/${ID}/userdata/config.json`, config);
        tree.write(`root/var/lib/containers/${OVERLAY}/containers.json`, list);
        names().describe(place(null), noEnviron);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the environment of a process in a pod', () => {
  const pod = (environ: string) => podFromEnviron(environ, 'node-7f8d9c5b4-x2k9p').pod;
  test('variables of custom, and a host name that only a pod can have', () => {
    expect(podFromEnviron('A=b\0POD_NAME=web-0\0POD_NAMESPACE=shop\0', 'h')).toMatchObject({
      pod: 'web-0',
      podNamespace: 'shop',
    });
    expect(pod('HOSTNAME=app-7f8d9c5b4-x2k9q\0')).toBe('app-7f8d9c5b4-x2k9q');
    expect(pod('HOSTNAME=web-0\0')).toBeNull();
    expect(pod('HOSTNAME=node-7f8d9c5b4-x2k9p\0')).toBeNull();
    expect(pod('XPOD_NAME=no\0')).toBeNull();
    expect(pod('POD_NAME=cut-o')).toBeNull();
    expect(pod('')).toBeNull();
  });

  test('only in a pod, and only where the disk says nothing', () => {
    const environ = () => 'POD_NAME=web-0\0';
    expect(names().describe(place('containerd', 'uid'), environ).pod).toBe('web-0');
    expect(names().describe(place('containerd'), environ).pod).toBeNull();
  });
});
