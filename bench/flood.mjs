/**
 * The flood: a million distinct resets played into a veth pair, counted live by rstscope and beside it by tcpdump, the
 * judge. Or, with --delay, single resets: how long after its packet an event comes out. Root, tcpreplay and tcpdump are
 * needed; nothing leaves the two namespaces that this makes and removes.
 *
 *   npm run bench:flood [-- --packets N] [-- --pps N|top] [-- --backend cap|tcpdump] [-- --rounds N]
 *   npm run bench:flood -- --delay [--events N]
 *   … --judge-only         without rstscope: a second tcpdump in its place
 *   … --live-args 'WORDS'  more options for `rstscope live`
 *
 * See README.md beside this file.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { mkdtempSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process, { execPath, hrtime, stderr, stdout } from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const DATA = join(HERE, 'data');
const RSTSCOPE = join(HERE, '..', 'bin', 'rstscope.js');

const PLAYER = { device: 'vethA', mac: '020000000001', address: '198.51.100.1/24' };
const TARGET = { device: 'vethB', mac: '020000000002', address: '198.51.100.2/24' };
const FRAME = 54;
const RECORD = 16 + FRAME;
const SERVICES = [80, 443, 5432, 6379, 8080, 8443, 9092, 9200];
/** Coprime to 250 and to 65 536 sources; the sequence numbers differ in any case. */
const CLIENT_PORTS = 28_001;
/** 32 MiB of kernel buffer, and no more of a packet than is looked at. */
const JUDGE_OPTIONS = ['-Z', 'root', '-B', '32768', '-s', '128'];
/** Packet by packet the player spins on one of the cores; between bursts it sleeps, a third of a millisecond. */
const BURST = 100;
const LISTEN_MS = 10_000;
const QUIET_MS = 3_000;
const END_MS = 30_000;
const LOOK_MS = 100;

/**
 * @typedef {object} Use of a process
 * @property {string} name
 * @property {number} peak bytes
 * @property {number} cpu seconds
 */

/**
 * @typedef {object} Outcome
 * @property {string} what
 * @property {number} played
 * @property {number} seconds of the play
 * @property {number} judged packets in the judge's file
 * @property {number} judgeDropped
 * @property {number | null} resets
 * @property {number | null} unique
 * @property {number | null} dropped
 * @property {number} drain seconds from SIGINT to the end
 * @property {Use} parent
 * @property {Use[]} children
 * @property {string} said what was on standard error
 */

/** @param {string} line */
const log = (line) => void stderr.write(`${line}\n`);

const space = { player: `rscf${process.pid}a`, target: `rscf${process.pid}b` };
const work = mkdtempSync(join(tmpdir(), 'flood-'));

/** @param {string[]} command */
function must([program, ...args]) {
  const run = spawnSync(program, args, { encoding: 'utf8' });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`${[program, ...args].join(' ')}: ${run.stderr.trim()}`);
  return run.stdout;
}

/** @param {string} ns @param {string[]} command */
const inside = (ns, command) => ['ip', 'netns', 'exec', ns, ...command];

function makeSpaces() {
  for (const [ns, end] of /** @type {const} */ ([
    [space.player, PLAYER],
    [space.target, TARGET],
  ])) {
    must(['ip', 'netns', 'add', ns]);
    // Nothing but the flood is to be captured, so there are no router solicitations either.
    must(inside(ns, ['sysctl', '-e', '-q', '-w', 'net.ipv6.conf.default.disable_ipv6=1']));
    if (end === TARGET) {
      const pair = ['type', 'veth', 'peer', 'name', TARGET.device, 'address', colons(TARGET.mac), 'netns', ns];
      must(['ip', '-n', space.player, 'link', 'add', PLAYER.device, 'address', colons(PLAYER.mac), ...pair]);
    }
  }
  for (const [ns, end] of /** @type {const} */ ([
    [space.player, PLAYER],
    [space.target, TARGET],
  ])) {
    must(['ip', '-n', ns, 'addr', 'add', end.address, 'dev', end.device]);
    must(['ip', '-n', ns, 'link', 'set', end.device, 'up']);
  }
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
    const pid = /^rscf(\d+)[ab]$/.exec(ns)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeSpace(ns);
  }
}

/** @param {string} mac */
const colons = (mac) => mac.replace(/..(?!$)/g, '$&:');

/**
 * A classic pcap of so many resets from so many addresses, no two alike; kept when it is there already.
 * @param {number} packets
 * @param {number} sources
 */
function resetsFile(packets, sources) {
  const file = join(DATA, `resets-${packets}-${sources}.pcap`);
  const size = 24 + packets * RECORD;
  if (existsSync(file) && statSync(file).size === size) return file;
  log(`making ${file}: ${(size / 1e6).toFixed(0)} MB`);
  mkdirSync(DATA, { recursive: true });
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  const out = openSync(file, 'w');
  writeSync(out, head);
  const some = 10_000;
  const chunk = Buffer.alloc(some * RECORD);
  for (let from = 0; from < packets; from += some) {
    const count = Math.min(some, packets - from);
    for (let i = 0; i < count; i++) writeRecord(chunk, i * RECORD, from + i, sources);
    writeSync(out, chunk, 0, count * RECORD);
  }
  closeSync(out);
  return file;
}

const DESTINATION = Buffer.from(TARGET.address.split('/')[0].split('.').map(Number));
const ETHERNET = Buffer.from(`${TARGET.mac}${PLAYER.mac}0800`, 'hex');

/** @param {Buffer} b @param {number} at @param {number} i @param {number} sources */
function writeRecord(b, at, i, sources) {
  b.writeUInt32LE(1_700_000_000 + Math.floor(i / 300_000), at);
  b.writeUInt32LE(Math.floor(((i % 300_000) * 10) / 3), at + 4);
  b.writeUInt32LE(FRAME, at + 8);
  b.writeUInt32LE(FRAME, at + 12);
  ETHERNET.copy(b, at + 16);
  const ip = at + 16 + 14;
  b.writeUInt32BE(0x45000000 | 40, ip);
  b.writeUInt16BE(i & 0xffff, ip + 4);
  b.writeUInt16BE(0x4000, ip + 6);
  b.writeUInt16BE(0x4006, ip + 8);
  b.writeUInt16BE(0, ip + 10);
  b.writeUInt32BE(0x0a140000 + (i % sources), ip + 12);
  DESTINATION.copy(b, ip + 16);
  b.writeUInt16BE(sumOf(b, ip, 20), ip + 10);
  const tcp = ip + 20;
  b.writeUInt16BE(SERVICES[i % SERVICES.length], tcp);
  b.writeUInt16BE(32_768 + (i % CLIENT_PORTS), tcp + 2);
  b.writeUInt32BE(Math.imul(i, 2_654_435_761) >>> 0, tcp + 4);
  b.writeUInt32BE(0, tcp + 8);
  b.writeUInt16BE(0x5004, tcp + 12);
  b.writeUInt16BE(0, tcp + 14);
  // The sum over the addresses too: a receiver's kernel counts a wrong one as damage.
  b.writeUInt32BE(0, tcp + 16);
  b.writeUInt16BE(sumOf(b, ip + 12, 28, 6 + 20), tcp + 16);
}

/** @param {Buffer} b @param {number} from @param {number} length @param {number} [start] */
function sumOf(b, from, length, start = 0) {
  let sum = start;
  for (let at = from; at < from + length; at += 2) sum += b.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/**
 * The whole records of a classic pcap in this machine's byte order.
 * @param {string} file
 */
function countRecords(file) {
  const fd = openSync(file, 'r');
  const buffer = Buffer.alloc(1 << 20);
  let [count, have, skip] = [0, 0, 24];
  for (;;) {
    const got = readSync(fd, buffer, have, buffer.length - have, null);
    if (got === 0) break;
    have += got;
    let at = Math.min(skip, have);
    skip -= at;
    while (skip === 0 && at + 16 <= have) {
      const length = 16 + buffer.readUInt32LE(at + 8);
      if (at + length > have) {
        if (length <= buffer.length) break;
        skip = at + length - have;
        at = have;
      } else {
        at += length;
      }
      count += 1;
    }
    buffer.copy(buffer, 0, at, have);
    have -= at;
  }
  closeSync(fd);
  return count;
}

/**
 * Starts a program in the target's namespace and gathers what it says.
 * @param {string[]} command
 */
function start(command) {
  const [program, ...args] = inside(space.target, command);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {Buffer[]} */
  const out = [];
  let said = '';
  child.stdout.on('data', (chunk) => out.push(chunk));
  child.stderr.on('data', (chunk) => (said += chunk));
  const closed = once(child, 'close');
  closed.catch(() => undefined);
  /** Ends it by SIGINT; by force when that does not help. */
  const end = async () => {
    const begun = hrtime.bigint();
    child.kill('SIGINT');
    const force = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await closed;
    clearTimeout(force);
    return Number(hrtime.bigint() - begun) / 1e9;
  };
  return { child, pid: child.pid ?? 0, said: () => said, text: () => Buffer.concat(out).toString(), end };
}

/** @typedef {ReturnType<typeof start>} Started */

/** @param {string} ns */
function packetSockets(ns) {
  return (
    must(['nsenter', `--net=/run/netns/${ns}`, 'cat', '/proc/self/net/packet'])
      .trim()
      .split('\n').length - 1
  );
}

/**
 * Waits until so many programs listen.
 * @param {number} count
 * @param {Started} started
 */
async function listening(count, started) {
  const end = performance.now() + LISTEN_MS;
  while (packetSockets(space.target) < count) {
    if (started.child.exitCode !== null) {
      throw new Error(`ended with ${started.child.exitCode} before it captured: ${started.said().trim()}`);
    }
    if (performance.now() > end) throw new Error(`no packet socket after ${LISTEN_MS} ms: ${started.said().trim()}`);
    await sleep(50);
  }
  // The socket is there before its filter and its ring are.
  await sleep(1_000);
}

/** @param {string} file */
async function judge(file) {
  const started = start(['tcpdump', ...JUDGE_OPTIONS, '-i', TARGET.device, '-w', file, 'tcp']);
  await listening(1, started);
  return started;
}

/** @param {string} said */
function droppedOf(said) {
  return Number(/(\d+) packets? dropped by kernel/.exec(said)?.[1] ?? NaN);
}

/**
 * Plays a file; seconds it took and packets sent, by the player's own account.
 * @param {string} file
 * @param {string[]} speed
 */
async function play(file, speed) {
  const command = inside(space.player, [
    'tcpreplay',
    '--preload-pcap',
    '--no-flow-stats',
    '-q',
    ...speed,
    '-i',
    PLAYER.device,
    file,
  ]);
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  child.stderr.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  const actual = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(text);
  if (code !== 0 || actual === null) throw new Error(`tcpreplay ended with ${code}: ${text.trim()}`);
  return { played: Number(/Successful packets:\s+(\d+)/.exec(text)?.[1] ?? actual[1]), seconds: Number(actual[2]) };
}

/**
 * Looks at a process and all that it starts, until stopped: peaks and times, by the last look at each.
 * @param {number} pid
 */
function watch(pid) {
  /** @type {Map<number, Use>} */
  const uses = new Map();
  const look = () => {
    const pids = [pid];
    for (let i = 0; i < pids.length; i++) {
      const one = pids[i];
      try {
        const status = readFileSync(`/proc/${one}/status`, 'utf8');
        const fields = readFileSync(`/proc/${one}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        const peak = /VmHWM:\s*(\d+) kB/.exec(status);
        // One that has ended has no memory any more.
        if (peak === null) continue;
        const cpu = (Number(fields[11]) + Number(fields[12])) / 100;
        uses.set(one, { name: nameOf(one), peak: Number(peak[1]) * 1024, cpu });
        for (const task of readdirSync(`/proc/${one}/task`)) {
          const children = readFileSync(`/proc/${one}/task/${task}/children`, 'utf8');
          pids.push(...children.split(' ').filter(Boolean).map(Number));
        }
      } catch {
        // It has gone.
      }
    }
  };
  const timer = setInterval(look, LOOK_MS);
  const stop = () => {
    clearInterval(timer);
    const parent = uses.get(pid) ?? { name: '?', peak: NaN, cpu: NaN };
    uses.delete(pid);
    return { parent, children: [...uses.values()] };
  };
  return { look, stop };
}

/** @param {number} pid */
function nameOf(pid) {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  const last = (word = '') => word.slice(word.lastIndexOf('/') + 1);
  return last(words[0]) === 'node' ? last(words.slice(1).find((word) => !word.startsWith('-'))) : last(words[0]);
}

/** @param {string} backend @param {string[]} more */
function liveCommand(backend, more) {
  return [execPath, RSTSCOPE, 'live', '-i', TARGET.device, '--backend', backend, ...more];
}

/**
 * One play, counted by the judge and by the other.
 * @param {string} what
 * @param {{ file: string, speed: string[] }} flood
 * @param {string | null} backend null: a second tcpdump
 * @param {string[]} more
 * @returns {Promise<Outcome>}
 */
async function floodOnce(what, { file, speed }, backend, more) {
  const judged = join(work, 'judge.pcap');
  const other = join(work, 'other.pcap');
  const judging = await judge(judged);
  const counting = start(
    backend === null
      ? ['tcpdump', ...JUDGE_OPTIONS, '-i', TARGET.device, '-w', other, 'tcp']
      : liveCommand(backend, ['-d', '0', '--json', ...more]),
  );
  const watching = watch(counting.pid);
  try {
    await listening(2, counting);
    const { played, seconds } = await play(file, speed);
    await sleep(QUIET_MS);
    watching.look();
    const drain = await counting.end();
    await judging.end();
    const { parent, children } = watching.stop();
    const counts = backend === null ? countsOfTcpdump(other, counting.said()) : countsOfReport(counting);
    const said = backend === null ? '' : counting.said().trim();
    const judge = { judged: countRecords(judged), judgeDropped: droppedOf(judging.said()) };
    return { what, played, seconds, ...judge, ...counts, drain, parent, children, said };
  } finally {
    watching.stop();
    await counting.end();
    await judging.end();
    for (const path of [judged, other]) rmSync(path, { force: true });
  }
}

/** @param {string} file @param {string} said */
function countsOfTcpdump(file, said) {
  const resets = countRecords(file);
  return { resets, unique: null, dropped: droppedOf(said) };
}

/** @param {Started} counting */
function countsOfReport(counting) {
  try {
    const { packets } = JSON.parse(counting.text());
    return { resets: packets.resets, unique: packets.unique, dropped: packets.dropped };
  } catch {
    const code = counting.child.exitCode ?? counting.child.signalCode;
    log(`rstscope printed no report (it ended with ${code}): ${counting.said().trim()}`);
    return { resets: null, unique: null, dropped: null };
  }
}

/** @param {number | null} count */
const grouped = (count) => (count === null ? 'none' : String(count).replace(/\B(?=(\d{3})+$)/g, ' '));

/** @param {Use} use */
const used = ({ name, peak, cpu }) => `${name} ${(peak / 1e6).toFixed(0)} MB, ${cpu.toFixed(1)} s`;

/** @param {Outcome} o */
function print(o) {
  const share = o.resets === null ? 'none' : `${((100 * o.resets) / o.played).toFixed(2)} %`;
  stdout.write(`${o.what}
  played    ${grouped(o.played)} in ${o.seconds.toFixed(2)} s: ${grouped(Math.round(o.played / o.seconds))} a second
  judge     ${grouped(o.judged)}, dropped ${grouped(o.judgeDropped)}
  resets    ${grouped(o.resets)} (${share}), unique ${grouped(o.unique)}, dropped ${grouped(o.dropped)}
  untold    ${grouped(untold(o))}
  ended     ${o.drain.toFixed(2)} s after SIGINT
  peak, CPU ${[o.parent, ...o.children].map(used).join('; ')}
`);
  if (o.said !== '') stdout.write(`  it said   ${o.said.slice(-400).replaceAll('\n', '\n            ')}\n`);
}

/** Packets that are neither counted nor said to be dropped. @param {Outcome} o */
function untold({ played, resets, dropped }) {
  return resets === null ? played : Math.max(0, played - resets - (dropped || 0));
}

/** Nanoseconds to add to hrtime for the wall clock, which shows whole milliseconds: found where it changes. */
function wallOffset() {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return BigInt(now) * 1_000_000n - hrtime.bigint();
}

/**
 * Single resets, and when the line of each comes out.
 * @param {string} what
 * @param {number} events
 * @param {string | null} backend
 * @param {string[]} more
 */
async function delays(what, events, backend, more) {
  const counting = start(
    backend === null
      ? ['tcpdump', '-Z', 'root', '-l', '--immediate-mode', '-nn', '-tt', '-i', TARGET.device, 'tcp']
      : liveCommand(backend, ['-d', '0', '--ndjson', ...more]),
  );
  const offset = wallOffset();
  /** @type {number[]} */
  const found = [];
  let late = 0;
  let interrupted = false;
  let rest = '';
  counting.child.stdout.on('data', (chunk) => {
    const now = Number((hrtime.bigint() + offset) / 1_000n) / 1e6;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const epoch = backend === null ? Number(line.split(' ')[0] || NaN) : epochOf(line);
      if (Number.isNaN(epoch)) continue;
      if (interrupted) late += 1;
      else found.push((now - epoch) * 1e3);
    }
  });
  try {
    await listening(1, counting);
    await play(resetsFile(events, events), ['--pps', '10']);
    await sleep(QUIET_MS);
    interrupted = true;
  } finally {
    await counting.end();
  }
  found.sort((a, b) => a - b);
  /** @param {number} share */
  const at = (share) => (found[Math.ceil(share * found.length) - 1] ?? NaN).toFixed(1);
  stdout.write(
    `${what}: ${found.length} of ${events} lines (${late} more after SIGINT), delay median ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms\n`,
  );
  return {
    what,
    events,
    lines: found.length,
    late,
    median: Number(at(0.5)),
    p99: Number(at(0.99)),
    worst: Number(at(1)),
  };
}

/** @param {string} line */
function epochOf(line) {
  try {
    const { type, epoch } = JSON.parse(line);
    return type === 'reset' ? epoch : NaN;
  } catch {
    log(`no JSON: ${line.slice(0, 200)}`);
    return NaN;
  }
}

/** @param {string} text @param {string} name */
function whole(text, name) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1e8)
    throw new Error(`${name} takes a whole number, not ${text}`);
  return value;
}

async function main() {
  const { values } = parseArgs({
    options: {
      packets: { type: 'string', default: '1000000' },
      pps: { type: 'string', default: '300000' },
      sources: { type: 'string', default: '250' },
      rounds: { type: 'string', default: '1' },
      events: { type: 'string', default: '100' },
      backend: { type: 'string', multiple: true, default: ['cap', 'tcpdump'] },
      'live-args': { type: 'string', default: '' },
      'judge-only': { type: 'boolean', default: false },
      delay: { type: 'boolean', default: false },
    },
  });
  const packets = whole(values.packets, '--packets');
  const events = whole(values.events, '--events');
  const rounds = whole(values.rounds, '--rounds');
  const sources = whole(values.sources, '--sources');
  const burst = ['--pps-multi', String(BURST), '--timer', 'nano'];
  const speed = values.pps === 'top' ? ['--topspeed'] : ['--pps', String(whole(values.pps, '--pps')), ...burst];
  const more = values['live-args'].split(' ').filter(Boolean);
  const backends = values['judge-only'] ? [null] : values.backend;

  sweep();
  makeSpaces();
  const results = [];
  let wrong = 0;
  for (let round = 1; round <= rounds; round++) {
    for (const backend of backends) {
      const who = backend === null ? 'tcpdump in the place of rstscope' : `rstscope live --backend ${backend}`;
      const what = rounds > 1 ? `${who}, round ${round}` : who;
      try {
        if (values.delay) {
          const result = await delays(what, events, backend, more);
          if (result.lines + result.late !== events) wrong += 1;
          results.push(result);
        } else {
          const outcome = await floodOnce(what, { file: resetsFile(packets, sources), speed }, backend, more);
          print(outcome);
          if (untold(outcome) > 0) wrong += 1;
          results.push(outcome);
        }
      } catch (error) {
        wrong += 1;
        log(`${what}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  const file = join(DATA, values.delay ? 'delay-results.json' : 'flood-results.json');
  mkdirSync(DATA, { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ date: new Date().toISOString(), packets, speed, more, results }, null, 2)}\n`,
  );
  return wrong > 0 ? 1 : 0;
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    cleanUp();
    process.kill(process.pid, signal);
  });
}
main()
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      stderr.write(`flood: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 2;
    },
  )
  .finally(cleanUp);
