/** Resets that neither end meant: forged ones, and those that came past a NAT. */

import { plural } from '../../base/text.js';
import { placeWords } from '../../report/sentence-words.js';
import { exampleWords } from '../case.js';
import type { Finder, Found } from '../finder.js';
import { ladderStep } from '../steps.js';

export const injection: Finder = {
  id: 'injection',
  find: (evidence) =>
    evidence.cases.flatMap((one): Found[] => {
      if (one.cause !== 'injected' || one.sure === 0) return [];
      const place = one.port === null ? one.ip : placeWords(one.ip, one.port);
      return [
        {
          severity: 'warning',
          summary: `somebody on the way forges resets in the name of ${one.by === 'client' ? `clients of ${place}` : place}: ${plural(one.resets, 'reset')}`,
          evidence: exampleWords(one.example),
          next_steps: [
            ...ladderStep(one.example, evidence),
            'sudo tcpdump -i any -s 128 -w client.pcap tcp   # at both ends at once: server.pcap on the other',
            'rstscope compare client.pcap server.pcap   # which of them only one end saw',
          ],
          ports: one.port === null ? [] : [one.port],
          hosts: [one.ip],
          resets: one.resets,
        },
      ];
    }),
};

export const natBypass: Finder = {
  id: 'nat-bypass',
  find: (evidence) =>
    evidence.cases.flatMap((one): Found[] => {
      const { elsewhere, elsewheres } = one;
      const other = elsewhere?.reset.conversation.elsewhere ?? null;
      if (elsewhere === null || other === null) return [];
      const { srcIp, srcPort, destIp, destPort } = elsewhere.reset;
      const from = placeWords(srcIp, srcPort);
      const to = placeWords(destIp, destPort);
      return [
        {
          severity: 'notice',
          summary: `${from} resets ${to}, to which it has no connection, with the numbers of its connection to ${placeWords(other.ip, other.port)}: a segment of that server came past the NAT between them`,
          evidence: [
            `its sequence number ${String(elsewhere.reset.seq)} is one that ${from} uses in its connection to ${placeWords(other.ip, other.port)}`,
            `${from} sent nothing else to ${to}`,
            ...exampleWords(elsewhere),
          ],
          next_steps: [
            'sysctl net.netfilter.nf_conntrack_tcp_be_liberal   # on the host of the NAT',
            'sudo sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1   # segments out of the window are translated too',
            'sudo conntrack -S | grep -o "invalid=[0-9]*"',
            ...ladderStep(elsewhere, evidence),
          ],
          ports: [...new Set([destPort, other.port])],
          hosts: [...new Set([srcIp, destIp, other.ip])],
          resets: elsewheres,
        },
      ];
    }),
};
