/** Two saved reports compared: which ports and causes have more resets, or fewer, than before. */

import { grouped } from '../base/text.js';
import type { CauseChange, ComparedReport, Comparison, PortChange } from './comparison-types.js';
import type { SavedReport } from './saved-report.js';
import { SCHEMA_VERSION, type Tool } from './types.js';

/** Windows that differ by less are as long as each other. */
const MOST_DIFFERENT = 0.05;
/** Ports that the sentence names. */
const MOST_NAMED = 3;

export function compareReports(before: SavedReport, after: SavedReport, tool: Tool): Comparison {
  const [b, a] = [before.told, after.told];
  const byRate = isByRate(b, a);
  const ports = [...new Set([...before.ports.keys(), ...after.ports.keys()])].map((port): PortChange => {
    const [was, is] = [before.ports.get(port), after.ports.get(port)];
    return { port, service: is?.service ?? was?.service ?? null, ...changeOf(was?.resets ?? 0, is?.resets ?? 0, b, a) };
  });
  const causes = [...new Set([...before.causes.keys(), ...after.causes.keys()])].map((cause): CauseChange => ({
    cause,
    ...changeOf(before.causes.get(cause) ?? 0, after.causes.get(cause) ?? 0, b, a),
  }));
  ports.sort((x, y) => sizeOf(y, byRate) - sizeOf(x, byRate) || (x.port ?? 65_536) - (y.port ?? 65_536));
  causes.sort((x, y) => sizeOf(y, byRate) - sizeOf(x, byRate) || (x.cause < y.cause ? -1 : 1));
  return {
    type: 'compare',
    schema_version: SCHEMA_VERSION,
    tool,
    summary: summaryOf(b, a, ports, causes, byRate),
    both: 0,
    only_client: [],
    only_server: [],
    clock_offset_seconds: null,
    matched_connections: 0,
    verdicts: [],
    not_comparable: [],
    clock: null,
    captures: null,
    filtered_out: 0,
    ports,
    causes,
    reports: { before: b, after: a },
    incomplete: [],
  };
}

/** Counts of windows of different lengths mislead: then rates are compared. */
export function isByRate({ seconds: before }: ComparedReport, { seconds: after }: ComparedReport): boolean {
  if (before === null || after === null || before === 0 || after === 0) return false;
  return Math.abs(before - after) > MOST_DIFFERENT * Math.max(before, after);
}

type Change = Pick<PortChange, 'before' | 'after' | 'rate_before' | 'rate_after'>;

function changeOf(before: number, after: number, b: ComparedReport, a: ComparedReport): Change {
  return { before, after, rate_before: rateOf(before, b), rate_after: rateOf(after, a) };
}

export function rateOf(resets: number, { seconds }: ComparedReport): number | null {
  return seconds === null || seconds === 0 ? null : Math.round((resets / seconds) * 1e6) / 1e6;
}

function sizeOf(change: Change, byRate: boolean): number {
  const { rate_before: was, rate_after: is } = change;
  return byRate && was !== null && is !== null ? Math.abs(is - was) : Math.abs(change.after - change.before);
}

function summaryOf(
  b: ComparedReport,
  a: ComparedReport,
  ports: readonly PortChange[],
  causes: readonly CauseChange[],
  byRate: boolean,
): string[] {
  const sentences: string[] = [];
  const moved = ports.filter((one) => sizeOf(one, byRate) > 0);
  const named = moved.slice(0, MOST_NAMED).map((one) => `${portName(one)}: ${changeText(one, byRate)}`);
  const more = moved.length - named.length;
  const all = { ...changeOf(b.resets, a.resets, b, a) };
  sentences.push(
    named.length === 0
      ? `no port has more or fewer resets: ${changeText(all, byRate)} in all`
      : `${named.join('; ')}${more === 0 ? '' : `; and ${grouped(more)} more ports`} (all: ${changeText(all, byRate)})`,
  );
  if (byRate) sentences.push('the windows differ in length: rates are compared, counts alone would mislead');
  else if (b.seconds === null || a.seconds === null || b.seconds === 0 || a.seconds === 0) {
    sentences.push('one window has no length: counts alone are compared');
  }
  const came = causes.filter(({ before, after }) => before === 0 && after > 0).map(({ cause }) => cause);
  const went = causes.filter(({ before, after }) => before > 0 && after === 0).map(({ cause }) => cause);
  if (came.length > 0) sentences.push(`causes that came: ${came.join(', ')}`);
  if (went.length > 0) sentences.push(`causes that went: ${went.join(', ')}`);
  if (b.context !== a.context) {
    sentences.push(
      `the causes were told from different things: ${CONTEXT[b.context]} before, ${CONTEXT[a.context]} after`,
    );
  }
  for (const [when, one] of [['before', b] as const, ['after', a] as const]) {
    if (one.filtered_out > 0) {
      sentences.push(
        `the report ${when} leaves out ${grouped(one.filtered_out)} resets by the options it was made with`,
      );
    }
    if (one.incomplete > 0) sentences.push(`the report ${when} says that it is not whole: its counts may be too low`);
  }
  return sentences;
}

const CONTEXT = { resets: 'resets alone', control: 'SYN, FIN and RST', full: 'all TCP' };

function portName({ port, service }: PortChange): string {
  if (port === null) return 'serving port not known';
  return service === null ? `port ${String(port)}` : `port ${String(port)} (${service})`;
}

function changeText(change: Change, byRate: boolean): string {
  const counts = `${grouped(change.before)} → ${grouped(change.after)}`;
  const { rate_before: was, rate_after: is } = change;
  return byRate && was !== null && is !== null ? `${counts}, ${rateText(was)} → ${rateText(is)}` : counts;
}

function rateText(rate: number): string {
  return `${Number(rate.toPrecision(2)).toString()}/s`;
}
