/**
 * The truth of a run of the lab (`test/lab/lab.py`), as data: what each reset of its captures is, by the kernel's own
 * word and by who made it. Knows nothing of the program that is judged by it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const LAB = fileURLToPath(new URL('./lab.py', import.meta.url));
const TABLE = fileURLToPath(new URL('./truth.tsv', import.meta.url));

/** What tcp:tcp_send_reset said. */
export interface KernelWord {
  /** SK_RST_REASON_ without its prefix. */
  reason: string;
  /** Of the socket, TCP_ESTABLISHED and so on; null without a socket. */
  state: string | null;
  /** A socket sent it by itself; false: it answers a segment. */
  active: boolean;
  /** Functions, the innermost first. Empty where the kernel gave none, which happens with timers. */
  stack: string[];
  path: 'linger' | 'listener-closed' | 'disconnect' | 'killed' | 'sock-destroy' | 'keepalive' | 'close' | null;
}

/** One reset of a capture. */
export interface Truth {
  /** 1-based, in all.pcap. */
  frame: number;
  /** Seconds since the epoch. */
  time: number;
  src: string;
  sport: number;
  dst: string;
  dport: number;
  seq: number;
  ack: number | null;
  /** As tcpdump writes them. */
  flags: string;
  scenario: string;
  role: string;
  /** The side whose address it bears. */
  reset_by: 'client' | 'server';
  /** Null: the kernel's TCP did not send it. */
  kernel: KernelWord | null;
  /** A live socket took it. */
  received: boolean;
  cause: string;
  /** What may be said of it from all TCP of the capture without the kernel, the best first. Saying less is honest too. */
  packets: string[];
}

/** One capture of one repetition. The n-th reset of each of its files is the n-th truth. */
export interface LabRun {
  folder: string;
  seed: number;
  timestamps: number;
  device: string;
  /** All TCP. */
  all: string;
  /** What the guides' reset filter makes of it. */
  resets: string;
  /** SYN, FIN and RST. */
  control: string;
  truths: Truth[];
}

/** A row of truth.tsv. */
export interface Expectation {
  scenario: string;
  role: string;
  /** Any of these; null: no event of the kernel's. */
  reasons: (string | null)[];
  /** All of these are in the stack. */
  stack: string[];
  received: boolean | null;
  cause: string;
  packets: string[];
  note: string;
}

/** One capture: a folder as DIR/1 or DIR/1-lo. */
export function loadRun(folder: string): LabRun {
  const file = (name: string): string => path.join(folder, name);
  const run = JSON.parse(readFileSync(file('run.json'), 'utf8')) as Pick<LabRun, 'seed' | 'timestamps' | 'device'>;
  return {
    folder,
    seed: run.seed,
    timestamps: run.timestamps,
    device: run.device,
    all: file('all.pcap'),
    resets: file('resets.pcap'),
    control: file('control.pcap'),
    truths: readTruths(file('truth.json')),
  };
}

/** All captures of `lab.py --out DIR`, in order. */
export function loadRuns(out: string): LabRun[] {
  const folders = readdirSync(out).filter((name) => existsSync(path.join(out, name, 'run.json')));
  const number = (name: string): number => Number.parseInt(name, 10);
  return folders
    .sort((a, b) => number(a) - number(b) || a.localeCompare(b))
    .map((name) => loadRun(path.join(out, name)));
}

/** The goldens of a folder, `lab-NAME.pcap` with its truth. */
export function loadGoldens(folder: string): { scenario: string; pcap: string; truths: Truth[] }[] {
  const names = readdirSync(folder).flatMap((name) => /^lab-(.+)\.truth\.json$/.exec(name)?.[1] ?? []);
  return names.sort().map((scenario) => ({
    scenario,
    pcap: path.join(folder, `lab-${scenario}.pcap`),
    truths: readTruths(path.join(folder, `lab-${scenario}.truth.json`)),
  }));
}

/** The committed table of what each reset of each scenario is. */
export function loadTable(): Expectation[] {
  const lines = readFileSync(TABLE, 'utf8').split('\n');
  const [, ...rows] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return rows.map((row) => {
    const [scenario = '', role = '', reason = '', stack = '', received = '', cause = '', packets = '', note = ''] =
      row.split('\t');
    return {
      scenario,
      role,
      reasons: reason.split('|').map((one) => (one === '-' ? null : one)),
      stack: stack === '-' ? [] : stack.split('+'),
      received: received === '-' ? null : received === 'yes',
      cause,
      packets: packets.split(','),
      note,
    };
  });
}

function readTruths(file: string): Truth[] {
  return JSON.parse(readFileSync(file, 'utf8')) as Truth[];
}
