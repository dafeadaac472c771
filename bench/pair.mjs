/**
 * A paired timer: two commands in turn, A B A B..., so that what else goes
 * on in the machine falls on both. Times are of the whole process, from its
 * start to its exit; standard output goes to /dev/null.
 *
 *   node bench/pair.mjs [-n PAIRS] 'COMMAND A' 'COMMAND B'
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { argv, hrtime, stderr, stdout } from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Command
 * @property {string[]} argv program and arguments
 * @property {number} [status] the exit status to expect, 0 if not given
 */

/**
 * @typedef {object} Spread
 * @property {number} min
 * @property {number} median
 * @property {number} max
 */

/**
 * @typedef {object} Pairing
 * @property {Spread} a seconds
 * @property {Spread} b seconds
 * @property {Spread} ratio of A to B, pair by pair
 * @property {number[]} ratios in the order they were run
 * @property {number} peakA bytes, of the warm-up run
 * @property {number} peakB bytes, of the warm-up run
 */

const TIME = '/usr/bin/time';

/**
 * @param {number[]} values
 * @returns {Spread}
 */
export function spread(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { min: sorted[0], median, max: sorted[sorted.length - 1] };
}

/**
 * @param {Command} command
 * @param {number | null} status
 * @param {string | null} signal
 * @param {string} said
 */
function check(command, status, signal, said) {
  if (status === (command.status ?? 0)) return;
  const how = signal ? `was ended by ${signal}` : `exited with ${status}`;
  throw new Error(`${command.argv.join(' ')}: ${how}\n${said.trim()}`);
}

/**
 * Seconds from the start of the process to its exit.
 * @param {Command} command
 * @returns {number}
 */
export function timeOnce(command) {
  const [program, ...args] = command.argv;
  const start = hrtime.bigint();
  const run = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1 << 26 });
  const end = hrtime.bigint();
  if (run.error) throw run.error;
  check(command, run.status, run.signal, String(run.stderr));
  return Number(end - start) / 1e9;
}

/**
 * The most memory the process had resident at a time, in bytes: as GNU time
 * reports it or, without that, as /proc shows it at short intervals.
 * @param {Command} command
 * @returns {Promise<number>} NaN where neither is to be had
 */
export async function peakMemory(command) {
  const [program, ...args] = command.argv;
  if (existsSync(TIME)) {
    const folder = mkdtempSync(join(tmpdir(), 'pair-'));
    try {
      const report = join(folder, 'time');
      const run = spawnSync(TIME, ['-v', '-o', report, program, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        maxBuffer: 1 << 26,
      });
      const peak =
        existsSync(report) && /Maximum resident set size \(kbytes\): (\d+)/.exec(readFileSync(report, 'utf8'));
      if (peak) {
        check(command, run.status, run.signal, String(run.stderr));
        return Number(peak[1]) * 1024;
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    let peak = NaN;
    child.stderr.on('data', (part) => (said += part));
    const look = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        const found = /VmHWM:\s*(\d+) kB/.exec(status);
        if (found) peak = Number(found[1]) * 1024; // a high-water mark: the last one counts
      } catch {
        // The process is gone, or there is no /proc.
      }
    }, 5);
    child.on('error', (error) => {
      clearInterval(look);
      reject(error);
    });
    child.on('close', (status, signal) => {
      clearInterval(look);
      try {
        check(command, status, signal, said);
        resolve(peak);
      } catch (error) {
        reject(error);
      }
    });
  });
}

/**
 * Runs both once to warm up (and to see their memory), then in turn.
 * @param {Command} a
 * @param {Command} b
 * @param {{ pairs?: number }} [options]
 * @returns {Promise<Pairing>}
 */
export async function pair(a, b, { pairs = 5 } = {}) {
  const peakA = await peakMemory(a);
  const peakB = await peakMemory(b);
  /** @type {number[]} */
  const timesA = [];
  /** @type {number[]} */
  const timesB = [];
  for (let i = 0; i < pairs; i++) {
    timesA.push(timeOnce(a));
    timesB.push(timeOnce(b));
  }
  const ratios = timesA.map((time, i) => time / timesB[i]);
  return { a: spread(timesA), b: spread(timesB), ratio: spread(ratios), ratios, peakA, peakB };
}

async function main() {
  const args = argv.slice(2);
  let pairs = 5;
  if (args[0] === '-n') {
    pairs = Number(args[1]);
    args.splice(0, 2);
  }
  if (args.length !== 2 || !Number.isInteger(pairs) || pairs < 1) {
    throw new Error("usage: node bench/pair.mjs [-n PAIRS] 'COMMAND A' 'COMMAND B'");
  }
  const [a, b] = args.map((line) => ({ argv: ['/bin/sh', '-c', `exec ${line}`] }));
  const result = await pair(a, b, { pairs });
  /** @param {Spread} s @param {number} digits */
  const show = (s, digits) => [s.min, s.median, s.max].map((value) => value.toFixed(digits).padStart(9)).join('');
  stdout.write(`${pairs} pairs        min   median      max\n`);
  stdout.write(`A seconds ${show(result.a, 3)}   peak ${(result.peakA / 1e6).toFixed(0)} MB\n`);
  stdout.write(`B seconds ${show(result.b, 3)}   peak ${(result.peakB / 1e6).toFixed(0)} MB\n`);
  stdout.write(`ratio A/B ${show(result.ratio, 3)}\n`);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    stderr.write(`pair: ${error.message}\n`);
    process.exitCode = 2;
  });
}
