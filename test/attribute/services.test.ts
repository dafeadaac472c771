/** services(5), as administrators write it. */
import { describe, expect, test } from '@jest/globals';
import { parseServices, readServices } from '../../src/attribute/services.js';

describe('a services file', () => {
  test('tcp lines, with aliases and comments', () => {
    const text = `# Network services
tcpmux          1/tcp                           # TCP port service multiplexer
http\t\t80/tcp\t\twww\t\t# WorldWideWeb HTTP
https 443/tcp
https 443/udp
domain 53/udp
  indented 7211/tcp
#ssh 22/tcp
telnet 23/tcp#comment
last 65535/tcp`;
    expect([...parseServices(text)]).toEqual([
      [1, 'tcpmux'],
      [80, 'http'],
      [443, 'https'],
      [7211, 'indented'],
      [23, 'telnet'],
      [65535, 'last'],
    ]);
  });

  test('the first name of a port counts', () => {
    expect(parseServices('one 99/tcp\ntwo 99/tcp\n').get(99)).toBe('one');
  });

  test('lines that are none are passed over', () => {
    const text =
      'no-port\nno-proto 80\nbig 65536/tcp\nbad x/tcp\nneg -1/tcp\nlong 123456/tcp\nsctp 5/sctp\ntcp6 6/tcp6\n\r\n';
    expect(parseServices(text).size).toBe(0);
    expect(parseServices('dos 81/tcp\r\n').get(81)).toBe('dos');
  });

  test('a name is safe to show', () => {
    const name = parseServices('e\u001b[31mvil 90/tcp').get(90);
    expect(name).toBeDefined();
    expect(name).not.toContain('\u001b');
    expect((parseServices(`${'x'.repeat(1000)} 91/tcp`).get(91) ?? '').length).toBeLessThanOrEqual(65);
  });

  test('a machine without the file has no names', () => {
    expect(readServices('/nowhere/services').size).toBe(0);
  });
});
