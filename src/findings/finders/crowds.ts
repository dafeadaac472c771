/** Many at once: one who looks at everything, many who want one thing. */

import { grouped, plural } from '../../base/text.js';
import { clientWords, sameOf, summaryOf, targetsOf, type Episode } from '../../patterns/rows.js';
import { listWords, periodWords, placeWords } from '../../report/sentence-words.js';
import type { Finder, Found } from '../finder.js';
import { logStep, shellWord } from '../steps.js';

const MOST_HOSTS = 20;
const MOST_PORTS = 100;

export const scan: Finder = {
  id: 'scan',
  find: ({ episodes }) => episodes.filter(({ pattern }) => pattern === 'scan').flatMap(scanned),
};

function scanned(episode: Episode): Found[] {
  const { cells, resets } = episode;
  const [cell] = cells;
  if (cell === undefined) return [];
  const client = cell.client ?? '';
  const program = sameOf(cells, (each) => each.program?.pid ?? null) === null ? null : cell.program;
  const open = cells.filter(({ habit: { shape } }) => shape === 'probe').map(({ habit: { port } }) => port);
  const servers = [...new Set(cells.map(({ habit: { server } }) => server))];
  const ports = [...new Set(cells.map(({ habit: { port } }) => port))].sort((a, b) => a - b);
  return [
    {
      severity: 'notice',
      summary: `${program === null ? client : `${clientWords(cell)} at ${client}`} tries ${targetsOf(cells)}, as a scan does`,
      evidence: [
        summaryOf(episode),
        `${plural(resets, 'reset')}, at most of the places no more than three`,
        ...(open.length === 0
          ? []
          : [
              `of these ${plural(open.length, 'place')} answered: port${open.length === 1 ? '' : 's'} ${listWords(open)}`,
            ]),
        periodWords(Math.min(...cells.map(({ first }) => first)), Math.max(...cells.map(({ last }) => last))),
      ],
      next_steps: [
        ...(program === null
          ? [`whois ${shellWord(client)}   # whose address is it, and may it do that?`]
          : logStep(program)),
        'sudo ss -ltnp   # what it can find here',
        ...(program === null && !isLoopback(client)
          ? [
              `sudo ip route add blackhole ${shellWord(client)}   # if it has no business here: shuts it out; del lets it in again`,
            ]
          : []),
      ],
      ports: ports.slice(0, MOST_PORTS),
      hosts: [client, ...servers].slice(0, MOST_HOSTS),
      resets,
    },
  ];
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

export const flood: Finder = {
  id: 'flood',
  find: ({ episodes }) => episodes.filter(({ pattern }) => pattern === 'flood').flatMap(flooded),
};

function flooded(episode: Episode): Found[] {
  const { cells, resets } = episode;
  const [cell] = cells;
  if (cell === undefined) return [];
  const { server, port } = cell.habit;
  const place = placeWords(server, port);
  const refused = cells.filter(({ habit }) => habit.shape === 'refusal').reduce((sum, each) => sum + each.reported, 0);
  const probed = resets - refused;
  const once = cells.filter(({ client, count }) => client !== null && count === 1).length;
  return [
    {
      severity: 'warning',
      summary: `${place} is flooded: up to ${grouped(cell.endpoint.mostInTenSeconds)} resets in 10 s`,
      evidence: [
        summaryOf(episode),
        ...(refused > 0 ? [`${plural(refused, 'SYN')} refused`] : []),
        ...(probed > 0 ? [`${plural(probed, 'connection')} opened and reset without a word`] : []),
        ...(once > 0 ? [`${plural(once, 'address', 'addresses')} came once only: they may be false`] : []),
      ],
      next_steps: [
        'sysctl net.ipv4.tcp_syncookies net.ipv4.tcp_max_syn_backlog',
        `ss -Htn state syn-recv 'sport = :${String(port)}' | wc -l`,
        'sudo rstscope health   # what the kernel counts meanwhile',
      ],
      ports: [port],
      hosts: [server],
      resets,
    },
  ];
}
