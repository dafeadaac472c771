/** Two timers that don't fit: the server's and the client's, or the connection's and a device's on the way. */

import { plural } from '../../base/text.js';
import { placeWords, programWords, spanWords } from '../../report/sentence-words.js';
import type { Cause } from '../../conversation/verdict.js';
import type { Episode } from '../../patterns/rows.js';
import { exampleWords, type Case } from '../case.js';
import type { Evidence, Finder, Found } from '../finder.js';
import { ladderStep } from '../steps.js';

/** Keep-alive timers of servers as they come, in seconds (their own documentation). */
const SERVER_TIMERS: readonly [number, string][] = [
  [2, 'gunicorn (--keep-alive 2)'],
  [5, "Node's http server (server.keepAliveTimeout), Apache (KeepAliveTimeout), uvicorn (--timeout-keep-alive)"],
  [60, 'nginx to its upstreams (keepalive_timeout in upstream), AWS application load balancers'],
  [65, 'nginx as packaged by many (keepalive_timeout 65)'],
  [75, 'nginx (keepalive_timeout)'],
];

export const keepaliveRace: Finder = {
  id: 'keepalive-race',
  find: (evidence) =>
    evidence.episodes
      .filter(({ pattern }) => pattern === 'keepalive-race')
      .flatMap((episode) => race(episode, evidence)),
};

function race({ cells, resets }: Episode, evidence: Evidence): Found[] {
  const [cell] = cells;
  const timer = cell?.endpoint.idleTimer ?? null;
  if (cell === undefined || timer === null) return [];
  const { server, port } = cell.habit;
  const place = placeWords(server, port);
  const one = evidence.at(server, port).find((each) => each.cause === 'late-data');
  const program = one?.senders.only ?? null;
  const who = program === null ? place : `${programWords(program)} at ${place}`;
  const known = SERVER_TIMERS.filter(([seconds]) => Math.abs(seconds - timer) <= Math.max(0.25, seconds / 50));
  return [
    {
      severity: 'warning',
      summary: `requests met the FIN of ${who}, which closes connections that are idle for ${spanWords(timer)} (${plural(resets, 'reset')}): raise its keep-alive timer above the client's, or let the client give up idle connections sooner than ${spanWords(timer)}`,
      evidence: [
        `the server had sent nothing for about ${spanWords(timer)} before its FIN, and had not acknowledged the request`,
        ...known.map(([seconds, names]) => `${String(seconds)} s is the default of ${names}`),
        ...(one === undefined ? [] : exampleWords(one.example)),
      ],
      next_steps: [
        'sudo nginx -T | grep -n keepalive   # nginx: keepalive_timeout, above that of its clients',
        "grep -rn 'keepAliveTimeout' .   # Node: server.keepAliveTimeout = 65_000 and server.headersTimeout above it",
        ...(one === undefined ? [] : ladderStep(one.example, evidence)),
      ],
      ports: [port],
      hosts: [server],
      resets,
    },
  ];
}

/** Resets that a device on the way sends, or lets come about, when it has forgotten a connection. */
const FORGOTTEN: readonly Cause[] = ['firewall-reject', 'middlebox-reset', 'half-open', 'abort', 'injected', 'unknown'];
const LEAST_SILENCES = 3;
/** Timers of devices as documented, in seconds. */
const DEVICE_TIMERS: readonly [number, string][] = [
  [240, 'Azure Load Balancer (4 minutes)'],
  [350, 'AWS Network Load Balancer and NAT gateway'],
  [600, 'Google Cloud (10 minutes)'],
  [900, 'Linux IPVS'],
  [3600, 'many firewalls (1 hour)'],
];

export const idleTimer: Finder = {
  id: 'idle-timer',
  find: (evidence) => byEndpoint(evidence.cases).flatMap((cases) => idle(cases, evidence)),
};

/** The rule: of the connections that were reset none had been silent for less than T, of those that went on none for longer. */
function idle(cases: readonly Case[], evidence: Evidence): Found[] {
  const [first] = cases;
  const silences = cases.reduce((sum, one) => sum + one.silences, 0);
  const server = cases.find((one) => one.server !== null)?.server ?? null;
  if (first === undefined || first.port === null || silences < LEAST_SILENCES || server === null) return [];
  // A service that was away has forgotten its connections itself.
  if (evidence.at(first.ip, first.port).some(({ cause }) => cause === 'closed-port')) return [];
  const facts = evidence.serverFacts(server);
  const shortest = Math.min(...cases.map(({ shortestSilence }) => shortestSilence));
  const longest = Math.max(...cases.map(({ longestSilence }) => longestSilence));
  const survived = facts?.longestSilence ?? null;
  if (facts === null || survived === null || survived >= shortest) return [];
  const place = placeWords(first.ip, first.port);
  const known = DEVICE_TIMERS.filter(([seconds]) => seconds > survived && seconds <= shortest * 1.02);
  const isForgotten = cases.some(({ cause }) => cause === 'half-open');
  const half = Math.max(1, Math.floor(shortest / 2));
  return [
    {
      severity: 'warning',
      summary: `a device on the way to ${place} forgets connections that are silent for ${spanWords(survived)} to ${spanWords(shortest)}: ${plural(silences, 'connection')} were reset when they spoke again${isForgotten ? '; or the server was restarted, and forgot them all at once' : ''}`,
      evidence: [
        `of those that were reset none had been silent for less than ${spanWords(shortest)} (at most ${spanWords(longest)})`,
        `of those that went on after a silence (${String(facts.survivals)} times) none had been silent for more than ${spanWords(survived)}`,
        ...known.map(([seconds, names]) => `${String(seconds)} s is the timer of ${names}`),
        ...exampleWords(first.example),
      ],
      next_steps: [
        `sysctl net.netfilter.nf_conntrack_tcp_timeout_established   # on the device, if it is Linux: above the longest silence`,
        `sudo sysctl -w net.ipv4.tcp_keepalive_time=${String(half)}   # at an end whose program sets SO_KEEPALIVE: probes before the timer fires`,
        ...ladderStep(first.example, evidence),
      ],
      ports: [first.port],
      hosts: [first.ip],
      resets: silences,
    },
  ];
}

/** Of the causes that count. */
function byEndpoint(cases: readonly Case[]): Case[][] {
  const endpoints = new Map<string, Case[]>();
  for (const one of cases) {
    if (!FORGOTTEN.includes(one.cause) || one.silences === 0) continue;
    const key = `${one.ip}|${String(one.port)}`;
    const known = endpoints.get(key);
    if (known === undefined) endpoints.set(key, [one]);
    else known.push(one);
  }
  return [...endpoints.values()];
}
