/**
 * Who was on each end of each reset: named rightly, wrongly, not at all, by `rstscope live` and, beside it, by `lsof`
 * and `ss` asked as soon as tcpdump shows the reset, as the guides advise. The traffic knows its own PIDs.
 *
 *   npm run bench:names                               100 refused clients and 100 aborts, IPv4 and IPv6, by each tool
 *   npm run bench:names -- --delay                    from a reset to its names
 *   npm run bench:names -- --load [--rate 5000] [--seconds 5]     refused connects: CPU, lost events, names
 *   npm run bench:names -- --quiet-host 60 [--sockets 1000,20000] CPU with open connections and no resets
 *   … --times N              resets of each kind, 100 if not given
 *   … --live-args 'WORDS'                             more options for `rstscope live`
 *
 * Root, python3, tcpdump, lsof and ss are needed, gcc for --load and --quiet-host. Nothing leaves the namespace that
 * this makes and removes. A measurement, no test: it exits with 1 only when rstscope named a process wrongly.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process, { execPath, stderr, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const RSTSCOPE = join(HERE, '..', 'bin', 'rstscope.js');
const TRAFFIC = join(HERE, '..', 'test', 'support', 'truth-traffic.py');
const CLOCK_TICKS = 100;
const AT_ONCE = 4;
const SETTLE_MS = 1_500;
const LISTEN_MS = 15_000;
const PROCESSES = 4;

const space = `rscn${process.pid}`;
const work = mkdtempSync(join(tmpdir(), 'names-'));
const running = new Set();

/** Refuses to end before its time: `knock RATE SECONDS` from some processes, `hold SOCKETS`. */
const LOAD_C = `
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static struct sockaddr_in at(int k, int port) {
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
  a.sin_addr.s_addr = htonl(0x7f140000u + k);
  return a;
}
static int knock(double rate, double seconds) {
  for (int k = 1; k <= ${PROCESSES}; k++) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct sockaddr_in a = at(k, 7211);
    long made = 0, refused = 0;
    double start = now(), each = rate / ${PROCESSES};
    while (now() - start < seconds) {
      for (; made < (now() - start) * each; made++) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(s, (struct sockaddr *)&a, sizeof a) != 0 && errno == ECONNREFUSED) refused++;
        close(s);
      }
      usleep(500);
    }
    printf("{\\"address\\":\\"127.20.0.%d\\",\\"pid\\":%d,\\"refused\\":%ld}\\n", k, getpid(), refused);
    fflush(stdout);
    _exit(0);
  }
  while (wait(NULL) > 0) {}
  return 0;
}
/* Not more than a process may have open where nobody has raised the limit far. */
static int hold_some(int k, int sockets) {
  int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = at(1 + k, 7222);
  if (bind(l, (struct sockaddr *)&a, sizeof a) != 0 || listen(l, 1024) != 0) return perror("listen"), 1;
  for (int i = 0; i < sockets / 2; i++) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s, (struct sockaddr *)&a, sizeof a) != 0 || accept(l, NULL, NULL) < 0) return perror("connect"), 1;
  }
  return 0;
}
static int hold(int sockets) {
  struct rlimit all = { 20000, 20000 };
  setrlimit(RLIMIT_NOFILE, &all);
  int told[2], gone[2], failed = 0;
  if (pipe(told) != 0 || pipe(gone) != 0) return perror("pipe"), 1;
  int parts = (sockets + 7999) / 8000;
  for (int k = 0; k < parts; k++) {
    if (fork() != 0) continue;
    close(gone[1]);
    char c = hold_some(k, sockets / parts) == 0 ? 'y' : 'n';
    if (write(told[1], &c, 1) != 1) _exit(1);
    while (read(gone[0], &c, 1) > 0) {}
    _exit(0);
  }
  char c;
  for (int k = 0; k < parts; k++) if (read(told[0], &c, 1) != 1 || c != 'y') failed = 1;
  if (failed) return 1;
  puts("{\\"held\\":true}");
  fflush(stdout);
  while (read(0, &c, 1) > 0) {}
  close(gone[1]);
  while (wait(NULL) > 0) {}
  return 0;
}
int main(int n, char **v) {
  if (n == 4 && strcmp(v[1], "knock") == 0) return knock(atof(v[2]), atof(v[3]));
  if (n == 3 && strcmp(v[1], "hold") == 0) return hold(atoi(v[2]));
  return 2;
}
`;

/** @param {string} line */
const log = (line) => void stderr.write(`${line}\n`);

/** @param {string[]} command */
function must([program, ...args]) {
  const run = spawnSync(program, args, { encoding: 'utf8' });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`${[program, ...args].join(' ')}: ${run.stderr.trim()}`);
  return run.stdout;
}

function sweep() {
  for (const ns of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
    const pid = /^rscn(\d+)$/.exec(ns)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'del', ns]);
  }
}

function cleanUp() {
  for (const child of running) child.kill('SIGKILL');
  if (existsSync(`/run/netns/${space}`)) spawnSync('ip', ['netns', 'del', space]);
  rmSync(work, { recursive: true, force: true });
}

/**
 * Starts a program in the namespace; `line` gets each line of its standard output.
 * @param {string[]} command @param {(line: string) => void} line @param {string} [via]
 */
function start(command, line, via = 'nsenter') {
  const inside = via === 'ip' ? ['ip', 'netns', 'exec', space] : ['nsenter', `--net=/run/netns/${space}`];
  const [program, ...args] = [...inside, ...command];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  let rest = '';
  let said = '';
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const one of lines) line(one);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => (said += chunk));
  const ended = once(child, 'close').then(() => running.delete(child));
  return { child, ended, said: () => said };
}

/** @param {() => boolean} done @param {string} what @param {number} [ms] */
async function until(done, what, ms = LISTEN_MS) {
  const end = performance.now() + ms;
  while (!done()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(10);
  }
}

/** What `rstscope live --ndjson` says, revisions applied; `named` notes when an end got its name. */
async function live(args) {
  const events = new Map();
  const delays = [];
  let summary = null;
  const run = start(
    [execPath, RSTSCOPE, 'live', '--ndjson', '-d', '0', ...args],
    (line) => {
      const now = Date.now() / 1e3;
      const thing = JSON.parse(line);
      if (thing.type === 'summary') summary = thing;
      if (thing.type !== 'reset' && thing.type !== 'revision') return;
      const before = events.get(thing.id) ?? {};
      const after = { ...before, ...thing };
      events.set(thing.id, after);
      for (const side of ['sender', 'receiver']) {
        if ((before[side] ?? null) === null && after[side]) delays.push((now - after.epoch) * 1e3);
      }
    },
    'ip',
  );
  await until(() => run.said().includes('listening on ') || run.child.exitCode !== null, 'rstscope to listen');
  if (run.child.exitCode !== null) throw new Error(run.said());
  const end = async () => {
    run.child.kill('SIGINT');
    await run.ended;
    return summary;
  };
  return { pid: run.child.pid, events, delays, end, said: run.said };
}

/** Runs a plan of truth-traffic.py; the ends that its processes told. */
async function traffic(plan, ends) {
  let done = false;
  const run = start(['python3', '-B', TRAFFIC, JSON.stringify(plan)], (line) => {
    const thing = JSON.parse(line);
    if (thing.end) ends.push(thing.end);
    if (thing.ready) run.child.stdin.write('\n');
    if (thing.done) done = true;
  });
  await until(() => done || run.child.exitCode !== null, plan.scenario, 60_000);
  if (!done) throw new Error(run.said());
  run.child.stdin.end();
  await run.ended;
}

/** The last end told before that moment. */
function truthOf(ends, ip, port, otherIp, otherPort, epoch) {
  const same = ends.filter(
    ({ local, remote }) =>
      local[0] === ip && (local[1] === null || local[1] === port) && remote[0] === otherIp && remote[1] === otherPort,
  );
  return same.filter(({ at }) => at <= epoch + 0.001).at(-1);
}

const tally = () => ({ rightly: 0, wrongly: 0, 'not at all': 0 });

/** @param {ReturnType<typeof tally>} counts @param {number | null} pid @param {{pid: number} | undefined} who */
function note(counts, pid, who) {
  if (who === undefined) {
    // Nobody is there: only a name is a fault.
    if (pid !== null) counts.wrongly += 1;
  } else if (pid === null) counts['not at all'] += 1;
  else if (pid === who.pid) counts.rightly += 1;
  else counts.wrongly += 1;
}

/** The sockets in what lsof or ss printed: [local, remote or null, pid]. */
const READERS = {
  lsof: {
    command: (port) => ['lsof', `-i:${port}`, '-P', '-n'],
    rows: (text) =>
      [...text.matchAll(/^\S+ +(\d+) .* TCP (\S+?)(?:->(\S+))? \((\w+)\)$/gm)].map(([, pid, local, remote]) => [
        local.replace(/[[\]]/g, ''),
        remote?.replace(/[[\]]/g, '') ?? null,
        Number(pid),
      ]),
  },
  ss: {
    command: () => ['ss', '-tanp'],
    rows: (text) =>
      [...text.matchAll(/^(\S+) +\d+ +\d+ +(\S+) +(\S+) +users:\(\("[^"]*",pid=(\d+)/gm)].map(
        ([, state, local, remote, pid]) => [
          local.replace(/[[\]]/g, ''),
          state === 'LISTEN' ? null : remote.replace(/[[\]]/g, ''),
          Number(pid),
        ],
      ),
  },
};

/** The exact connection, else a listener of that port. */
function pidIn(rows, ip, port, otherIp, otherPort) {
  const exact = rows.find(([local, remote]) => local === `${ip}:${port}` && remote === `${otherIp}:${otherPort}`);
  const listening = rows.find(([local, remote]) => remote === null && local.endsWith(`:${port}`));
  return (exact ?? listening)?.[2] ?? null;
}

/** Asks lsof and ss at each reset that tcpdump shows; not more than some at once, the rest wait, as a person would. */
async function watcher() {
  const looked = [];
  const waiting = [];
  let busy = 0;
  const next = () => {
    while (busy < AT_ONCE && waiting.length > 0) {
      busy += 1;
      void waiting
        .shift()()
        .finally(() => {
          busy -= 1;
          next();
        });
    }
  };
  const judge = start(['tcpdump', '-Z', 'root', '-l', '--immediate-mode', '-nn', '-tt', '-i', 'lo', RESETS], (line) => {
    const [, at, ip, port, otherIp, otherPort] = /^(\S+) IP6? (\S+)\.(\d+) > (\S+)\.(\d+): /.exec(line) ?? [];
    if (at === undefined) return;
    const reset = { epoch: Number(at), ip, port: Number(port), otherIp, otherPort: Number(otherPort) };
    for (const [name, { command, rows }] of Object.entries(READERS)) {
      waiting.push(async () => {
        let text = '';
        const run = start(command(Math.min(reset.port, reset.otherPort)), (row) => (text += `${row}\n`));
        await run.ended;
        looked.push({ name, reset, rows: rows(text) });
      });
    }
    next();
  });
  await until(() => judge.said().includes('listening on'), 'tcpdump to listen');
  const end = async () => {
    await until(() => busy === 0 && waiting.length === 0, 'lsof and ss', 120_000);
    judge.child.kill('SIGINT');
    await judge.ended;
    return looked;
  };
  return { end };
}

const RESETS = 'tcp[tcpflags] & (tcp-rst) == (tcp-rst) or (ip6[6] == 6 and ip6[53] & 4 != 0)';

/** What each tool made of it. */
async function table(args, times) {
  const ends = [];
  const scope = await live(args);
  const watching = await watcher();
  const common = { times, pace: 80 };
  const plans = [
    { scenario: 'refused', host: '127.5.0.1', port: 7211, spread: 'address', ...common },
    { scenario: 'refused', host: '::1', port: 7400, spread: 'port', ...common },
    { scenario: 'server_aborts', host: '127.0.0.1', port: 7221, bound: true, ...common },
    { scenario: 'server_aborts', host: '::1', port: 7222, bound: true, ...common },
  ];
  for (const plan of plans) await traffic(plan, ends);
  const looked = await watching.end();
  await sleep(SETTLE_MS);
  await scope.end();
  const counts = { rstscope: tally(), lsof: tally(), ss: tally() };
  for (const event of scope.events.values()) {
    const { src_ip: s, src_port: sp, dest_ip: d, dest_port: dp, epoch } = event;
    note(counts.rstscope, event.sender?.pid ?? null, truthOf(ends, s, sp, d, dp, epoch));
    note(counts.rstscope, event.receiver?.pid ?? null, truthOf(ends, d, dp, s, sp, epoch));
  }
  for (const { name, reset: r, rows } of looked) {
    const there = [r.ip, r.port, r.otherIp, r.otherPort];
    const back = [r.otherIp, r.otherPort, r.ip, r.port];
    for (const end of [there, back]) note(counts[name], pidIn(rows, ...end), truthOf(ends, ...end, r.epoch));
  }
  stdout.write(`${scope.events.size} resets, ${ends.length} ends with a process, named\n`);
  stdout.write(
    `${'tool'.padEnd(10)}${Object.keys(tally())
      .map((head) => head.padStart(12))
      .join('')}\n`,
  );
  for (const [tool, row] of Object.entries(counts))
    stdout.write(
      `${tool.padEnd(10)}${Object.values(row)
        .map((n) => String(n).padStart(12))
        .join('')}\n`,
    );
  printDelays(scope.delays);
  return counts.rstscope.wrongly;
}

/** @param {number[]} delays */
function printDelays(delays) {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]?.toFixed(0) ?? 'none';
  stdout.write(
    `from the reset to its name: ${sorted.length} names, median ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms (goal: median 100, worst 500)\n`,
  );
}

async function delay(args, times) {
  const ends = [];
  const scope = await live(args);
  const common = { times, pace: 50, host: '127.0.0.1' };
  await traffic({ ...common, scenario: 'server_aborts', port: 7221, bound: true }, ends);
  await traffic({ ...common, scenario: 'client_aborts', port: 7222 }, ends);
  await traffic({ ...common, scenario: 'refused', port: 7211, bound: true }, ends);
  await sleep(SETTLE_MS);
  await scope.end();
  printDelays(scope.delays);
  return 0;
}

/** The program and all that descend from it: CPU seconds, ended children included. */
function cpuOf(pid) {
  const stats = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      stats.set(Number(name), {
        ppid: Number(fields[1]),
        comm: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
        ticks: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0),
      });
    } catch {
      // It ended just now.
    }
  }
  const found = [];
  const visit = (one, role) => {
    const stat = stats.get(one);
    if (stat === undefined) return;
    found.push({ name: `${role} ${stat.comm}`, pid: one, seconds: stat.ticks / CLOCK_TICKS });
    for (const [child, { ppid }] of stats) if (ppid === one) visit(child, 'child');
  };
  visit(pid, 'parent');
  return found;
}

/** @param {ReturnType<typeof cpuOf>} before @param {ReturnType<typeof cpuOf>} after @param {number} seconds */
function printCpu(before, after, seconds) {
  const used = after.map(({ name, pid, seconds: now }) => ({
    name,
    cpu: now - (before.find((one) => one.pid === pid)?.seconds ?? 0),
  }));
  const total = used.reduce((sum, { cpu }) => sum + cpu, 0);
  const each = used.map(({ name, cpu }) => `${name} ${cpu.toFixed(2)} s`).join(', ');
  stdout.write(`CPU ${each}: ${((100 * total) / seconds).toFixed(1)} % of a core\n`);
  return total / seconds;
}

function compile() {
  writeFileSync(join(work, 'load.c'), LOAD_C);
  must(['gcc', '-O2', '-o', join(work, 'load'), join(work, 'load.c')]);
  return join(work, 'load');
}

async function load(args, rate, seconds) {
  const program = compile();
  const scope = await live(args);
  const truth = new Map();
  let refused = 0;
  const before = cpuOf(scope.pid);
  const started = performance.now();
  const run = start([program, 'knock', String(rate), String(seconds)], (line) => {
    const told = JSON.parse(line);
    truth.set(told.address, { pid: told.pid });
    refused += told.refused;
  });
  await run.ended;
  const spent = (performance.now() - started) / 1e3;
  await sleep(SETTLE_MS);
  const after = cpuOf(scope.pid);
  const summary = await scope.end();
  const counts = tally();
  for (const { src_ip, sender, receiver } of scope.events.values()) {
    note(counts, receiver?.pid ?? null, truth.get(src_ip));
    note(counts, sender?.pid ?? null, undefined);
  }
  stdout.write(
    `${refused} connects refused in ${spent.toFixed(1)} s (${(refused / spent).toFixed(0)}/s), ${scope.events.size} resets told, dropped ${summary?.packets.dropped ?? 'unknown'}\n`,
  );
  stdout.write(
    `clients named ${Object.entries(counts)
      .map(([what, n]) => `${what} ${n}`)
      .join(', ')}\n`,
  );
  stdout.write(`incomplete: ${JSON.stringify(summary?.incomplete ?? null)}\n`);
  const [row] = (summary?.failed_connects ?? []).filter(({ port }) => port === 7211);
  stdout.write(
    `failed_connects: ${row === undefined ? 'none' : JSON.stringify({ ...row, process: row.process?.pid })}\n`,
  );
  printCpu(before, after, spent);
  if (scope.said().trim() !== '') stdout.write(`it said: ${scope.said().trim().slice(-600)}\n`);
  return counts.wrongly;
}

async function quietHost(args, seconds, sizes) {
  const program = compile();
  for (const sockets of sizes) {
    let held = false;
    const holder = start([program, 'hold', String(sockets)], () => (held = true));
    await until(() => held || holder.child.exitCode !== null, 'the connections', 60_000);
    if (!held) throw new Error(holder.said());
    const beginning = performance.now();
    const scope = await live(args);
    const listening = (performance.now() - beginning) / 1e3;
    const first = cpuOf(scope.pid);
    await sleep(seconds * 1e3);
    const last = cpuOf(scope.pid);
    stdout.write(`${sockets} sockets, listening after ${listening.toFixed(1)} s, then ${seconds} s: `);
    const share = printCpu(first, last, seconds);
    stdout.write(`  ${share <= 0.05 ? 'met' : 'missed'}: at most 5 % of a core\n`);
    await scope.end();
    holder.child.stdin.end();
    await holder.ended;
  }
  return 0;
}

/** @param {string} text @param {string} name */
function whole(text, name) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000)
    throw new Error(`${name} takes a whole number up to 100000, not ${text}`);
  return value;
}

async function main() {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '100' },
      delay: { type: 'boolean', default: false },
      load: { type: 'boolean', default: false },
      rate: { type: 'string', default: '5000' },
      seconds: { type: 'string', default: '5' },
      'quiet-host': { type: 'string' },
      sockets: { type: 'string', default: '1000,20000' },
      'live-args': { type: 'string', default: '' },
    },
  });
  const args = values['live-args'].split(' ').filter(Boolean);
  const sizes = values.sockets.split(',').map((text) => whole(text, '--sockets'));
  const times = whole(values.times, '--times');
  sweep();
  must(['ip', 'netns', 'add', space]);
  must(['ip', '-n', space, 'link', 'set', 'lo', 'up']);
  let wrong;
  if (values['quiet-host'] !== undefined)
    wrong = await quietHost(args, whole(values['quiet-host'], '--quiet-host'), sizes);
  else if (values.load) wrong = await load(args, whole(values.rate, '--rate'), whole(values.seconds, '--seconds'));
  else if (values.delay) wrong = await delay(args, times);
  else wrong = await table(args, times);
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
      log(`names: ${error instanceof Error ? error.message : error}`);
      process.exitCode = 2;
    },
  )
  .finally(cleanUp);
