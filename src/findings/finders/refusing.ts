/** Connections that are turned away though somebody listens: a full queue, a packet filter. */

import { plural } from '../../base/text.js';
import { periodWords, placeWords, programWords } from '../../report/sentence-words.js';
import { exampleWords } from '../case.js';
import type { Finder, Found } from '../finder.js';
import { ladderStep, whoStep } from '../steps.js';
import { courseOf } from './service.js';

/** What is only possible counts when it comes again. */
const LEAST_POSSIBLE = 3;

export const listenQueueFull: Finder = {
  id: 'listen-queue-full',
  find: (evidence) =>
    evidence.cases.flatMap((one): Found[] => {
      if (one.cause !== 'listen-queue-full' || (one.sure === 0 && one.resets < LEAST_POSSIBLE)) return [];
      const program = one.senders.only;
      const place = placeWords(one.ip, one.port ?? 0);
      return [
        {
          severity: 'warning',
          summary: `${program === null ? place : `${programWords(program)} at ${place}`} accepts more slowly than connections come: its queue was full and ${plural(one.resets, 'connection')} reset (tcp_abort_on_overflow is 1)`,
          evidence: [periodWords(one.first, one.last), ...exampleWords(one.example)],
          next_steps: [
            `ss -ltn 'sport = :${String(one.port)}'   # Recv-Q above Send-Q: full`,
            'nstat -az TcpExtListenOverflows TcpExtListenDrops',
            'sysctl net.core.somaxconn net.ipv4.tcp_abort_on_overflow',
            'sudo rstscope health',
            ...ladderStep(one.example, evidence),
          ],
          ports: one.port === null ? [] : [one.port],
          hosts: [one.ip],
          resets: one.resets,
        },
      ];
    }),
};

export const firewallRejecting: Finder = {
  id: 'firewall-rejecting',
  find: (evidence) =>
    evidence.cases.flatMap((one): Found[] => {
      // Where none is likely, all may rest on one TTL: then it takes that others were served meanwhile.
      const isOften = one.resets >= LEAST_POSSIBLE && one.acceptedBetween;
      if (one.cause !== 'firewall-reject' || (one.sure === 0 && !isOften)) return [];
      if (courseOf(one, evidence) !== null) return [];
      const place = one.port === null ? one.ip : placeWords(one.ip, one.port);
      const [client = ''] = one.clients;
      const from = one.clients.size === 1 ? client : plural(one.clients.size, 'client');
      return [
        {
          severity: 'notice',
          summary: `a packet filter answers ${from} in the name of ${one.by === 'client' ? `clients of ${place}` : place}: ${plural(one.resets, 'reset')}`,
          evidence: [
            ...(one.silent > 0
              ? [`of ${plural(one.silent, 'reset')} the TCP of that host says that it did not send them`]
              : []),
            ...(one.listening === true ? ['somebody listens at that port'] : []),
            ...exampleWords(one.example),
          ],
          next_steps: [
            'sudo nft list ruleset | grep -n reject',
            'sudo iptables-save | grep -n REJECT; sudo ip6tables-save | grep -n REJECT',
            ...whoStep(one.port, evidence),
            ...ladderStep(one.example, evidence),
          ],
          ports: one.port === null ? [] : [one.port],
          hosts: [one.ip],
          resets: one.resets,
        },
      ];
    }),
};
