/** proc(5)'s lines, with the names that programs give themselves. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasEnded, parseBootTime, parseStat, parseStatus, startedAt } from '../../../src/attribute/proc/stat.js';
import { parsePasswd } from '../../../src/attribute/proc/users.js';
import { statLine } from './proc-tree.js';

describe('/proc/PID/stat', () => {
  test('as the kernel writes it', () => {
    const line =
      '15800 (bash) S 15799 15800 7563 0 -1 4194368 225 309 0 0 0 0 0 0 20 0 3 0 1280865 4730880 474 ' +
      '18446744073709551615 94183155609600 94183156399005 140733252227200 0 0 0 65536 0 81922 1 0 0 17 0 0 0 0 0 0 ' +
      '94183156632304 94183156680548 94183555809280 140733252234109 140733252234124 140733252234124 140733252235242 0\n';
    expect(parseStat(Buffer.from(line))).toEqual({
      pid: 15800,
      name: 'bash',
      state: 'S',
      ppid: 15799,
      kernelThread: false,
      threads: 3,
      startTicks: 1280865,
      layout:
        '94183155609600 94183156399005 140733252227200 94183156632304 94183156680548 94183555809280 140733252234109 ' +
        '140733252234124 140733252234124 140733252235242',
    });
  });

  test.each([
    ['a b', 'a b'],
    [') S 1 (', ') S 1 ('],
    ['x) Z 9 9 9', 'x) Z 9 9 9'],
    ['two\nlines', 'two\nlines'],
    ['\u001b[31mred', '\u001b[31mred'],
    ['', ''],
    ['((()))', '((()))'],
  ])('a name of %j', (name, expected) => {
    expect(parseStat(statLine({ pid: 7, name, ppid: 3, start: 99 }))).toMatchObject({
      pid: 7,
      name: expected,
      state: 'S',
      ppid: 3,
      startTicks: 99,
    });
  });

  test('half a character at the end of a name', () => {
    const bytes = Buffer.concat([
      Buffer.from('7 (caf'),
      Buffer.from([0xc3]),
      statLine({ pid: 7, name: '' }).subarray(3),
    ]);
    expect(parseStat(bytes)?.name).toBe('caf\ufffd');
  });

  test('a thread of the kernel, a process that has ended', () => {
    expect(parseStat(statLine({ pid: 2, name: 'kthreadd', flags: 0x208040 }))?.kernelThread).toBe(true);
    const zombie = parseStat(statLine({ pid: 2, name: 'x', state: 'Z' }));
    expect(zombie !== null && hasEnded(zombie)).toBe(true);
  });

  test('what is no such line', () => {
    for (const line of [
      '',
      '7',
      '7 (x)',
      '7 (x) S',
      '(x) S 1',
      ') 7 (x',
      '7 (x) S 1 2 3',
      'x (x) S 1 '.padEnd(99, '1 '),
    ]) {
      expect(parseStat(Buffer.from(line))).toBeNull();
    }
  });

  test('arbitrary bytes throw nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseStat(bytes);
        parseStat(Buffer.concat([Buffer.from('1 ('), bytes, Buffer.from(') S 1 '.padEnd(120, '9 '))]));
        parseStatus(Buffer.from(bytes).toString());
        parseBootTime(Buffer.from(bytes).toString());
        parsePasswd(Buffer.from(bytes).toString());
      }),
    );
  });
});

describe('/proc/PID/status', () => {
  test('the process of a thread, the effective user, PIDs in namespaces', () => {
    const status =
      'Name:\tx\\nTgid:\t9\nUmask:\t0022\nTgid:\t41\nPid:\t42\nPPid:\t3\nUid:\t1\t33\t1\t1\nNSpid:\t42\t5\t1\n';
    expect(parseStatus(status)).toEqual({ tgid: 41, ppid: 3, uid: 33, namespacePids: [42, 5, 1] });
  });

  test('without what older kernels lack', () => {
    expect(parseStatus('Name:\tx\nTgid:\t41\n')).toEqual({ tgid: 41, ppid: null, uid: null, namespacePids: [] });
    expect(parseStatus('Name:\tx\n')).toBeNull();
  });
});

test('the start in seconds, to a hundredth', () => {
  expect(parseBootTime('cpu  1 2\nintr 5 btime 7\nbtime 1795271727\nprocesses 3\n')).toBe(1795271727);
  expect(parseBootTime('cpu 1\n')).toBeNull();
  expect(startedAt(1795271727, 1280865)).toBe(1795284535.65);
});

test('a passwd file', () => {
  const names = parsePasswd(
    'root:x:0:0::/root:/bin/sh\n# no:x:5:5\ntoor:x:0:0::/:/\n+::::::\nbad:x:y:1\nweb:x:33:33::/:/\n',
  );
  expect([...names]).toEqual([
    [0, 'root'],
    [33, 'web'],
  ]);
});
