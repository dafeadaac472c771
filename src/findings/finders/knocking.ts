/** A client that tries a dead port again and again: the one to mend. */

import { plural } from '../../base/text.js';
import { clientWords, rhythm, type Episode } from '../../patterns/rows.js';
import { momentWords, periodWords, placeWords, spanWords } from '../../report/sentence-words.js';
import { exampleWords, type Case } from '../case.js';
import type { Evidence, Finder, Found } from '../finder.js';
import { ladderStep, logStep, whoStep } from '../steps.js';
import { courseOf, knowsNobody } from './service.js';

export const knockingClient: Finder = {
  id: 'knocking-client',
  find: (evidence) =>
    evidence.episodes.filter(({ pattern }) => pattern === 'retry-loop').flatMap((episode) => knocks(episode, evidence)),
};

function knocks({ cells, resets }: Episode, evidence: Evidence): Found[] {
  const [cell] = cells;
  if (cell === undefined) return [];
  const { server, port } = cell.habit;
  const place = placeWords(server, port);
  const closed = evidence.at(server, port).find((one) => one.by === 'server' && one.cause === 'closed-port');
  const { interval } = cell;
  return [
    {
      severity: 'notice',
      summary: `${clientWords(cell)} knocks ${rhythm(cell)} at ${place} and is refused${stateWords(closed, evidence)}`,
      evidence: [
        `${plural(cell.count, 'refusal')} ${periodWords(cell.first, cell.last)}`,
        ...(interval === null || !cell.isRhythm
          ? []
          : [`half of the gaps are ${spanWords(interval)} or less${cell.isSteady ? ', most are close to that' : ''}`]),
        ...(closed === undefined ? [] : exampleWords(closed.example, closed.listener)),
      ],
      next_steps: [
        ...whoStep(port, evidence),
        ...logStep(cell.program),
        ...(cell.program === null
          ? [`sudo rstscope live -d 10 port ${String(port)}   # on ${cell.client ?? 'the client'}: names the program`]
          : []),
        ...(closed === undefined ? [] : ladderStep(closed.example, evidence)),
      ],
      ports: [port],
      hosts: [...new Set([server, ...(cell.client === null ? [] : [cell.client])])],
      resets,
    },
  ];
}

/** What is known of who listens there; '' where a packet filter may be the one who refuses. */
function stateWords(closed: Case | undefined, evidence: Evidence): string {
  if (closed === undefined) return '';
  const course = courseOf(closed, evidence);
  if (course?.kind === 'back') return '; it was away for that time';
  const since = course?.since ?? null;
  if (!knowsNobody(closed)) return since === null ? '' : `; it accepted connections until ${momentWords(since)}`;
  if (closed.listener !== null) return `; ${closed.listener}`;
  return since === null ? '; nothing listens there' : `; nothing has listened there since ${momentWords(since)}`;
}
