/**
 * Sums of scores, and whether they are good enough. The bounds stand here and nowhere else.
 */
import { JUDGEMENTS, MODES, type Judgement, type Mode, type Score, type Scored } from './score.js';

export const SURE = ['certain', 'likely', 'possible'] as const;
export type Sure = (typeof SURE)[number];

/** A share that must be reached, and of what. */
interface Bound {
  readonly least: number;
  readonly of: readonly Judgement[];
}

export const MODE_BOUNDS: Readonly<Partial<Record<Mode, Bound>>> = {
  full: { least: 0.98, of: ['right'] },
  resets: { least: 0.99, of: ['right', 'less specific'] },
  live: { least: 1, of: ['right'] },
};
export const SURE_BOUNDS: Readonly<Record<Sure, number>> = { certain: 1, likely: 0.95, possible: 0.6 };

export interface Share {
  readonly true: number;
  readonly all: number;
}

export interface Figures {
  readonly resets: number;
  readonly judgements: Readonly<Record<Judgement, number>>;
  /** Of what was said so surely, how much was true. */
  readonly calibration: Readonly<Record<Sure, Share>>;
  /** Said with no confidence at all: in no calibration. */
  readonly unsure: number;
  readonly falseInjected: number;
  readonly invented: number;
}

export function figures({ scored, invented }: Score): Figures {
  const said = scored.filter(({ answer }) => answer !== null);
  const sure = (level: string): Scored[] => said.filter(({ answer }) => answer?.confidence === level);
  const share = (level: Sure): Share => ({ true: sure(level).filter(isTrue).length, all: sure(level).length });
  return {
    resets: scored.length,
    judgements: counted(scored),
    calibration: { certain: share('certain'), likely: share('likely'), possible: share('possible') },
    unsure: sure('unknown').length,
    falseInjected: said.filter(({ answer, judgement }) => answer?.cause === 'injected' && judgement !== 'right').length,
    invented: invented.length,
  };
}

export function counted(scored: readonly Scored[]): Record<Judgement, number> {
  const counts: Record<Judgement, number> = { right: 0, 'less specific': 0, wrong: 0, missing: 0 };
  for (const { judgement } of scored) counts[judgement] += 1;
  return counts;
}

/** What was right, or said less. */
export function isTrue({ judgement }: Scored): boolean {
  return judgement === 'right' || judgement === 'less specific';
}

export function ofMode({ scored, invented }: Score, mode: Mode): Score {
  return { scored: scored.filter((one) => one.mode === mode), invented: invented.filter((one) => one.mode === mode) };
}

/** One sentence for each bound that was missed. */
export function missed(score: Score): string[] {
  const found: string[] = [];
  for (const mode of MODES) {
    const sums = figures(ofMode(score, mode));
    const bound = MODE_BOUNDS[mode];
    if (bound !== undefined) {
      const good = JUDGEMENTS.filter((one) => bound.of.includes(one)).reduce(
        (sum, one) => sum + sums.judgements[one],
        0,
      );
      // Where nothing was seen, nothing was shown.
      if (sums.resets === 0 || good < bound.least * sums.resets) {
        found.push(
          `${mode}: ${good} of ${sums.resets} ${bound.of.join(' or ')}, at least ${percent(bound.least)} wanted`,
        );
      }
    }
    if (sums.invented > 0) found.push(`${mode}: ${sums.invented} resets that never were`);
    if (sums.falseInjected > 0) found.push(`${mode}: ${sums.falseInjected} resets falsely called injected`);
    found.push(...uncalibrated(mode, sums));
  }
  return [...found, ...uncalibrated('over all', figures(score))];
}

function uncalibrated(name: string, { calibration }: Figures): string[] {
  return SURE.filter((level) => calibration[level].true < SURE_BOUNDS[level] * calibration[level].all).map((level) => {
    const { true: good, all } = calibration[level];
    return `${name}: ${good} of ${all} that were called ${level} true, at least ${percent(SURE_BOUNDS[level])} wanted`;
  });
}

export function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}
