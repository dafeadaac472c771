/**
 * What following all of TCP costs: traffic of small packets played into a veth pair, at so many packets a second,
 * followed by `live --rewind 20 -w`, by `live` (resets only) and by a plain `tcpdump -s 128 -w`, in turn. Root,
 * tcpreplay and tcpdump are needed; nothing leaves the two namespaces that this makes and removes.
 *
 *   npm run bench:rewind [-- --pps N] [-- --seconds N] [-- --rounds N] [-- --live-args 'WORDS'] [-- --only NAME]
 *
 * It does not fall back to control segments, unless --most N says above how many packets a second.
 * CPU is that of all processes of a contestant, from the begin of the play until all was taken, in seconds for a million
 * packets. See README.md beside this file.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process, { execPath, stderr, stdout } from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const RSTSCOPE = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'rstscope.js');
const FROM = { device: 'vethA', mac: '020000000001' };
const TO = { device: 'vethB', mac: '020000000002' };
const space = { player: `rscr${process.pid}a`, target: `rscr${process.pid}b` };
const work = mkdtempSync(join(tmpdir(), 'rewind-'));
const BURST = 50;
const LISTEN_MS = 15_000;
const QUIET_MS = 2_000;
const LOOK_MS = 50;

/** Segments of a connection, and connections at once; every so many-th connection ends by a reset. */
const SEGMENTS = 200;
const AT_ONCE = 500;
const DIES = 50;

/** @param {string[]} command */
function must([program, ...args]) {
  const run = spawnSync(program, args, { encoding: 'utf8' });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`${[program, ...args].join(' ')}: ${run.stderr.trim()}`);
}

/** @param {string} ns @param {string[]} command */
const inside = (ns, command) => ['ip', 'netns', 'exec', ns, ...command];

function makeSpaces() {
  for (const ns of Object.values(space)) {
    must(['ip', 'netns', 'add', ns]);
    must(inside(ns, ['sysctl', '-e', '-q', '-w', 'net.ipv6.conf.default.disable_ipv6=1']));
  }
  const colons = (/** @type {string} */ mac) => mac.replace(/..(?!$)/g, '$&:');
  const peer = ['type', 'veth', 'peer', 'name', TO.device, 'address', colons(TO.mac), 'netns', space.target];
  must(['ip', '-n', space.player, 'link', 'add', FROM.device, 'address', colons(FROM.mac), ...peer]);
  must(['ip', '-n', space.player, 'link', 'set', FROM.device, 'up']);
  must(['ip', '-n', space.target, 'link', 'set', TO.device, 'up']);
}

function cleanUp() {
  for (const ns of Object.values(space)) removeSpace(ns);
  rmSync(work, { recursive: true, force: true });
}

/** @param {string} ns */
function removeSpace(ns) {
  if (!existsSync(`/run/netns/${ns}`)) return;
  for (const pid of spawnSync('ip', ['netns', 'pids', ns], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself just now.
    }
  }
  spawnSync('ip', ['netns', 'del', ns]);
}

/** What a killed run left behind. */
function sweep() {
  for (const ns of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
    const pid = /^rscr(\d+)[ab]$/.exec(ns)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeSpace(ns);
  }
}

/**
 * A capture of so many packets: connections of a handshake, requests and answers of 0 to 100 octets and an end.
 * @param {string} file
 * @param {number} packets
 * @returns resets in it
 */
function makeTraffic(file, packets) {
  const out = openSync(file, 'w');
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  writeSync(out, head);
  const ethernet = Buffer.from(`${TO.mac}${FROM.mac}0800`, 'hex');
  /** @type {{ id: number, step: number, seq: [number, number] }[]} */
  const open = Array.from({ length: AT_ONCE }, (_, id) => ({
    id,
    step: Math.floor((id * SEGMENTS) / AT_ONCE),
    seq: [1, 1],
  }));
  let next = AT_ONCE;
  let resets = 0;
  const chunk = Buffer.alloc(1 << 20);
  let filled = 0;
  for (let i = 0; i < packets; i++) {
    const one = open[i % AT_ONCE];
    const byServer = one.step % 2;
    const dies = one.id % DIES === 0 && one.step === SEGMENTS - 1;
    const isLast = one.step === SEGMENTS - 1;
    const flags = one.step === 0 ? 0x02 : one.step === 1 ? 0x12 : dies ? 0x14 : isLast ? 0x11 : 0x10;
    if (dies) resets += 1;
    const length = one.step > 2 && !isLast && one.step % 3 === 0 ? 100 : 0;
    const frame = 54 + length;
    if (filled + 16 + frame > chunk.length) {
      writeSync(out, chunk, 0, filled);
      filled = 0;
    }
    const b = chunk.subarray(filled, filled + 16 + frame);
    b.fill(0);
    b.writeUInt32LE(1_700_000_000, 0);
    b.writeUInt32LE(frame, 8);
    b.writeUInt32LE(frame, 12);
    ethernet.copy(b, 16);
    const ip = 30;
    b.writeUInt16BE(0x4500, ip);
    b.writeUInt16BE(40 + length, ip + 2);
    b.writeUInt16BE(i & 0xffff, ip + 4);
    b.writeUInt32BE(0x40004006, ip + 6);
    const ends = [0x0a010000 + (one.id & 0xff), 0x0a020001];
    b.writeUInt32BE(ends[byServer], ip + 12);
    b.writeUInt32BE(ends[1 - byServer], ip + 16);
    const ports = [1024 + (one.id % 60_000), 7211];
    b.writeUInt16BE(ports[byServer], ip + 20);
    b.writeUInt16BE(ports[1 - byServer], ip + 22);
    b.writeUInt32BE(one.seq[byServer], ip + 24);
    b.writeUInt32BE(one.step === 0 ? 0 : one.seq[1 - byServer], ip + 28);
    b.writeUInt16BE(0x5000 | flags, ip + 32);
    b.writeUInt16BE(65_535, ip + 34);
    one.seq[byServer] += length + (one.step < 2 ? 1 : 0);
    filled += 16 + frame;
    one.step += 1;
    if (one.step === SEGMENTS) open[i % AT_ONCE] = { id: next++, step: 0, seq: [1, 1] };
  }
  writeSync(out, chunk, 0, filled);
  closeSync(out);
  return resets;
}

/** @param {string[]} command */
function start(command) {
  const [program, ...args] = inside(space.target, command);
  const env = { ...process.env, RSTSCOPE_MOST_PACKETS: values.most };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let said = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (said += data));
  const closed = once(child, 'close');
  return { child, pid: child.pid ?? 0, out: () => out, said: () => said, closed };
}

/** @typedef {ReturnType<typeof start>} Started */

/** @param {Started} started */
async function listens(started) {
  const end = performance.now() + LISTEN_MS;
  while (!/listening on/.test(started.said())) {
    if (started.child.exitCode !== null || performance.now() > end)
      throw new Error(`it does not listen: ${started.said()}`);
    await sleep(50);
  }
  await sleep(1000);
}

/** CPU seconds of a process and all that it starts, by the last look at each. @param {number} pid */
function watch(pid) {
  /** @type {Map<number, number>} */
  const cpu = new Map();
  let peak = 0;
  const look = () => {
    const pids = [pid];
    for (let i = 0; i < pids.length; i++) {
      try {
        const fields = readFileSync(`/proc/${pids[i]}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        cpu.set(pids[i], (Number(fields[11]) + Number(fields[12])) / 100);
        if (i === 0)
          peak = Math.max(
            peak,
            Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
          );
        for (const task of readdirSync(`/proc/${pids[i]}/task`)) {
          const children = readFileSync(`/proc/${pids[i]}/task/${task}/children`, 'utf8');
          pids.push(...children.split(' ').filter(Boolean).map(Number));
        }
      } catch {
        // It has gone.
      }
    }
    return [...cpu.values()].reduce((sum, each) => sum + each, 0);
  };
  const timer = setInterval(look, LOOK_MS);
  return { look, peak: () => peak, stop: () => clearInterval(timer) };
}

/** @param {string} file @param {number} pps */
async function play(file, pps) {
  const speed = ['--pps', String(pps), '--pps-multi', String(BURST), '--timer', 'nano'];
  const [program, ...args] = inside(space.player, [
    // It stands for a network, which waits for nobody.
    'nice',
    '-n',
    '-15',
    'tcpreplay',
    '--preload-pcap',
    '--no-flow-stats',
    '-q',
    ...speed,
    '-i',
    FROM.device,
    file,
  ]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  child.stderr.on('data', (data) => (text += data));
  const [code] = await once(child, 'close');
  const actual = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(text);
  if (code !== 0 || actual === null) throw new Error(`tcpreplay ended with ${code}: ${text.trim()}`);
  return { played: Number(actual[1]), seconds: Number(actual[2]) };
}

/**
 * @param {string} name
 * @param {string[]} command
 * @param {string} saved
 * @param {{ file: string, pps: number, resets: number }} traffic
 */
async function once_(name, command, saved, { file, pps, resets }) {
  const started = start(command);
  const watching = watch(started.pid);
  try {
    await listens(started);
    const before = watching.look();
    const { played, seconds } = await play(file, pps);
    await sleep(QUIET_MS);
    const cpu = watching.look() - before;
    started.child.kill('SIGINT');
    await started.closed;
    const isOurs = command[0] === execPath;
    const packets = isOurs ? JSON.parse(started.out()).packets : null;
    const context = isOurs ? JSON.parse(started.out()).source.context : '';
    const dropped = isOurs
      ? packets.dropped
      : Number(/(\d+) packets? dropped by kernel/.exec(started.said())?.[1] ?? NaN);
    const row = {
      name,
      perMillion: (cpu / played) * 1e6,
      share: (100 * cpu) / (seconds + QUIET_MS / 1000),
      dropped,
      resets: isOurs ? packets.resets : null,
      expected: resets,
      bytes: existsSync(saved) ? statSync(saved).size : 0,
      peak: watching.peak(),
    };
    stdout.write(
      `${name.padEnd(22)} ${row.perMillion.toFixed(2)} s for a million packets, ${((100 * cpu) / seconds).toFixed(0)} % of a core ` +
        `(${Math.round(played / seconds)} a second), dropped ${dropped}, ` +
        `${isOurs ? `${packets.resets} of ${resets} resets, ${context}, ` : ''}saved ${(row.bytes / 1e6).toFixed(2)} MB, peak ${(row.peak / 1e6).toFixed(0)} MB\n`,
    );
    const notes = started
      .said()
      .split('\n')
      .filter((line) => /a second|dropped|held|error/.test(line) && isOurs);
    for (const line of notes) stdout.write(`    ${line}\n`);
    return row;
  } finally {
    watching.stop();
    if (started.child.exitCode === null) started.child.kill('SIGKILL');
    rmSync(saved, { force: true });
  }
}

const { values } = parseArgs({
  options: {
    pps: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    'live-args': { type: 'string', default: '' },
    only: { type: 'string', multiple: true },
    most: { type: 'string', default: '100000000' },
  },
});
const pps = Number(values.pps);
const file = join(work, 'traffic.pcap');
const saved = join(work, 'saved.pcapng');
const more = values['live-args'].split(' ').filter(Boolean);
/** @type {Record<string, string[]>} */
const contestants = {
  'live --rewind 20': [
    execPath,
    RSTSCOPE,
    'live',
    '-i',
    TO.device,
    '-d',
    '0',
    '--json',
    '--rewind',
    '20',
    '-w',
    saved,
    ...more,
  ],
  live: [execPath, RSTSCOPE, 'live', '-i', TO.device, '-d', '0', '--json', '-w', saved, ...more],
  'tcpdump -s 128 tcp': ['tcpdump', '-Z', 'root', '-i', TO.device, '-s', '128', '-w', saved, 'tcp'],
};
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    cleanUp();
    process.kill(process.pid, signal);
  });
}
try {
  sweep();
  makeSpaces();
  const resets = makeTraffic(file, pps * Number(values.seconds));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, command] of Object.entries(contestants)) {
      if (values.only !== undefined && !values.only.includes(name)) continue;
      await once_(name, command, saved, { file, pps, resets });
    }
  }
} catch (error) {
  stderr.write(`rewind: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
} finally {
  cleanUp();
}
