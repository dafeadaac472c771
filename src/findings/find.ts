/**
 * All findings of a run, the gravest first, then by how many resets they tell of.
 *
 * A finder that finds very much is cut: the reader wants what matters, the tables have the rest.
 */

import type { Finding } from '../report/types.js';
import type { Evidence, Finder, FindingId, Found } from './finder.js';
import { applicationAborting } from './finders/aborting.js';
import { flood, scan } from './finders/crowds.js';
import { injection, natBypass } from './finders/foreign.js';
import { knockingClient } from './finders/knocking.js';
import { firewallRejecting, listenQueueFull } from './finders/refusing.js';
import { serviceDown, serviceRestarted } from './finders/service.js';
import { noAction, stuckFlow } from './finders/single.js';
import { idleTimer, keepaliveRace } from './finders/timers.js';

/** In the order in which equals are told. */
export const FINDERS: readonly Finder[] = [
  serviceDown,
  serviceRestarted,
  keepaliveRace,
  idleTimer,
  listenQueueFull,
  injection,
  flood,
  knockingClient,
  applicationAborting,
  firewallRejecting,
  natBypass,
  stuckFlow,
  scan,
  noAction,
];

const MOST_OF_ONE = 5;
const SEVERITIES: readonly Finding['severity'][] = ['warning', 'notice', 'info'];

export function findAll(evidence: Evidence): Finding[] {
  return FINDERS.flatMap(({ id, find }) => some(id, find(evidence))).sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
}

function some(id: FindingId, found: readonly Found[]): Finding[] {
  const sorted = [...found].sort((a, b) => b.resets - a.resets);
  return sorted.slice(0, MOST_OF_ONE).map((one, i) => {
    const more = sorted.length - MOST_OF_ONE;
    const evidence =
      i === MOST_OF_ONE - 1 && more > 0
        ? [...one.evidence, `${String(more)} more of the kind: the tables below have them`]
        : one.evidence;
    return { id, ...one, evidence: [...new Set(evidence.map((fact) => fact.trim()).filter((fact) => fact !== ''))] };
  });
}
