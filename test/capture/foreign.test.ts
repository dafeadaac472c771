/** Captures of other people's, against tshark; and sound classic ones against the package pcap-parser. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Readable } from 'node:stream';
import { openPath } from '../../src/capture/byte-source.js';
import { openCapture } from '../../src/capture/open.js';
import { classicPcap } from '../support/capture-bytes.js';
import { hasTool, itWithCaptures } from '../support/tools.js';
import { tsharkFields } from '../support/tshark.js';
import { frameBytes, range, readAll, readBytes, type Reading } from './reading.js';

/** Structures that a fixed sample is taken of, so many files each; the rest of the manifest is plain. */
const PLAIN = ['-', 'snaplen-cut', 'tsresol-6', 'ISB,tsresol-6', 'ISB,tsresol-9', 'linktype-high-bits,snaplen-cut'];
const OF_EACH = 2;
const AT_ONCE = 3;

/** tshark keeps the original length in 31 bits, and of later times it shows something else. */
const MAX_THEIRS = 0x7fffffff;

/** Why our frames differ from tshark's, by the file's name behind its last "__"; every other file has to agree. */
const OVERFLOW = 'tshark multiplies a fraction of a second and more in 32 bits';
const REFUSED = 'tshark refuses the link type or its upper bits and shows nothing';
const GOES_ON = 'tshark stops at the damage, we go on behind it';
const CUSTOM = 'tshark shows custom blocks as frames';
const BLANK = 'tshark counts headers of zeros as frames';
const DIFFERENT: Readonly<Record<string, string>> = {
  'tls_DER-incomplete-header.pcap': GOES_ON,
  'tls_DER-incomplete-content.pcap': GOES_ON,
  igmplayer: GOES_ON,
  'ipv4_sctp_iua.pcap': OVERFLOW,
  'rx_serviceid_oobr.pcap': OVERFLOW,
  'timestamp_invalid_nano.pcap': OVERFLOW,
  'clusterfuzz-testcase-FuzzTarget-5781142119907328': OVERFLOW,
  'clusterfuzz-testcase-minimized-FuzzTarget-5723611632762880': OVERFLOW,
  'clusterfuzz-testcase-minimized-FuzzTarget-6604968558198784': OVERFLOW,
  'test017.pcapng': CUSTOM,
  'test018.pcapng': CUSTOM,
  'test102.pcapng': CUSTOM,
  'test202.pcapng': CUSTOM,
  'test901.pcapng': 'tshark stops at a section of version 2.0, which there is not; we read it as 1.0',
  'test007.ntar': 'tshark does not add the padding that a simple packet block left uncounted',
  'brcm-tag-stp.pcap': REFUSED,
  'vtp_asan.pcap': REFUSED,
  'clusterfuzz-testcase-minimized-FuzzTarget-5631583764873216': REFUSED,
  'clusterfuzz-testcase-minimized-FuzzTarget-5685520970809344': REFUSED,
  'bgp_vpn_rt-oobr.pcap': BLANK,
  'clusterfuzz-testcase-minimized-FuzzTarget-5755755617189888':
    'tshark takes an empty record before garbage for a frame',
  'clusterfuzz-testcase-minimized-FuzzTarget-5766899836387328':
    'tshark takes it for a dialect whose first record is cut off',
  'atm-oam-loopback-print-overrun.pcap': 'tshark takes the pseudo-header off the lengths; and the overflow',
};

interface Entry {
  file: string;
  structure: string;
}

function manifest(folder: string): Entry[] {
  const [head = '', ...rows] = readFileSync(path.join(folder, 'manifest.tsv'), 'utf8').trimEnd().split('\n');
  const columns = head.split('\t');
  const [file, type, structure] = ['file', 'file_type', 'structure'].map((name) => columns.indexOf(name));
  return rows
    .map((row) => row.split('\t'))
    .filter((row) => row[type!]?.includes('pcap') === true && !/\b(zst|xz|bz2)\b/.test(row[structure!] ?? ''))
    .map((row) => ({ file: row[file!] ?? '', structure: row[structure!] ?? '' }));
}

/** The odd ones: OF_EACH files of every structure but the plain ones, of which there is one. */
function sample(entries: readonly Entry[]): string[] {
  const taken = new Map<string, number>();
  return entries
    .filter(({ structure }) => {
      const n = taken.get(structure) ?? 0;
      taken.set(structure, n + 1);
      return n < (PLAIN.includes(structure) ? 1 : OF_EACH);
    })
    .map(({ file }) => file);
}

type Row = [time: string, captured: number, original: number];

/** As tshark writes them: no time for a frame that has none, nine digits, the original length as the file has it. */
function rows({ frames }: Pick<Reading, 'frames'>): Row[] {
  return frames.map(({ seconds, nanos, captured, original }) => [
    Number.isNaN(seconds) ? '' : `${seconds}.${Math.floor(nanos).toString().padStart(9, '0')}`,
    captured,
    Math.min(original, MAX_THEIRS),
  ]);
}

/** A row of tshark's in our terms: fractions of a second and more carried over, original at least captured. */
function tsharkRow([time = '', captured = '', original = '']: readonly string[]): Row {
  const [seconds = '', fraction = ''] = time.split('.');
  const nanos = Number(fraction);
  const whole = Number(seconds) + Math.floor(nanos / 1e9);
  const text = time === '' ? '' : `${whole}.${(nanos % 1e9).toString().padStart(9, '0')}`;
  return [text, Number(captured), Math.max(Number(captured), Number(original))];
}

describe('captures from elsewhere', () => {
  itWithCaptures(
    'the odd ones have the frames, lengths and times that tshark sees',
    async (folder) => {
      if (!hasTool('tshark')) throw new Error('needs tshark');
      const files = sample(manifest(folder));
      expect(files.length).toBeGreaterThan(40);
      const unlike: string[] = [];
      const queue = [...files];
      const work = async (): Promise<void> => {
        for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
          const known = lastName(file) in DIFFERENT;
          const difference = await compare(path.join(folder, 'captures', file));
          if (known !== (difference !== null)) unlike.push(`${file}: ${difference ?? 'agrees by now'}`);
        }
      };
      await Promise.all(range(0, AT_ONCE).map(work));
      expect(unlike.sort()).toEqual([]);
    },
    120_000,
  );
});

function lastName(file: string): string {
  return file.replace(/^.*__(regression_samples__)?/, '');
}

async function compare(file: string): Promise<string | null> {
  const fields = ['frame.time_epoch', 'frame.cap_len', 'frame.len'];
  // Of a damaged file tshark tells what is before the damage, and fails.
  const theirs = await tsharkFields(file, fields).catch((error: unknown) =>
    (error as { stdout: string }).stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t')),
  );
  const capture = await openCapture(file, openPath(file));
  const read = await readAll(capture.reader);
  capture.close();
  const ours = rows(read);
  for (const [i, row] of ours.slice(0, theirs.length).entries()) {
    const their = tsharkRow(theirs[i] ?? []);
    if (read.frames[i]!.seconds > MAX_THEIRS) their[0] = row[0];
    if (row.join() !== their.join()) return `frame ${i + 1} is ${row.join(' ')}, tshark's ${their.join(' ')}`;
  }
  const said = read.damage.map(({ message }) => message).join(' / ');
  return ours.length === theirs.length ? null : `${ours.length} frames, tshark has ${theirs.length} (${said})`;
}

describe('pcap-parser, which reads sound classic captures of microseconds', () => {
  test('sees the same in made ones', async () => {
    for (const bigEndian of [false, true]) {
      const records = range(0, 3000).map((n) => ({
        seconds: 1_700_000_000 + n,
        fraction: (n * 7919) % 1_000_000,
        bytes: frameBytes(n, 40 + (n % 1400)),
        originalLength: 40 + (n % 1400) + (n % 3),
      }));
      const bytes = classicPcap({ bigEndian, records });
      expect(rows(await readBytes(bytes))).toEqual(await parserRows(bytes));
    }
  });

  itWithCaptures(
    'sees the same in those from elsewhere',
    async (folder) => {
      const plain = manifest(folder).filter(({ file, structure }) => structure === '-' && file.endsWith('.pcap'));
      let compared = 0;
      for (const { file } of plain.slice(0, 200)) {
        const bytes = readFileSync(path.join(folder, 'captures', file));
        const magic = bytes.readUInt32LE(0);
        if (magic !== 0xa1b2c3d4 && magic !== 0xd4c3b2a1) continue;
        expect([file, rows(await readBytes(bytes))]).toEqual([file, await parserRows(bytes)]);
        compared += 1;
      }
      expect(compared).toBeGreaterThan(100);
    },
    60_000,
  );
});

interface ParsedPacket {
  header: { timestampSeconds: number; timestampMicroseconds: number; capturedLength: number; originalLength: number };
}

function parserRows(bytes: Uint8Array): Promise<Row[]> {
  const parser = createRequire(import.meta.url)('pcap-parser') as { parse(stream: Readable): NodeJS.EventEmitter };
  return new Promise((resolve, reject) => {
    const found: Row[] = [];
    parser
      .parse(Readable.from([Buffer.from(bytes)]))
      .on('packet', ({ header }: ParsedPacket) => {
        const nanos = (header.timestampMicroseconds * 1000).toString().padStart(9, '0');
        found.push([`${header.timestampSeconds}.${nanos}`, header.capturedLength, header.originalLength]);
      })
      .on('end', () => resolve(found))
      .on('error', reject);
  });
}
