/**
 * Scores as a page of Markdown: shares, calibration, each cause, each wrong answer. The same scores make the same page,
 * whenever and wherever.
 */
import type { Answer } from './answers.js';
import { figures, MODE_BOUNDS, ofMode, percent, SURE, SURE_BOUNDS, counted, type Figures } from './figures.js';
import { JUDGEMENTS, MODES, type Mode, type Score, type Scored } from './score.js';

export interface Setting {
  readonly linux: string;
  readonly node: string;
  readonly repetitions: number;
  readonly seed: number;
}

const NAMES: Readonly<Record<Mode, string>> = {
  full: 'Full capture',
  control: 'Control segments',
  resets: 'Resets only',
  live: 'Live, full context, traced',
  'live-resets': 'Live, resets only, traced',
};
const MEANINGS: Readonly<Record<Mode, string>> = {
  full: '`read` of all TCP',
  control: '`read` of what a filter for SYN, FIN and RST records',
  resets: '`read` of what a filter for RST records',
  live: '`live --context full`, the kernel traced',
  'live-resets': '`live` as it is by default, the kernel traced',
};

export function page(score: Score, setting: Setting): string {
  const { linux, node, repetitions, seed } = setting;
  const labels = ['mode', 'what it is', 'resets', ...JUDGEMENTS, 'wanted'];
  return [
    '# Accuracy: what is said of resets whose cause is known',
    `Written by \`npm run accuracy -- --repetitions ${repetitions} --seed ${seed}\` on Linux ${linux}, Node.js ${node}. Run it again (root, and the tools of \`test/lab\`) and this page is written again; the rest is as it comes out there.`,
    `The lab (\`test/lab\`) makes each kind of reset for real, between network namespaces, ${repetitions} times: ${circumstances(score)}; ports, sizes and delays by chance. What each reset is was written down before any program was asked (\`test/lab/truth.tsv\`), and the lab holds the kernel's own word on each against it.`,
    '## What counts',
    MEANING_OF_WORDS,
    '## Result',
    table(
      labels,
      MODES.map((mode) => modeRow(mode, figures(ofMode(score, mode)))),
    ),
    '## Calibration',
    `Of what was said so surely, how much was true: right, or less specific. Wanted: ${SURE.map((level) => `${level} ${percent(SURE_BOUNDS[level])}`).join(', ')}; false \`injected\` none.`,
    calibration(score),
    ...MODES.flatMap((mode) => [`## ${NAMES[mode]}`, causes(ofMode(score, mode).scored)]),
    '## Not right',
    'Every answer that is wrong or missing, and where the kernel was asked with everything to see, those that say less. Alike ones in one row, with the evidence of the first.',
    mistakes(score.scored),
    ...inventions(score),
  ]
    .map((part) => `${part}\n`)
    .join('\n');
}

const MEANING_OF_WORDS = [
  '- **right**: the cause itself. Where the kernel could not be asked (`read`), also what packets allow at best: the column `packets` of `truth.tsv`. Live, nothing but the cause.',
  '- **less specific**: true, but not all of it: `unknown`; `abort` for one of its kinds; `half-open` (the kernel had no socket) for `client-gave-up`, `port-reuse`, `time-wait-assassination`, `close-reset`; `handshake-mismatch` for `port-reuse`.',
  '- **wrong**: anything else. **missing**: nothing was said of that reset.',
].join('\n');

function modeRow(mode: Mode, { resets, judgements }: Figures): string[] {
  const bound = MODE_BOUNDS[mode];
  const wanted = bound === undefined ? '' : `${percent(bound.least)} ${bound.of.join(' or ')}`;
  const shares = JUDGEMENTS.map((one) => share(judgements[one], resets));
  return [mode, MEANINGS[mode], String(resets), ...shares, wanted];
}

function share(part: number, all: number): string {
  return part === 0 ? '0' : `${part} (${percent(part / all)})`;
}

function calibration(score: Score): string {
  const row = (name: string, sums: Figures): string[] => [
    name,
    ...SURE.map((level) => {
      const { true: good, all } = sums.calibration[level];
      return all === 0 ? '' : `${good} of ${all} (${percent(good / all)})`;
    }),
    String(sums.unsure),
    String(sums.falseInjected),
  ];
  return table(
    ['mode', ...SURE, 'unknown', 'false injected'],
    [...MODES.map((mode) => row(mode, figures(ofMode(score, mode)))), row('over all', figures(score))],
  );
}

/** A row for each true cause. */
function causes(scored: readonly Scored[]): string {
  const rows = grouped(scored, ({ truth }) => truth.cause).map(([cause, list]) => {
    const counts = counted(list);
    const said = grouped(list, ({ answer }) => answer?.cause ?? '–').sort(([, a], [, b]) => b.length - a.length);
    return [
      cause,
      String(list.length),
      ...JUDGEMENTS.map((one) => String(counts[one] || '')),
      said.map(([name, { length }]) => `${name} ${length}`).join(', '),
    ];
  });
  return table(['cause', 'resets', ...JUDGEMENTS, 'said'], rows);
}

function mistakes(scored: readonly Scored[]): string {
  const bad = scored.filter(
    ({ mode, judgement }) =>
      judgement === 'wrong' || judgement === 'missing' || (mode === 'live' && judgement !== 'right'),
  );
  if (bad.length === 0) return 'None.';
  const alike = ({ mode, truth, answer }: Scored): string =>
    [
      ...[mode, truth.scenario, truth.role, truth.cause],
      ...[answer?.cause ?? 'missing', answer?.confidence ?? '', kernelWord(answer)],
    ].join('\t');
  const rows = grouped(bad, alike).map(([key, list]) => {
    const evidence = list[0]?.answer?.evidence ?? [];
    return [
      ...key.split('\t'),
      String(list.length),
      values(list, familyOf),
      values(list, ({ timestamps }) => (timestamps === 1 ? 'on' : 'off')),
      values(list, ({ source }) => source),
      values(list, ({ seed }) => String(seed)),
      evidence.join('; '),
    ];
  });
  const labels = ['mode', 'scenario', 'role', 'cause', 'said', 'confidence', 'kernel', 'times', 'family', 'timestamps'];
  return table([...labels, 'from', 'seeds', 'evidence'], rows);
}

function kernelWord(answer: Answer | null): string {
  return [answer?.kernel_reason ?? '', answer?.kernel_path ?? ''].join(' ').trim();
}

function inventions({ invented }: Score): string[] {
  if (invented.length === 0) return [];
  const rows = invented.map(({ mode, seed, source, answer }) => [mode, String(seed), source, answer.id, answer.cause]);
  return ['## Resets that never were', table(['mode', 'seed', 'from', 'id', 'said'], rows)];
}

function circumstances({ scored }: Score): string {
  return `families ${values(scored, familyOf)}, timestamps ${values(scored, ({ timestamps }) => (timestamps === 1 ? 'on' : 'off'))}`;
}

function familyOf({ truth }: Scored): string {
  return truth.src.includes(':') ? 'IPv6' : 'IPv4';
}

function values(scored: readonly Scored[], of: (one: Scored) => string): string {
  const natural = new Intl.Collator('en', { numeric: true });
  return [...new Set(scored.map(of))].sort((a, b) => natural.compare(a, b)).join(', ');
}

/** In the order of their names. */
function grouped(scored: readonly Scored[], of: (one: Scored) => string): [string, Scored[]][] {
  const groups = new Map<string, Scored[]>();
  for (const one of scored) groups.set(of(one), [...(groups.get(of(one)) ?? []), one]);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function table(labels: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(labels), line(labels.map(() => '---')), ...rows.map(line)].join('\n');
}
