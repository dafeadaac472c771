/** Evidence for finders, made up: cases of resets that come one after another, and episodes of a book. */
import { byPlace, Casebook } from '../../src/findings/casebook.js';
import type { Evidence } from '../../src/findings/finder.js';
import type { Attribution } from '../../src/attribute/process.js';
import type { Reset } from '../../src/conversation/reset.js';
import { PatternBook } from '../../src/patterns/book.js';
import { episodesOf } from '../../src/patterns/rows.js';
import { NOBODY } from '../patterns/made-up.js';

/** What finders are given of these resets. */
export function evidenceOf(
  resets: readonly (Reset | readonly [Reset, Attribution])[],
  changes: Partial<Evidence> = {},
): Evidence {
  const book = new PatternBook();
  const casebook = new Casebook();
  for (const one of resets) {
    const [reset, who] = 'srcIp' in one ? [one, NOBODY] : one;
    const cell = book.add(reset, who);
    if (cell !== null) cell.reported++;
    casebook.add(reset, who, cell);
  }
  return {
    ...{
      cases: casebook.cases,
      at: byPlace(casebook.cases),
      episodes: episodesOf(book.cells),
      serverFacts: () => null,
    },
    ...{ resets: resets.length, live: false, files: ['capture.pcap'] },
    ...changes,
  };
}
