/** The judge of the program is judged first: what is right, wrong, missing, and which bounds are kept. */
import { describe, expect, test } from '@jest/globals';
import type { Cause, Confidence } from '../../../src/conversation/verdict.js';
import type { Truth } from '../truth.js';
import { answersOf, type Answer } from './answers.js';
import { figures, missed } from './figures.js';
import { page } from './page.js';
import { judge, MODES, score, type Mode, type Score } from './score.js';

function truth(changes: Partial<Truth> = {}): Truth {
  return {
    ...{ frame: 1, time: 100, src: '10.0.0.1', sport: 80, dst: '10.0.0.2', dport: 5000, seq: 1, ack: 2, flags: 'R.' },
    ...{ scenario: 'linger-server', role: 'abort', reset_by: 'server', kernel: null, received: true },
    ...{ cause: 'abort-linger', packets: ['abort', 'abort-linger'] },
    ...changes,
  };
}

function answer(cause: Cause, changes: Partial<Answer> = {}): Answer {
  return {
    ...{ id: 'a', epoch: 100, src_ip: '10.0.0.1', src_port: 80, dest_ip: '10.0.0.2', dest_port: 5000, seq: 1, ack: 2 },
    ...{ cause, confidence: 'likely', evidence: ['seen'], kernel_reason: null, kernel_path: null },
    ...changes,
  };
}

function scored(mode: Mode, truths: readonly Truth[], answers: readonly Answer[]): Score {
  return score({ mode, seed: 1, timestamps: 1, source: 'all.pcap' }, truths, answers);
}

/** A hundred resets of which `wrong` are called something else. */
function hundred(mode: Mode, cause: Cause, confidence: Confidence, wrong: number, otherwise: Cause): Score {
  const truths = Array.from({ length: 100 }, (_, i) => truth({ seq: i }));
  const said = truths.map(({ seq }) => answer(seq < wrong ? otherwise : cause, { id: `${seq}`, seq, confidence }));
  return scored(mode, truths, said);
}

function together(...scores: readonly Score[]): Score {
  return { scored: scores.flatMap((one) => one.scored), invented: scores.flatMap((one) => one.invented) };
}

/** Each mode with a bound, all right. */
function perfect(): Score {
  return together(
    ...(['full', 'resets', 'live'] as const).map((mode) => hundred(mode, 'abort-linger', 'certain', 0, 'abort')),
  );
}

describe('an answer is judged', () => {
  test('right when it is what packets allow, unless the kernel was asked', () => {
    expect(MODES.map((mode) => judge(mode, truth(), answer('abort')))).toEqual([
      ...['right', 'right', 'right'],
      ...['less specific', 'less specific'],
    ]);
    expect(MODES.map((mode) => judge(mode, truth(), answer('abort-linger')))).toEqual(MODES.map(() => 'right'));
  });

  test('less specific when it is true but not all', () => {
    const less = (cause: string, said: Cause): string =>
      judge('live', truth({ cause, packets: [cause] }), answer(said));
    expect(less('injected', 'unknown')).toBe('less specific');
    expect(less('listener-closed', 'abort')).toBe('less specific');
    expect(less('client-gave-up', 'half-open')).toBe('less specific');
    expect(less('late-data', 'half-open')).toBe('wrong');
    expect(less('half-open', 'abort')).toBe('wrong');
    expect(less('abort', 'abort-linger')).toBe('wrong');
  });
});

describe('answers and truths', () => {
  test('belong together by tuple and numbers, and by time where these repeat', () => {
    const truths = [truth({ time: 100 }), truth({ time: 200, cause: 'closed-port' })];
    const answers = [answer('closed-port', { id: 'b', epoch: 200 }), answer('abort-linger', { id: 'a', epoch: 100 })];
    const { scored: found, invented } = scored('live', truths, answers);
    expect(found.map(({ answer: one, judgement }) => [one?.id, judgement])).toEqual([
      ['a', 'right'],
      ['b', 'right'],
    ]);
    expect(invented).toEqual([]);
  });

  test('that find nobody are missing, and invented', () => {
    const { scored: found, invented } = scored('full', [truth()], [answer('abort', { ack: null })]);
    expect(found.map(({ judgement }) => judgement)).toEqual(['missing']);
    expect(invented.map(({ answer: one }) => one.ack)).toEqual([null]);
  });

  test('are read with their revisions', () => {
    const lines = [
      { type: 'start' },
      { type: 'reset', ...answer('unknown') },
      { type: 'revision', id: 'a', cause: 'abort-linger', confidence: 'certain' },
    ].map((line) => JSON.stringify(line));
    expect(answersOf(`${lines.join('\n')}\n`)).toEqual([answer('abort-linger', { confidence: 'certain' })]);
    expect(() => answersOf('{"type":"revision","id":"b"}\n')).toThrow('never said');
  });
});

describe('the bounds', () => {
  test('are kept where everything is right', () => {
    expect(missed(perfect())).toEqual([]);
  });

  test('are missed by one answer too many', () => {
    const full = (wrong: number): string[] =>
      missed(together(perfect(), { ...hundred('full', 'abort', 'unknown', wrong, 'closed-port') }));
    expect(full(4)).toEqual([]);
    expect(full(5)).toEqual(['full: 195 of 200 right, at least 98 % wanted']);
    const resets = (wrong: number): string[] =>
      missed(together(perfect(), hundred('resets', 'unknown', 'unknown', wrong, 'closed-port')));
    expect(resets(2)).toEqual([]);
    expect(resets(3)).toEqual(['resets: 197 of 200 right or less specific, at least 99 % wanted']);
    expect(missed(together(perfect(), hundred('live', 'abort-linger', 'certain', 1, 'abort')))).toEqual([
      'live: 199 of 200 right, at least 100 % wanted',
    ]);
  });

  test('are missed where nothing was measured', () => {
    expect(missed({ scored: [], invented: [] })).toHaveLength(3);
  });

  test('ask of each word of confidence what it is worth', () => {
    const control = (confidence: Confidence, wrong: number): string[] =>
      missed(together(perfect(), hundred('control', 'abort', confidence, wrong, 'closed-port')));
    expect(control('certain', 1)).toContain('control: 99 of 100 that were called certain true, at least 100 % wanted');
    expect(control('likely', 5)).toEqual([]);
    expect(control('likely', 6)).toHaveLength(2);
    expect(control('possible', 40)).toEqual([]);
    expect(control('possible', 41)).toHaveLength(2);
    expect(control('unknown', 100)).toEqual([]);
  });

  test('let nothing be called injected falsely, nor be invented', () => {
    expect(missed(together(perfect(), hundred('control', 'abort', 'possible', 1, 'injected')))).toEqual([
      'control: 1 resets falsely called injected',
    ]);
    expect(missed(together(perfect(), scored('live-resets', [], [answer('abort')])))).toEqual([
      'live-resets: 1 resets that never were',
    ]);
  });

  test('count what was missing as neither right nor sure', () => {
    const sums = figures(scored('full', [truth()], []));
    expect(sums.judgements).toEqual({ right: 0, 'less specific': 0, wrong: 0, missing: 1 });
    expect(sums.calibration.likely).toEqual({ true: 0, all: 0 });
  });
});

test('the page says the same of the same scores, and lists what is wrong', () => {
  const setting = { linux: '6.18', node: '20.0.0', repetitions: 1, seed: 1 };
  const one = together(perfect(), hundred('control', 'abort', 'possible', 3, 'late-data'));
  const text = page(one, setting);
  expect(page(one, setting)).toBe(text);
  expect(text).toContain(
    '| control | linger-server | abort | abort-linger | late-data | possible |  | 3 | IPv4 | on |',
  );
  expect(text).toContain('| abort-linger | 100 | 97 |  | 3 |  | abort 97, late-data 3 |');
  expect(page(perfect(), setting)).toContain('None.');
});
