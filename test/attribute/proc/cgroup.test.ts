/** Paths of control groups as systemd and the container engines make them. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCgroup } from '../../../src/attribute/proc/cgroup.js';
import { bestOf } from '../../support/stopwatch.js';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'fedcba9876543210'.repeat(4);
const POD = '12345678-90ab-cdef-1234-567890abcdef';
const POD_ = POD.replaceAll('-', '_');

describe('a systemd unit', () => {
  test.each([
    ['0::/system.slice/nginx.service', 'nginx.service'],
    ['0::/init.scope', 'init.scope'],
    ['0::/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'],
    ['0::/system.slice/dev-disk-by\\x2duuid.swap', 'dev-disk-by\\x2duuid.swap'],
    ['0::/user.slice/user-1000.slice/session-3.scope', 'session-3.scope'],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service', 'x.service'],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome.slice/app-a-12.scope', 'app-a-12.scope'],
    ['0::/user.slice/user-1000.slice/user@1000.service/init.scope', 'user@1000.service'],
    ['0::/system.slice/delegated.service/own/b.service', 'delegated.service'],
    ['0::/system.slice/_cpu.service', 'cpu.service'],
    ['0::/system.slice/gone.service (deleted)', 'gone.service'],
    ['0::/system.slice', null],
    ['0::/', null],
    ['0::/api/x', null],
    ['0::/../../system.slice/ssh.service', 'ssh.service'],
    ['0::/no-unit/system.slice/ssh.service', null],
    ['', null],
  ])('%s', (cgroup, unit) => {
    expect(parseCgroup(`${cgroup}\n`)).toEqual({ unit, container: null });
  });

  test('version 1: from the hierarchy of systemd', () => {
    const v1 = '12:pids:/system.slice/other.service\n3:cpu,cpuacct:/\n1:name=systemd:/system.slice/ssh.service\n';
    expect(parseCgroup(v1).unit).toBe('ssh.service');
  });

  test('both versions: from version 2 where the hierarchy of systemd has none', () => {
    expect(parseCgroup('9:name=systemd:/\n4:memory:/x\n0::/system.slice/a.service\n').unit).toBe('a.service');
  });
});

describe('a container', () => {
  const cases: [string, string, string | null, string | null, string | null][] = [
    // path, id, runtime, pod, unit
    [`/docker/${ID}`, ID, 'docker', null, null],
    [`/docker/${ID}/system.slice/nginx.service`, ID, 'docker', null, null],
    [`/system.slice/docker-${ID}.scope`, ID, 'docker', null, null],
    [`/system.slice/docker-${ID}.scope/init.scope`, ID, 'docker', null, null],
    [`/docker/${ID}/docker/${OTHER}`, ID, 'docker', null, null],
    [`/../../docker/${ID}`, ID, 'docker', null, null],
    [`/custom/${ID}`, ID, null, null, null],
    [`/kubepods/besteffort/pod${POD}/${ID}`, ID, null, POD, null],
    [`/kubepods/pod${POD}/${ID}`, ID, null, POD, null],
    [`/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD_}.slice/cri-containerd-${ID}.scope`, ID, 'containerd', POD, null],
    [`/kubepods.slice/kubepods-pod${POD_}.slice/crio-${ID}.scope`, ID, 'cri-o', POD, null],
    [`/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${POD_}.slice/cri-containerd-${ID}.scope`, ID, 'containerd', POD, null],
    [`/system.slice/containerd.service/kubepods-burstable-pod${POD_}.slice:cri-containerd:${ID}`, ID, 'containerd', POD, null],
    [`/machine.slice/libpod-${ID}.scope/container`, ID, 'podman', null, null],
    [`/system.slice/web.service/libpod-payload-${ID}`, ID, 'podman', null, 'web.service'],
    [`/default/${ID}`, ID, null, null, null],
    [`/system.slice/nerdctl-${ID}.scope`, ID, 'containerd', null, null],
    [`/ecs/0123456789abcdef0123456789abcdef/${ID}`, ID, null, null, null],
    ['/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-3054012820', '0123456789abcdef0123456789abcdef-3054012820', null, null, null],
    ['/lxc/web-1/system.slice/nginx.service', 'web-1', 'lxc', null, null],
    ['/lxc.payload.web-1/init.scope', 'web-1', 'lxc', null, null],
    ['/lxc.payload/web-1', 'web-1', 'lxc', null, null],
    ['/machine.slice/machine-my\\x2dbox.scope/payload/system.slice/a.service', 'my-box', 'systemd-nspawn', null, null],
    ['/machine.slice/machine-lxc\\x2d123\\x2dvm.scope', 'vm', 'lxc', null, null],
    ['/machine.slice/systemd-nspawn@box.service/payload/init.scope', 'box', 'systemd-nspawn', null, 'systemd-nspawn@box.service'],
  ]; // prettier-ignore
  test.each(cases)('%s', (path, id, runtime, podUid, unit) => {
    const expected = { unit, container: { id, runtime, podUid, ofUser: false } };
    expect(parseCgroup(`0::${path}\n`)).toEqual(expected);
    expect(parseCgroup(`11:pids:${path}\n1:name=systemd:${path}\n0::/system.slice/containerd.service\n`)).toEqual(
      expected,
    );
  });

  test('of a user without root', () => {
    const path = `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`;
    expect(parseCgroup(`0::${path}\n`)).toEqual({
      unit: null,
      container: { id: ID, runtime: 'podman', podUid: null, ofUser: true },
    });
  });

  test.each([
    [`/machine.slice/libpod-conmon-${ID}.scope`, `libpod-conmon-${ID}.scope`],
    [`/system.slice/crio-conmon-${ID}.scope`, `crio-conmon-${ID}.scope`],
    ['/lxc.monitor.web-1', null],
    ['/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt', 'machine-qemu\\x2d1\\x2dvm.scope'],
    ['/machine.slice/machine-box.scope/supervisor', 'machine-box.scope'],
    ['/machine.slice/systemd-nspawn@box.service/supervisor', 'systemd-nspawn@box.service'],
    ['/docker/short', null],
    [`/docker/${ID}ff`, null],
    [`/constructor-${ID}.scope`, `constructor-${ID}.scope`],
    ['/system.slice/docker.service', 'docker.service'],
  ])('what stands beside containers is in none: %s', (path, unit) => {
    expect(parseCgroup(`0::${path}\n`)).toEqual({ unit, container: null });
  });

  test('arbitrary text throws nothing, and takes no time', () => {
    const piece = fc.constantFrom('/', ':', '0::/', 'docker-', ID, '.scope', '\n', 'kubepods', '-pod', '\\x2d', 'lxc', '..', 'machine-', 'é', '\0'); // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (pieces) => {
        parseCgroup(pieces.join(''));
      }),
    );
    const texts = [
      '/'.repeat(32768),
      `0::/${'machine-'.repeat(4000)}`,
      `0::/${'a-'.repeat(16000)}`,
      '0::/x\n'.repeat(5000),
    ];
    const took = bestOf(500, () => {
      for (const text of texts) parseCgroup(text);
    });
    expect(took).toBeLessThan(500);
  });
});
