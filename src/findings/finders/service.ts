/** A service that is gone, or was for a while. */

import { plural } from '../../base/text.js';
import {
  dayWords,
  momentWords,
  periodWords,
  placeWords,
  programWords,
  spanWords,
} from '../../report/sentence-words.js';
import { exampleWords, type Case } from '../case.js';
import type { Evidence, Finder, Found } from '../finder.js';
import { ladderStep, logStep, whoStep } from '../steps.js';

/** Without the system's word one refusal may be anything. */
const LEAST_REFUSED = 2;
/** Seconds. */
const LEAST_AWAY = 0.1;
const HALF_DAY = 43_200;
const STRANGERS = ['scan', 'flood', 'backscatter'] as const;

/** What became of a port that refused. */
export type Course =
  | { readonly kind: 'down'; readonly since: number | null }
  | { readonly kind: 'back'; readonly from: number; readonly until: number };

/** Null: nothing says that anybody had listened there. */
export function courseOf(one: Case, { serverFacts }: Evidence): Course | null {
  const { acceptedBefore, server } = one;
  if (!looksClosed(one) || one.by !== 'server' || one.besides(STRANGERS) === 0) return null;
  // A packet filter, or several hosts under one address.
  if (one.acceptedBetween) return null;
  const lastAccepted = server === null ? null : (serverFacts(server)?.lastAccepted ?? null);
  if (lastAccepted !== null && lastAccepted > one.last) {
    // One refusal, or a few at one moment, is not yet an absence.
    const isAway = one.besides(STRANGERS) >= LEAST_REFUSED && one.last - one.first >= LEAST_AWAY;
    return acceptedBefore === null || !isAway ? null : { kind: 'back', from: one.first, until: lastAccepted };
  }
  if (lastAccepted !== null && lastAccepted > one.first) return null;
  if (acceptedBefore !== null) {
    return knowsNobody(one) || one.besides(STRANGERS) >= LEAST_REFUSED ? { kind: 'down', since: acceptedBefore } : null;
  }
  return one.listener !== null && one.listening === false ? { kind: 'down', since: null } : null;
}

/** Nobody listened, or perhaps a filter refused: where the port accepted before and after, but not meanwhile, it was away. */
function looksClosed({ cause, sure }: Case): boolean {
  return cause === 'closed-port' || (cause === 'firewall-reject' && sure === 0);
}

export const serviceDown: Finder = {
  id: 'service-down',
  find: (evidence) => evidence.cases.flatMap((one) => down(one, evidence)),
};

function down(one: Case, evidence: Evidence): Found[] {
  const course = courseOf(one, evidence);
  if (course?.kind !== 'down') return [];
  const refused = one.besides(STRANGERS);
  return [
    {
      severity: 'warning',
      summary: `${downWords(one, course.since)}; ${plural(refused, 'connect')} refused`,
      evidence: [
        ...(course.since === null ? [] : [`it accepted a connection at ${momentWords(course.since)}`]),
        `refused ${periodWords(one.first, one.last)}, and nothing accepted after that`,
        ...exampleWords(one.example, one.listener),
      ],
      next_steps: [
        ...whoStep(one.port, evidence),
        `ss -ltnp 'sport = :${String(one.port)}'`,
        ...ladderStep(one.example, evidence),
      ],
      ports: one.port === null ? [] : [one.port],
      hosts: [one.ip],
      resets: refused,
    },
  ];
}

/** What the system says, or what was seen: a packet filter may refuse for a service that runs. */
export function downWords(one: Case, since: number | null): string {
  const place = placeWords(one.ip, one.port ?? 0);
  const isOld = since !== null && one.first - since > HALF_DAY;
  const until = since === null ? '' : isOld ? dayWords(since) : momentWords(since);
  if (knowsNobody(one)) {
    return `nothing listens at ${place}${one.listener === null ? (until === '' ? '' : `, which accepted connections until ${until}`) : `: ${one.listener}`}`;
  }
  return `${place} accepted connections until ${until} and none since: its service is gone, or a packet filter answers for it`;
}

/** The kernel of that host had no listener for it. */
export function knowsNobody({ certain, listening }: Case): boolean {
  return certain > 0 || listening === false;
}

export const serviceRestarted: Finder = {
  id: 'service-restarted',
  find: (evidence) =>
    evidence.cases.flatMap((one) => [...away(one, evidence), ...closed(one, evidence), ...ended(one, evidence)]),
};

/** It refused for a while and accepts again. */
function away(one: Case, evidence: Evidence): Found[] {
  const course = courseOf(one, evidence);
  if (course?.kind !== 'back') return [];
  const place = placeWords(one.ip, one.port ?? 0);
  const refused = one.besides(STRANGERS);
  const { first, last } = one;
  return [
    {
      severity: 'warning',
      summary: `${place} was away for ${spanWords(last - first)} or longer, and accepts again: restarted, or crashed and started anew; ${plural(refused, 'connect')} refused`,
      evidence: [
        ...(one.acceptedBefore === null ? [] : [`it accepted a connection at ${momentWords(one.acceptedBefore)}`]),
        `refused ${periodWords(first, last)}`,
        `it accepted again by ${momentWords(course.until)}`,
      ],
      next_steps: [...whoStep(one.port, evidence), ...startSteps(), ...ladderStep(one.example, evidence)],
      ports: one.port === null ? [] : [one.port],
      hosts: [one.ip],
      resets: refused,
    },
  ];
}

/** It went while connections waited that it had not accepted. */
function closed(one: Case, evidence: Evidence): Found[] {
  if (one.cause !== 'listener-closed' || one.sure === 0) return [];
  return [
    gone(
      one,
      evidence,
      one.resets,
      `closed its listener with ${plural(one.resets, 'connection')} waiting that it had not accepted: a restart, or a crash`,
    ),
  ];
}

/** It ended with connections open. */
function ended(one: Case, evidence: Evidence): Found[] {
  const killed = one.paths.get('killed') ?? 0;
  if (killed === 0 || one.cause === 'listener-closed') return [];
  const what = one.cause === 'abort-unread-data' ? ' whose data it had not read' : '';
  return [
    gone(
      one,
      evidence,
      killed,
      `ended with ${plural(killed, 'connection')} open${what}: killed by a signal, crashed or exited`,
    ),
  ];
}

function gone(one: Case, evidence: Evidence, resets: number, what: string): Found {
  const program = one.senders.only;
  const place = one.port === null ? one.ip : placeWords(one.ip, one.port);
  const nameless = one.by === 'client' ? `a client of ${place}` : `the program at ${place}`;
  const who = program === null ? nameless : `${programWords(program)} at ${place}`;
  return {
    severity: 'warning',
    summary: `${who} ${what}`,
    evidence: [`${plural(resets, 'reset')} ${periodWords(one.first, one.last)}`, ...exampleWords(one.example)],
    next_steps: [
      ...logStep(program),
      ...startSteps(),
      ...whoStep(one.port, evidence),
      ...ladderStep(one.example, evidence),
    ],
    ports: one.port === null ? [] : [one.port],
    hosts: [one.ip],
    resets,
  };
}

/** What ends programs leaves its word in the journal: the kernel's out-of-memory killer, systemd, a crash. */
function startSteps(): string[] {
  return ["journalctl -b --since -15min | grep -iE 'killed process|main process exited|segfault|core dump|Started'"];
}
