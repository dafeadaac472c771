/** The ladder's relative numbers and lengths against tshark's, segment by segment. */
import { expect } from '@jest/globals';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../src/report/types.js';
import { runInProcess } from '../support/in-process.js';
import { REPOSITORY } from '../support/run.js';
import { itWith } from '../support/tools.js';
import { tsharkFields } from '../support/tshark.js';
import { explained } from './ladders.js';

const FOLDER = path.join(REPOSITORY, 'test', 'pcaps');
const FIELDS = ['frame.number', 'tcp.seq', 'tcp.ack', 'tcp.len', 'tcp.flags.syn'];
/** Each takes a start of tshark. */
const EVERY = 12;

itWith(
  'tshark',
  'tshark counts as the ladder does, where the connections began in the capture',
  async () => {
    const files = readdirSync(FOLDER).filter((name) => /^lab-.*\.pcap$/.test(name));
    let compared = 0;
    for (const name of files.filter((_, i) => i % EVERY === 0)) {
      const file = path.join(FOLDER, name);
      const report = JSON.parse((await runInProcess(['read', '--json', '--events', file])).stdout) as Report;
      const [event] = report.events;
      const document = event === undefined ? null : await explained(file, event.id);
      // Without the SYNs of both, tshark and the ladder may begin elsewhere.
      const syns = document?.ladder.filter(({ flags }) => flags.startsWith('S')) ?? [];
      if (document === null || syns.length !== 2 || document.earlier_segments > 0) continue;
      const rows = new Map((await tsharkFields(file, FIELDS)).map(([frame = '', ...rest]) => [Number(frame), rest]));
      for (const rung of document.ladder.filter(({ flags }) => !flags.includes('R'))) {
        const [seq, ack, length] = rows.get(rung.frame) ?? [];
        expect([name, rung.frame, rung.relative_seq, rung.relative_ack ?? 0, rung.payload_length]).toEqual([
          ...[name, rung.frame, Number(seq), Number(ack), Number(length)],
        ]);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(10);
  },
  60_000,
);
