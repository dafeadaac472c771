/** A program that aborts its connections, and which way. */

import { plural } from '../../base/text.js';
import type { Cause } from '../../conversation/verdict.js';
import { PATTERNS } from '../../conversation/verdict.js';
import { periodWords, placeWords, programWords } from '../../report/sentence-words.js';
import { exampleWords, MOST_CLIENTS, type Case } from '../case.js';
import type { Evidence, Finder, Found } from '../finder.js';
import { ladderStep, logStep } from '../steps.js';

const LEAST_ABORTS = 5;

/** What the program, or the system in its name, did; and what mends it. */
const WAYS: Partial<Record<Cause, { readonly does: string; readonly severity: Found['severity'] }>> = {
  'abort-linger': {
    does: 'closes connections with SO_LINGER 0: it throws away what is on its way',
    severity: 'notice',
  },
  'abort-unread-data': { does: 'closes connections without having read all that it was sent', severity: 'notice' },
  'abort-disconnect': { does: 'disconnects sockets by connect(AF_UNSPEC)', severity: 'notice' },
  'abort-admin': { does: 'has its connections destroyed from outside (ss -K)', severity: 'notice' },
  'abort-timeout': { does: 'gives up connections whose peer does not answer keep-alive probes', severity: 'notice' },
  'abort-memory': { does: 'has its connections reset by a kernel that is out of TCP memory', severity: 'warning' },
  abort: { does: 'aborts connections; which way, what was captured does not say', severity: 'notice' },
};

export const applicationAborting: Finder = {
  id: 'application-aborting',
  find: (evidence) => evidence.cases.flatMap((one) => aborting(one, evidence)),
};

function aborting(one: Case, evidence: Evidence): Found[] {
  const way = WAYS[one.cause];
  const resets = one.besides(PATTERNS);
  if (way === undefined || resets < LEAST_ABORTS) return [];
  const program = one.senders.only;
  const place = one.port === null ? one.ip : placeWords(one.ip, one.port);
  const isClient = one.by === 'client';
  const [client = ''] = one.clients;
  const several = isClient && program === null && one.clients.size !== 1;
  const side = !isClient ? place : several ? `${clientsWords(one)} of ${place}` : `${client}, client of ${place},`;
  const who = program === null ? side : `${programWords(program)}, ${isClient ? 'client of' : 'at'} ${place},`;
  return [
    {
      severity: way.severity,
      summary: `${who} ${several ? many(way.does) : way.does} (${plural(resets, 'reset')})`,
      evidence: [`${periodWords(one.first, one.last)}; ${certainty(one)}`, ...exampleWords(one.example)],
      next_steps: [
        `rstscope explain ${one.cause}`,
        ...logStep(program),
        ...(one.cause === 'abort'
          ? [
              `sudo rstscope live -d 60${one.port === null ? '' : ` port ${String(one.port)}`}   # on the host that resets: its kernel says which way`,
            ]
          : []),
        ...ladderStep(one.example, evidence),
      ],
      ports: one.port === null ? [] : [one.port],
      hosts: [one.ip],
      resets,
    },
  ];
}

function clientsWords({ clients }: Case): string {
  return `${clients.size < MOST_CLIENTS ? '' : 'at least '}${plural(clients.size, 'client')}`;
}

function certainty({ certain, sure, resets }: Case): string {
  if (certain === resets) return 'the kernel says so of each';
  return certain > 0
    ? `the kernel says so of ${String(certain)}`
    : sure === 0
      ? 'from packets alone, possible'
      : `from packets alone, likely of ${String(sure)}`;
}

/** "closes" of several. */
function many(does: string): string {
  return does
    .replace(/^(\w+?)s\b/, (word, stem: string) => (word === 'has' ? 'have' : stem))
    .replace(/\bit throws\b/, 'they throw')
    .replace('that it was sent', 'that they were sent')
    .replace('its ', 'their ');
}
