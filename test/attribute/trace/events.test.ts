/** Trace events as records: what was recorded against the kernel's own text of it, and the layouts of all kernels. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endsKey } from '../../../src/attribute/trace/ends.js';
import { Decoders, EVENTS, type EventName, type TraceEvent } from '../../../src/attribute/trace/events.js';
import { parseFormat, type EventFormat } from '../../../src/attribute/trace/format.js';
import { eventsOf, formatsOf, KERNELS, linesOf, RECORDED, sections, type Line } from './recordings.js';

const KINDS: Readonly<Record<string, TraceEvent['kind']>> = {
  tcp_send_reset: 'send-reset',
  tcp_receive_reset: 'receive-reset',
  tcp_destroy_sock: 'destroy',
  inet_sock_set_state: 'state',
  sock_recv_length: 'failed-call',
  sock_send_length: 'failed-call',
  kernel_stack: 'stack',
  task_newtask: 'birth',
  task_rename: 'rename',
  sched_process_exec: 'exec',
};
const STATES = [
  '',
  'TCP_ESTABLISHED',
  'TCP_SYN_SENT',
  'TCP_SYN_RECV',
  'TCP_FIN_WAIT1',
  'TCP_FIN_WAIT2',
  'TCP_TIME_WAIT',
].concat(['TCP_CLOSE', 'TCP_CLOSE_WAIT', 'TCP_LAST_ACK', 'TCP_LISTEN', 'TCP_CLOSING']);

function word(line: Line, key: string): string {
  return new RegExp(`(?:^| )${key}=(\\S*)`).exec(line.rest)?.[1] ?? '';
}

/** The tuple that the kernel printed, as `endsKey` writes it. */
function printedTuple(line: Line): string {
  const plain = (ip: string) => ip.replace(/^::ffff:(?=\d+\.)/, '');
  const source = /^\[?(.*?)\]?:(\d+)$/.exec(word(line, 'src'));
  const dest = /^\[?(.*?)\]?:(\d+)$/.exec(word(line, 'dest'));
  if (source !== null && dest !== null) return [source[1], source[2], dest[1], dest[2]].join(' ');
  return [plain(word(line, 'saddrv6')), word(line, 'sport'), plain(word(line, 'daddrv6')), word(line, 'dport')].join(
    ' ',
  );
}

describe.each(RECORDED)('the events of %s', (kernel) => {
  const events = eventsOf(kernel);
  const lines = linesOf(kernel);
  const pairs = lines.map((line, i): [Line, TraceEvent | undefined] => [line, events[i]]);
  test('are those of its text', () => {
    expect(events.map(({ kind }) => kind)).toEqual(lines.map(({ name }) => KINDS[name]));
    for (const [line, event] of pairs) {
      expect([line.rest, event?.task, event?.inTask]).toEqual([line.rest, line.task, !line.softirq]);
    }
  });

  test('have the addresses, states and reasons that the kernel printed', () => {
    let compared = 0;
    for (const [line, event] of pairs) {
      if (event === undefined || !('ends' in event)) continue;
      compared++;
      expect([line.rest, endsKey(event.ends)]).toEqual([line.rest, printedTuple(line)]);
      if (event.kind === 'state') {
        expect([STATES[event.from], STATES[event.to]]).toEqual([word(line, 'oldstate'), word(line, 'newstate')]);
      }
      if (event.kind !== 'send-reset') continue;
      // Before 6.10 the addresses are not printed.
      if (line.rest.includes('skbaddr=')) {
        expect([event.active, event.sk === 0]).toEqual(
          ['skbaddr', 'skaddr'].map((key) => /^0+$/.test(word(line, key))),
        );
      }
      expect(event.reason).toBe(word(line, 'reason') === '' ? null : word(line, 'reason'));
      expect(STATES[event.state]).toBe(word(line, 'state').replace('UNKNOWN', ''));
    }
    expect(compared).toBeGreaterThan(60);
  });

  test('stacks are as deep as the kernel printed them', () => {
    for (const [line, event] of pairs) {
      if (event?.kind === 'stack') expect(event.callers.length).toBe(line.functions.length);
    }
  });

  test('calls that failed are told apart', () => {
    const reading = pairs.flatMap(([, event]) => (event?.kind === 'failed-call' ? [event.reading] : []));
    expect(reading).toEqual(
      lines.filter(({ name }) => name.endsWith('_length')).map(({ name }) => name === 'sock_recv_length'),
    );
  });
});

describe('what a kernel has', () => {
  test.each(KERNELS)('%s has what there is a format of', (kernel) => {
    const decoders = new Decoders(formatsOf(kernel));
    expect(EVENTS.filter((name) => decoders.has(name))).toEqual(EVENTS.filter((name) => sections(kernel).has(name)));
  });

  test.each(['5.10', '6.1'])('%s does not tell of calls that failed', (kernel) => {
    const decoders = new Decoders(formatsOf(kernel));
    expect([decoders.has('sock/sock_recv_length'), decoders.has('tcp/tcp_send_reset')]).toEqual([false, true]);
  });

  test.each(KERNELS)('%s: an event without one of its fields is none', (kernel) => {
    for (const [name, format] of formatsOf(kernel)) {
      for (const field of ['skaddr', 'oldstate', 'sk', 'filename', 'size', 'skbaddr', 'dport']) {
        if (!format.fields.has(field)) continue;
        const fields = new Map([...format.fields].filter(([other]) => other !== field));
        if (name === 'tcp/tcp_send_reset' && field === 'dport' && !fields.has('sport')) continue;
        expect([name, field, new Decoders(new Map([[name, { ...format, fields }]])).has(name)]).toEqual([
          name,
          field,
          name.startsWith('ftrace') ? field !== 'size' : !NEEDED_BY[field]?.includes(name),
        ]);
      }
    }
  });

  test('a field of another size is none', () => {
    const format = formatsOf('6.18').get('tcp/tcp_send_reset');
    const fields = new Map([...(format?.fields ?? []), ['skaddr', { offset: 16, size: 4 }] as const]);
    const decoders = new Decoders(new Map([['tcp/tcp_send_reset', { id: 1, names: new Map(), fields }]]));
    expect(decoders.has('tcp/tcp_send_reset')).toBe(false);
  });
});

const NEEDED_BY: Readonly<Record<string, readonly EventName[]>> = {
  skaddr: ['tcp/tcp_send_reset', 'tcp/tcp_receive_reset', 'tcp/tcp_destroy_sock', 'sock/inet_sock_set_state'],
  oldstate: ['sock/inet_sock_set_state'],
  sk: ['sock/sock_recv_length', 'sock/sock_send_length'],
  filename: ['sched/sched_process_exec'],
  skbaddr: ['tcp/tcp_send_reset'],
  dport: ['tcp/tcp_send_reset', 'tcp/tcp_receive_reset', 'tcp/tcp_destroy_sock', 'sock/inet_sock_set_state'],
};

/** A record of 128 bytes of the event, with these bytes in it. */
function record(format: EventFormat, puts: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, format.id, true);
  view.setInt32(4, 4711, true);
  puts(view);
  return bytes;
}

function must(kernel: string, name: EventName): EventFormat {
  const format = formatsOf(kernel).get(name);
  if (format === undefined) throw new Error(`${kernel} has no ${name}`);
  return format;
}

function decoded(kernel: string, name: EventName, puts: (view: DataView) => void, length = 128): TraceEvent | null {
  const format = must(kernel, name);
  return new Decoders(new Map([[name, format]])).decode(record(format, puts), 0, length, 1);
}

const at = (kernel: string, name: EventName, field: string): number =>
  must(kernel, name).fields.get(field)?.offset ?? -1;

describe('layouts from source', () => {
  test('6.9: addresses and ports apart, no reason', () => {
    const name = 'tcp/tcp_send_reset';
    const event = decoded('6.9', name, (view) => {
      view.setBigUint64(at('6.9', name, 'skaddr'), 0xffff_8880_0123_4567n, true);
      view.setUint16(at('6.9', name, 'sport'), 8080, true);
      view.setUint16(at('6.9', name, 'dport'), 40000, true);
      view.setUint32(at('6.9', name, 'saddr_v6') + 8, 0xffff);
      view.setUint32(at('6.9', name, 'saddr_v6') + 12, 0x0a000001);
      view.setUint32(at('6.9', name, 'daddr_v6'), 0xfd000000);
      view.setUint32(at('6.9', name, 'daddr_v6') + 12, 2);
    });
    expect(event).toMatchObject({ kind: 'send-reset', active: true, sk: 0x8880_0123_4567, reason: null, task: 4711 });
    expect(event !== null && 'ends' in event && endsKey(event.ends)).toBe('10.0.0.1 8080 fd00::2 40000');
  });

  test('6.10: socket addresses and a reason', () => {
    const name = 'tcp/tcp_send_reset';
    const event = decoded('6.10', name, (view) => {
      view.setBigUint64(at('6.10', name, 'skbaddr'), 1n, true);
      view.setUint16(at('6.10', name, 'saddr'), 2, true);
      view.setUint16(at('6.10', name, 'saddr') + 2, 80);
      view.setUint32(at('6.10', name, 'saddr') + 4, 0x7f000001);
      view.setUint16(at('6.10', name, 'daddr'), 10, true);
      view.setUint16(at('6.10', name, 'daddr') + 2, 65535);
      view.setUint32(at('6.10', name, 'daddr') + 8 + 12, 1);
      view.setUint32(at('6.10', name, 'reason'), 1, true);
    });
    expect(event).toMatchObject({ active: false, sk: 0, reason: 'NO_SOCKET' });
    expect(event !== null && 'ends' in event && endsKey(event.ends)).toBe('127.0.0.1 80 ::1 65535');
  });

  test('an address of another family is none', () => {
    const name = 'tcp/tcp_send_reset';
    const event = decoded('6.10', name, (view) => view.setUint16(at('6.10', name, 'saddr'), 17, true));
    expect(event !== null && 'ends' in event && endsKey(event.ends)).toBe(':: 0 :: 0');
  });
});

describe('texts', () => {
  const exec = (location: number, length = 128, put = 'ABCDEFGH') =>
    decoded(
      '6.18',
      'sched/sched_process_exec',
      (view) => {
        view.setUint32(at('6.18', 'sched/sched_process_exec', 'filename'), location, true);
        for (let i = 0; i < put.length; i++) view.setUint8(60 + i, put.charCodeAt(i));
      },
      length,
    );
  const file = (event: TraceEvent | null) => (event?.kind === 'exec' ? event.file : undefined);

  test('lie where their word says, and end at a zero', () => {
    expect(file(exec((8 << 16) | 60))).toBe('ABCDEFGH');
    expect(file(exec((40 << 16) | 60))).toBe('ABCDEFGH');
    expect(file(exec((3 << 16) | 60))).toBe('ABC');
  });

  test('nothing outside the record is read', () => {
    expect(file(exec((0xffff << 16) | 60, 64))).toBe('ABCD');
    expect(file(exec((8 << 16) | 0xffff))).toBeNull();
    expect(file(exec((8 << 16) | 64, 64))).toBeNull();
    expect(file(exec(60))).toBeNull();
  });

  test('are at most 512 bytes long', () => {
    const format = must('6.18', 'sched/sched_process_exec');
    const bytes = new Uint8Array(4096).fill(0x41);
    const place = at('6.18', 'sched/sched_process_exec', 'filename');
    bytes.set(record(format, (view) => view.setUint32(place, (4000 << 16) | 60, true)));
    const event = new Decoders(new Map([['sched/sched_process_exec', format]])).decode(bytes, 0, 4096, 0);
    expect(file(event)?.length ?? 0).toBeLessThanOrEqual(512);
  });

  // Linux 6.18 include/trace/events/task.h; older kernels have the name in the record itself.
  const task = (name: string, comm: string) =>
    parseFormat(`name: x\nID: 77\nformat:\n\tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;\n${comm.replace('NAME', name)}\
\tfield:unsigned long clone_flags;\toffset:32;\tsize:8;\tsigned:0;\n`);

  test.each([
    ['in an array', '\tfield:char NAME[16];\toffset:12;\tsize:16;\tsigned:0;\n', 12],
    ['in a place of its own', '\tfield:__data_loc char[] NAME;\toffset:12;\tsize:4;\tsigned:0;\n', 60],
  ])('the name of a new task, and of one that takes another, %s', (_, comm, place) => {
    const put = (view: DataView) => {
      view.setInt32(8, 4712, true);
      if (place === 60) view.setUint32(12, (6 << 16) | 60, true);
      new TextEncoder().encode('curl\0x').forEach((letter, i) => {
        view.setUint8(place + i, letter);
      });
      view.setBigUint64(32, 0x10000n, true);
    };
    const [birth, rename] = [task('comm', comm), task('newcomm', comm)];
    if (birth === null || rename === null) throw new Error('these are formats');
    const born = new Decoders(new Map([['task/task_newtask', birth]])).decode(record(birth, put), 0, 128, 0);
    expect(born).toMatchObject({ kind: 'birth', child: 4712, name: 'curl', isThread: true, task: 4711 });
    const renamed = new Decoders(new Map([['task/task_rename', rename]])).decode(record(rename, put), 0, 128, 0);
    expect(renamed).toMatchObject({ kind: 'rename', pid: 4712, name: 'curl' });
  });
});

describe('records of something else', () => {
  test('another number, too short, a stack that claims more than there is', () => {
    const format = must('6.18', 'tcp/tcp_receive_reset');
    const decoders = new Decoders(new Map([['tcp/tcp_receive_reset', format]]));
    const bytes = record(format, () => undefined);
    expect(decoders.decode(bytes, 0, 128, 0)).not.toBeNull();
    expect(decoders.decode(bytes, 0, 61, 0)).toBeNull();
    expect(
      decoders.decode(
        record({ ...format, id: 1 }, () => undefined),
        0,
        128,
        0,
      ),
    ).toBeNull();
    const stack = decoded('6.18', 'ftrace/kernel_stack', (view) => view.setUint32(8, 0xffffffff, true), 64);
    expect(stack?.kind === 'stack' && stack.callers.length).toBe(6);
  });

  test('any bytes make no event that reads outside', () => {
    const formats = formatsOf('6.18');
    const ids = [...formats.values()].map(({ id }) => id);
    const decoders = new Decoders(formats);
    fc.assert(
      fc.property(
        fc.constantFrom(...ids),
        fc.uint8Array({ minLength: 2, maxLength: 200, size: 'max' }),
        (id, bytes) => {
          new DataView(bytes.buffer).setUint16(0, id, true);
          const event = decoders.decode(bytes, 0, bytes.length, 5);
          if (event === null) return;
          for (const value of Object.values(event)) expect(value).not.toBeNaN();
          if (event.kind === 'stack') expect(event.callers.length).toBeLessThanOrEqual(bytes.length / 8);
          if ('ends' in event) expect(endsKey(event.ends)).not.toContain('NaN');
        },
      ),
      { numRuns: 500 },
    );
  });
});
