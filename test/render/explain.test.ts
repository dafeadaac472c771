/** Explanations as pages and as JSON. */
import { describe, expect, test } from '@jest/globals';
import { causesJson, explanationJson, sharedJson } from '../../src/render/explain-json.js';
import { renderCauses, renderExplanation, renderShared } from '../../src/render/explain-page.js';
import type { Explanation, SharedWord } from '../../src/report/explanations/explanation.js';
import { EXPLANATIONS, GROUPS, SHARED } from '../../src/report/explanations/find.js';
import { CAUSES } from '../../src/report/types.js';
import { columnsOf, withoutColor } from '../../src/render/text-width.js';
import { HOSTILE, PLAIN } from './sample-report.js';
import { asShipped, strictly } from './strict-schema.js';

const TOOL = { name: 'rstscope', version: '0.1.0' };
const SAMPLE: Explanation = {
  cause: 'half-open',
  title: 'a host forgot the connection',
  meaning: 'One end believes in a connection that the other end does not know any more, and says so with a reset.',
  recognised_by: ['a bare R', 'no FIN before it'],
  certainty: 'Likely.',
  next_steps: [{ say: 'See it.', type: 'rstscope read FILE' }, { say: 'Wait.' }],
  counters: [{ name: 'OutRsts', says: 'one more' }],
  sysctls: [
    { name: 'net.ipv4.tcp_keepalive_time', says: 'seconds before the first probe, which is much too long here' },
  ],
  aliases: ['half opened', 'stale'],
};
const WORD: SharedWord = {
  words: ['timeout'],
  says: 'It sends no reset.',
  causes: [
    { cause: 'late-data', when: 'a FIN came first' },
    { cause: 'abort-timeout', when: 'probes' },
  ],
};

describe('the page', () => {
  test('of a cause says it all', () => {
    expect(renderExplanation(SAMPLE, PLAIN)).toBe(
      [
        'half-open: a host forgot the connection',
        '',
        '  One end believes in a connection that the other end does not know any more,',
        '  and says so with a reset.',
        '',
        'How it is recognised',
        '  · a bare R',
        '  · no FIN before it',
        '',
        'How sure that is',
        '  Likely.',
        '',
        'What to do',
        '  1. See it.',
        '      rstscope read FILE',
        '  2. Wait.',
        '',
        "The kernel's counters (nstat)",
        '  OutRsts  one more',
        '',
        'Settings (sysctl)',
        '  net.ipv4.tcp_keepalive_time  seconds before the first probe, which is much too',
        '                               long here',
        '',
        'Also found as: half opened, stale',
        '',
      ].join('\n'),
    );
  });
  test('leaves out what there is none of', () => {
    expect(renderExplanation({ ...SAMPLE, counters: [], sysctls: [] }, PLAIN)).not.toMatch(/counters|Settings/);
  });
  test('of a word that several causes share says which is which', () => {
    expect(renderShared('Timeout', WORD, PLAIN)).toBe(
      [
        'Timeout can be one of several causes',
        '',
        '  It sends no reset.',
        '',
        'Which is which',
        '  late-data      a FIN came first',
        '  abort-timeout  probes',
        '',
        'rstscope explain late-data tells all of one.',
        '',
      ].join('\n'),
    );
  });
  test('of all causes has a line for each, at 80 columns', () => {
    const lines = renderCauses(GROUPS, PLAIN).split('\n');
    for (const { cause, title } of EXPLANATIONS) {
      expect(lines.filter((line) => line.startsWith(`  ${cause} `))).toEqual([expect.stringMatching(/ {2}\S.*$/)]);
      expect(lines).toContainEqual(expect.stringContaining(`  ${title}`));
    }
  });
  const pages = (style: typeof PLAIN): string[] => [
    ...EXPLANATIONS.map((one) => renderExplanation(one, style)),
    ...SHARED.map((one) => renderShared(one.words[0] ?? '', one, style)),
    renderCauses(GROUPS, style),
  ];
  test.each([40, 60, 80, 81, 120, 200])('fits %d columns, but for what is there to be copied', (width) => {
    const whole = new Set(
      EXPLANATIONS.flatMap(({ next_steps, sysctls }) => [
        ...next_steps.map(({ type }) => `      ${type ?? ''}`),
        ...sysctls.map(({ name }) => `  ${name}`),
      ]),
    );
    for (const page of pages({ ...PLAIN, width })) {
      for (const line of page.split('\n')) {
        if (!whole.has(line)) expect([line, columnsOf(line) <= Math.min(width, 100)]).toEqual([line, true]);
      }
    }
  });
  test('is the same under its colours', () => {
    expect(pages({ ...PLAIN, color: 1 }).map(withoutColor)).toEqual(pages(PLAIN));
  });
  test('is ASCII where the terminal knows no more', () => {
    expect(pages({ ...PLAIN, unicode: false }).join('')).toMatch(/^[ -~\n]*$/);
  });
  test('has no command broken into lines', () => {
    const types = EXPLANATIONS.flatMap(({ next_steps }) => next_steps.flatMap(({ type }) => type ?? []));
    const all = pages({ ...PLAIN, width: 40 })
      .join('')
      .split('\n');
    for (const type of types) expect(all).toContain(`      ${type}`);
  });
});

describe('the document', () => {
  test.each(CAUSES)('of %s is valid by the schema', (cause) => {
    const one = EXPLANATIONS.find((explanation) => explanation.cause === cause) ?? SAMPLE;
    const document = JSON.parse(explanationJson(one, TOOL)) as Record<string, unknown>;
    expect(strictly('explain')(document)).toEqual([]);
    expect(asShipped(document)).toEqual([]);
    expect(document).toMatchObject({ type: 'explain', cause, title: one.title, event: null, ladder: [], rules: [] });
  });
  test('has its keys in order, lists of plain values', () => {
    expect(JSON.parse(explanationJson(SAMPLE, TOOL))).toEqual({
      ...{ type: 'explain', schema_version: 1, tool: TOOL, cause: 'half-open', title: SAMPLE.title },
      ...{ meaning: SAMPLE.meaning, recognised_by: SAMPLE.recognised_by, certainty: 'Likely.' },
      next_steps: ['See it. Type: rstscope read FILE', 'Wait.'],
      ...{ counters: ['OutRsts'], sysctls: ['net.ipv4.tcp_keepalive_time'], aliases: SAMPLE.aliases },
      ...{ asked: null, event: null, ladder: [], earlier_segments: null, later_segments: null, rules: [] },
    });
  });
  test('of all causes, and of a word, is valid by the schema', () => {
    const all = JSON.parse(causesJson(GROUPS, TOOL)) as { causes: { cause: string }[] };
    const some = JSON.parse(sharedJson('Timeout', WORD, GROUPS, TOOL)) as { causes: unknown[] };
    for (const document of [all, some]) {
      expect(strictly('causes')(document)).toEqual([]);
      expect(asShipped(document)).toEqual([]);
    }
    expect(all).toMatchObject({ type: 'causes', asked: null, meaning: null });
    expect(all.causes.map(({ cause }) => cause).sort()).toEqual([...CAUSES].sort());
    expect(some).toMatchObject({ asked: 'Timeout', meaning: 'It sends no reset.' });
    expect(some.causes).toMatchObject([
      { cause: 'late-data', when: 'a FIN came first' },
      { cause: 'abort-timeout', when: 'probes' },
    ]);
  });
});

test('a word that was typed can not steer the terminal', () => {
  const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
  expect(renderShared(HOSTILE, WORD, PLAIN)).not.toMatch(STEERING);
  expect(sharedJson(HOSTILE, WORD, GROUPS, TOOL)).not.toMatch(STEERING);
});
