/** One connection that makes most of the noise, and noise that needs nobody. */

import { grouped, plural } from '../../base/text.js';
import { summaryOf } from '../../patterns/rows.js';
import { placeWords, spanWords } from '../../report/sentence-words.js';
import { exampleWords, type Case } from '../case.js';
import type { Evidence, Finder, Found } from '../finder.js';
import { ladderStep, shellWord, whoStep } from '../steps.js';

/** Resets of one connection; and they are at least half of what its server's port has. */
const LEAST_OF_ONE = 10;

export const stuckFlow: Finder = {
  id: 'stuck-flow',
  find: (evidence) => evidence.cases.flatMap((one) => stuck(one, evidence)),
};

function stuck(one: Case, evidence: Evidence): Found[] {
  const { mostOfOne } = one;
  const all = evidence.cases
    .filter(({ ip, port }) => ip === one.ip && port === one.port)
    .reduce((sum, { resets }) => sum + resets, 0);
  if (mostOfOne === null || mostOfOne.count < LEAST_OF_ONE || mostOfOne.count * 2 < all) return [];
  const { reset, count } = mostOfOne;
  const { lastReset } = reset.conversation.sender;
  const gap = lastReset === null ? null : reset.seconds + reset.nanos / 1e9 - lastReset.at;
  const from = placeWords(reset.srcIp, reset.srcPort);
  const to = placeWords(reset.destIp, reset.destPort);
  return [
    {
      severity: 'notice',
      summary: `one connection has ${plural(count, 'reset')} of the ${grouped(all)} at ${placeWords(one.ip, one.port ?? reset.srcPort)}: ${from} resets ${to} again and again`,
      evidence: [
        ...(gap === null || gap <= 0 ? [] : [`the last two are ${spanWords(gap)} apart`]),
        ...(reset.conversation.receiver.seen ? [] : ['no segment of the other side was captured']),
        ...exampleWords({ reset, evidence: reset.verdict.evidence }),
      ],
      next_steps: [
        `ss -tnpo 'sport = :${String(reset.destPort)}'   # on ${reset.destIp}: who holds on to it`,
        ...whoStep(one.port, evidence),
        ...ladderStep({ reset, evidence: [] }, evidence),
      ],
      ports: one.port === null ? [] : [one.port],
      hosts: [...new Set([reset.srcIp, reset.destIp])],
      resets: count,
    },
  ];
}

const MOST_TOLD = 3;
const HARMLESS = ['health-check', 'backscatter'] as const;

export const noAction: Finder = {
  id: 'no-action',
  find: ({ cases, episodes, resets, files, live }) => {
    const closing = cases
      .filter(({ cause }) => cause === 'close-reset')
      .reduce((sum, one) => sum + one.besides(HARMLESS), 0);
    const patterned = HARMLESS.map((name) => ({
      name,
      count: episodes.filter(({ pattern }) => pattern === name).reduce((sum, each) => sum + each.resets, 0),
    })).filter(({ count }) => count > 0);
    const all = patterned.reduce((sum, { count }) => sum + count, closing);
    if (all === 0) return [];
    const [file = ''] = files;
    const again = live ? 'sudo rstscope live' : `rstscope read ${shellWord(file)}`;
    const abused = episodes
      .filter(({ pattern }) => pattern === 'backscatter')
      .slice(0, MOST_TOLD)
      .map(summaryOf);
    const exclude = patterned.map(({ name }) => name).join(',');
    return [
      {
        severity: 'info',
        summary: `${grouped(all)} of ${plural(resets, 'reset')} ${all === 1 ? 'needs' : 'need'} no action`,
        evidence: [
          ...(closing === 0 ? [] : [`${plural(closing, 'reset')} came after both sides had finished (close-reset)`]),
          ...patterned.map(({ name, count }) => `${plural(count, 'reset')} ${count === 1 ? 'is' : 'are'} ${WHY[name]}`),
          ...abused,
        ],
        next_steps:
          exclude === ''
            ? ['rstscope explain close-reset']
            : [`${again} --exclude-pattern ${exclude}   # leaves them out`],
        ports: [],
        hosts: [],
        resets: all,
      },
    ];
  },
};

const WHY: Readonly<Record<(typeof HARMLESS)[number], string>> = {
  'health-check': 'of health checks, which open a connection and reset it without a word',
  backscatter: 'answers to segments that somebody sent in a false name',
};
