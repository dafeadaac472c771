/**
 * The benchmark: rstscope against other readers, in paired runs.
 *
 *   npm run bench [-- --quick] [-- --pairs N]
 *
 * See README.md beside this file for what the rows mean.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem, type } from 'node:os';
import { dirname, join, relative } from 'node:path';
import process, { arch, argv, cwd, execPath, stderr, stdout, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureCapture } from './make-captures.mjs';
import { pair, peakMemory } from './pair.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const RSTSCOPE = join(HERE, '..', 'bin', 'rstscope.js');
const COUNTER = join(HERE, 'pcap-parser-count.mjs');
const RESULTS = join(HERE, 'results.json');
const FILTER = 'tcp[tcpflags] & (tcp-rst) == (tcp-rst)';
const PEAK_TARGET = 150e6;
/** Of a capture with more connections than are followed at once. */
const MANY_PEAK_TARGET = 250e6;
/** Growth of the peak from a capture to one of twice the length that still counts as none. */
const GROWTH_TARGET = 1.1;

/**
 * @typedef {import('./pair.mjs').Command} Command
 * @typedef {import('./pair.mjs').Spread} Spread
 * @typedef {import('./make-captures.mjs').Capture & { path: string }} Capture
 */

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {Spread} [ratio]
 * @property {number[]} [ratios]
 * @property {Spread} [seconds] of rstscope
 * @property {Spread} [peerSeconds]
 * @property {number} [peak] bytes, of rstscope
 * @property {number} [target]
 * @property {string} verdict
 */

/**
 * @typedef {object} Count
 * @property {string} reader
 * @property {string} capture
 * @property {number} expected
 * @property {number | null} found
 */

/** @type {Row[]} */
const rows = [];
/** @type {Count[]} */
const counts = [];
/** @type {string[]} */
const leftOut = [];

/** @param {string} line */
const log = (line) => void stderr.write(`${line}\n`);

/**
 * Runs a command for what it writes; the status is null if it cannot be run.
 * @param {string[]} command
 */
function output([program, ...args]) {
  const run = spawnSync(program, args, { maxBuffer: 1 << 30 });
  if (run.error) return { status: null, text: '', said: run.error.message };
  return { status: run.status, text: run.stdout.toString('latin1'), said: run.stderr.toString('utf8') };
}

/** @param {string} text */
function lines(text) {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/**
 * Notes a reader's count, to be right or wrong.
 * @param {string} reader
 * @param {Capture} capture
 * @param {number} expected
 * @param {number | null} found
 */
function note(reader, capture, expected, found) {
  counts.push({ reader, capture: capture.name, expected, found });
  if (found !== expected) log(`WRONG: ${reader} finds ${found} resets in ${capture.name}, not ${expected}`);
}

/**
 * @param {Spread} s
 * @param {number | undefined} target
 */
function judge(s, target) {
  if (target === undefined) return 'no target';
  if (s.max <= target) return 'met';
  if (s.min > target) return 'missed';
  return s.median <= target ? 'met at the median' : 'missed at the median';
}

/** @type {Map<string, number>} the exit status of `read`, seen when its count was checked */
const statuses = new Map();

/**
 * @param {Capture} capture
 * @returns {Command}
 */
function readCommand(capture) {
  return { argv: [execPath, RSTSCOPE, 'read', capture.path, '--json'], status: statuses.get(capture.name) ?? 0 };
}

/**
 * Whether rstscope counts what it should; a wrong count is noted.
 * @param {Capture} capture
 */
function checkRstscope(capture) {
  if (statuses.has(capture.name)) return;
  const run = output(readCommand(capture).argv);
  let found = null;
  try {
    found = JSON.parse(run.text).packets?.resets ?? null;
  } catch {
    log(`rstscope read ${capture.name}: no JSON (status ${run.status}) ${run.said.trim().split('\n').pop()}`);
  }
  note('rstscope', capture, capture.resets.total, found);
  statuses.set(capture.name, run.status ?? 0);
}

/**
 * @param {string} what
 * @param {Command} a rstscope
 * @param {Command} b
 * @param {number} pairs
 * @param {number} [target]
 */
async function compare(what, a, b, pairs, target) {
  log(`timing: ${what}`);
  try {
    const { a: seconds, b: peerSeconds, ratio, ratios, peakA } = await pair(a, b, { pairs });
    rows.push({ what, ratio, ratios, seconds, peerSeconds, peak: peakA, target, verdict: judge(ratio, target) });
  } catch (error) {
    rows.push({ what, target, verdict: 'failed' });
    log(`failed: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * @param {Capture} capture
 * @param {number} runs
 * @param {number} target
 * @returns {Promise<number>} the median; NaN where it can't be had
 */
async function peakOf(capture, runs, target) {
  const what = `peak memory, ${capture.name}`;
  log(`memory: ${capture.name}`);
  const peaks = [];
  try {
    for (let i = 0; i < runs; i++) peaks.push(await peakMemory(readCommand(capture)));
  } catch (error) {
    rows.push({ what, verdict: 'failed' });
    log(`failed: ${error instanceof Error ? error.message : error}`);
    return NaN;
  }
  peaks.sort((x, y) => x - y);
  const peak = peaks[peaks.length - 1];
  rows.push({ what, peak, target, verdict: Number.isNaN(peak) ? 'not measured' : peak < target ? 'met' : 'missed' });
  return peaks[runs >> 1];
}

/**
 * @param {Capture} once
 * @param {Capture} twice
 * @param {number} runs
 */
async function memory(once, twice, runs) {
  const first = await peakOf(once, runs, PEAK_TARGET);
  const growth = (await peakOf(twice, runs, PEAK_TARGET)) / first;
  if (Number.isNaN(growth)) return;
  rows.push({
    what: `peak memory, ${twice.name} to ${once.name}`,
    ratio: { min: growth, median: growth, max: growth },
    target: GROWTH_TARGET,
    verdict: growth <= GROWTH_TARGET ? 'met' : 'missed',
  });
}

/**
 * The first line a program says of its version, or null if it is not there.
 * @param {string} program
 */
function installed(program) {
  const run = output([program, '--version']);
  if (run.status !== 0) return null;
  return (run.text || run.said).split('\n')[0].trim();
}

function pcapParser() {
  try {
    return `pcap-parser ${createRequire(import.meta.url)('pcap-parser/package.json').version}`;
  } catch {
    return null;
  }
}

/** @param {number} ratio */
const show = (ratio) => ratio.toFixed(ratio < 0.1 ? 3 : 2);

function printTable() {
  const heads = ['row', 'ratio', 'spread', 'rstscope', 'peer', 'peak', 'target', 'verdict'];
  const cells = rows.map((row) => {
    const bytes = !row.ratio && row.target !== undefined && row.target > 1e6;
    return [
      row.what,
      row.ratio ? show(row.ratio.median) : '',
      row.ratio && row.ratio.min !== row.ratio.max ? `${show(row.ratio.min)} to ${show(row.ratio.max)}` : '',
      row.seconds ? `${row.seconds.median.toFixed(3)} s` : '',
      row.peerSeconds ? `${row.peerSeconds.median.toFixed(3)} s` : '',
      row.peak ? `${(row.peak / 1e6).toFixed(0)} MB` : '',
      row.target === undefined ? '' : bytes ? `${row.target / 1e6} MB` : row.target.toFixed(2),
      row.verdict,
    ];
  });
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i].length)));
  for (const row of [heads, widths.map((width) => '-'.repeat(width)), ...cells]) {
    stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

async function main() {
  const args = argv.slice(2);
  let quick = false;
  let pairs = 0;
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--quick') quick = true;
    else if (args[i] === '--pairs') pairs = Number(args[++i]);
    else throw new Error('usage: run.mjs [--quick] [--pairs N]');
  }
  if (!Number.isInteger(pairs) || pairs < 0) throw new Error('--pairs takes a whole number');
  pairs ||= quick ? 3 : 7;
  const few = Math.min(pairs, 3);

  const names = quick
    ? { full: 'full-tenth', small: 'small-tenth', many: 'many-tenth', full2: 'full-fifth', small2: 'small-fifth' }
    : { full: 'full', small: 'small', many: 'many', full2: 'full-x2', small2: 'small-x2' };
  /** @param {string} name */
  const make = (name) => ensureCapture(name, { log });
  const full = make(names.full);
  const small = make(names.small);
  const many = make(names.many);
  const full2 = make(names.full2);
  const small2 = make(names.small2);
  const slow = make('small-tenth'); // for the readers that take long
  const ten = make('ten');

  const peers = { tcpdump: installed('tcpdump'), tshark: installed('tshark'), pcapParser: pcapParser() };
  const cpu = cpus();
  const machine = {
    cpu: cpu[0]?.model.trim() ?? 'unknown',
    cores: cpu.length,
    memoryBytes: totalmem(),
    system: `${type()} ${arch}`,
    node: version,
    loadAtStart: Math.round(loadavg()[0] * 100) / 100,
  };
  stdout.write(
    `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 1e9).toFixed(0)} GB, ${machine.system}, Node ${machine.node}, load ${machine.loadAtStart}\n`,
  );
  for (const name of [peers.tcpdump, peers.tshark, peers.pcapParser]) if (name) stdout.write(`against ${name}\n`);
  if (machine.loadAtStart > 0.5) log('note: other work is going on in this machine; the spread will be wide');

  const probe = existsSync(RSTSCOPE)
    ? output([execPath, RSTSCOPE, '--version'])
    : { status: null, said: 'bin/rstscope.js is missing', text: '' };
  const there = probe.status === 0;
  if (!there) {
    const why =
      probe.said
        .trim()
        .split('\n')[0]
        .replace(/^rstscope: /, '') || `--version exits with ${probe.status}`;
    leftOut.push(`rstscope (${why}), so nothing is timed`);
  }
  const empty = { argv: [execPath, '-e', '0'] };

  if (there) for (const capture of [ten, slow, full, small, many, full2, small2]) checkRstscope(capture);

  if (!peers.tcpdump) leftOut.push('tcpdump (not installed)');
  for (const [capture, target] of /** @type {const} */ ([
    [full, 1],
    [small, 0.7],
    [many, undefined],
  ])) {
    if (!peers.tcpdump) break;
    const run = output(['tcpdump', '-nn', '-t', '-q', '-r', capture.path, FILTER]);
    note('tcpdump', capture, capture.resets.v4, run.status === 0 ? lines(run.text) : null);
    const command = { argv: ['tcpdump', '-r', capture.path, '-w', '/dev/null', FILTER] };
    if (there)
      await compare(
        `${capture.name} against tcpdump`,
        readCommand(capture),
        command,
        pairs,
        quick ? undefined : target,
      );
  }

  if (peers.tshark) {
    const command = ['tshark', '-n', '-r', slow.path, '-Y', 'tcp.flags.reset==1'];
    const run = output(command);
    note('tshark', slow, slow.resets.total, run.status === 0 ? lines(run.text) : null);
    if (there) await compare(`${slow.name} against tshark`, readCommand(slow), { argv: command }, few);
  } else {
    leftOut.push('tshark (not installed)');
  }

  if (peers.pcapParser) {
    for (const capture of [full, small]) {
      const command = [execPath, '--no-deprecation', COUNTER, capture.path];
      const run = output(command);
      note('pcap-parser', capture, capture.resets.total, run.status === 0 ? Number(run.text) : null);
      if (there) await compare(`${capture.name} against pcap-parser`, readCommand(capture), { argv: command }, few);
    }
  } else {
    leftOut.push('pcap-parser (not installed)');
  }

  if (there) {
    const often = quick ? 7 : 15;
    await compare('--version against node -e 0', { argv: [execPath, RSTSCOPE, '--version'] }, empty, often, 2);
    await compare('ten packets against node -e 0', readCommand(ten), empty, often);
    await memory(full, full2, few);
    await memory(small, small2, few);
    await peakOf(many, few, MANY_PEAK_TARGET);
  }

  if (rows.length > 0) {
    stdout.write('\n');
    printTable();
  }
  const wrong = counts.filter(({ expected, found }) => expected !== found);
  stdout.write('\n');
  for (const { reader, capture, expected, found } of wrong) {
    stdout.write(`wrong count: ${reader}, ${capture}: ${found ?? 'none'} for ${expected}\n`);
  }
  stdout.write(`${counts.length - wrong.length} of ${counts.length} reset counts right\n`);
  for (const name of leftOut) stdout.write(`left out: ${name}\n`);

  const captures = [full, small, many, full2, small2, slow, ten].map(({ path, ...capture }) => ({
    ...capture,
    file: relative(HERE, path),
  }));
  const unique = [...new Map(captures.map((capture) => [capture.name, capture])).values()];
  const results = {
    date: new Date().toISOString(),
    quick,
    pairs,
    machine,
    peers,
    rows,
    counts,
    leftOut,
    captures: unique,
  };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  stdout.write(`results in ${relative(cwd(), RESULTS)}\n`);
  return wrong.length > 0 ? 1 : 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  },
);
