/** One connection that makes most of the noise, and noise that needs nobody. */

import { grouped, plural } from '../../base/text.js';
import { summaryOf, type Episode } from '../../patterns/rows.js';
import { placeWords, spanWords } from '../../report/sentence-words.js';
import { exampleWords, type Case } from '../case.js';
import type { Evidence, Finder, Found } from '../finder.js';
import { fileWord, ladderStep, whoStep } from '../steps.js';

/** Resets of one connection; and they are at least half of what its server's port has. */
const LEAST_OF_ONE = 10;
const LEAST_SECONDS = 3;

export const stuckFlow: Finder = {
  id: 'stuck-flow',
  find: (evidence) => {
    const found = evidence.cases.flatMap((one) => stuck(one, evidence));
    // One connection may have resets of several causes.
    const most = new Map<string, Found>();
    for (const one of found) {
      const known = most.get(one.flow);
      if (known === undefined || known.resets < one.resets) most.set(one.flow, one.finding);
    }
    return [...most.values()];
  },
};

interface Stuck {
  readonly flow: string;
  readonly resets: number;
  readonly finding: Found;
}

function stuck(one: Case, evidence: Evidence): Stuck[] {
  const { mostOfOne } = one;
  if (mostOfOne === null || mostOfOne.count < LEAST_OF_ONE) return [];
  const { reset, count, since } = mostOfOne;
  const lasted = reset.seconds + reset.nanos / 1e9 - since;
  // Answers to segments that were on their way at once are no stuck connection.
  if (!(lasted >= LEAST_SECONDS)) return [];
  const all = evidence.at(one.ip, one.port).reduce((sum, { resets }) => sum + resets, 0);
  if (count * 2 < all) return [];
  const { lastReset } = reset.conversation.sender;
  const gap = lastReset === null ? null : reset.seconds + reset.nanos / 1e9 - lastReset.at;
  const from = placeWords(reset.srcIp, reset.srcPort);
  const to = placeWords(reset.destIp, reset.destPort);
  const finding: Found = {
    severity: 'notice',
    summary: `one connection has ${plural(count, 'reset')} of the ${grouped(all)} at ${placeWords(one.ip, one.port ?? reset.srcPort)}: ${from} resets ${to} again and again`,
    evidence: [
      `they go on for ${spanWords(lasted)}${gap === null || gap <= 0 ? '' : `; the last two are ${spanWords(gap)} apart`}`,
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
  };
  return [{ flow: `${from}|${to}`, resets: count, finding }];
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
      count: episodes.filter((each) => isHarmless(each, name)).reduce((sum, each) => sum + each.resets, 0),
    })).filter(({ count }) => count > 0);
    const all = patterned.reduce((sum, { count }) => sum + count, closing);
    if (all === 0) return [];
    const words = files.map(fileWord);
    const isShort = words.length > 0 && words.length <= MOST_TOLD && !words.includes(null);
    const again = live ? 'sudo rstscope live' : isShort ? `rstscope read ${words.join(' ')}` : null;
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
        next_steps: [
          ...(closing === 0 ? [] : ['rstscope explain close-reset']),
          ...(exclude === '' || again === null ? [] : [`${again} --exclude-pattern ${exclude}   # leaves them out`]),
        ],
        ports: [],
        hosts: [],
        resets: all,
      },
    ];
  },
};

/** Answers that somebody false has called for: only where those who answer are captured, too, is it known that they did not call. */
function isHarmless({ pattern, cells }: Episode, name: (typeof HARMLESS)[number]): boolean {
  if (pattern !== name) return false;
  return name !== 'backscatter' || cells.some(({ habit: { answered } }) => answered);
}

const WHY: Readonly<Record<(typeof HARMLESS)[number], string>> = {
  'health-check': 'of health checks, which open a connection and reset it without a word',
  backscatter: 'answers to segments that somebody sent in a false name',
};
