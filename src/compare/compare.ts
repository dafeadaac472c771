/**
 * Two captures of the same connections, compared: which resets both have, which one alone has, and what that means.
 *
 * Joins the parts of this room; prints nothing and opens nothing.
 */

import type { CaptureFile } from '../capture/story.js';
import type { FilterOptions } from '../report/filter.js';
import type { Comparison, End, NotComparableReason, NotComparableRow, VerdictRow } from '../report/comparison-types.js';
import { SCHEMA_VERSION, type ResetEvent } from '../report/types.js';
import { readCapture, type Capture, type ReadOptions } from './capture.js';
import { clockOf, micro, type Clock } from './clock.js';
import { keeps } from './choice.js';
import { addReset, courseOf, nearByReset, ttlsOf, wholenessOf, type Course, type Wholeness } from './course.js';
import { join, type Joined } from './join.js';
import { judge, placeInWindow } from './judge.js';
import { isWhole, type Line } from './lines.js';
import { joinByResets, pairResets, placeInLines, sightingsOf, type Sighting } from './sightings.js';
import { comparedOf, namesOf, rewrittenOf, witnessOf } from './witness.js';
import { notComparableText, summaryOf } from './words.js';

export interface CompareOptions extends ReadOptions {
  readonly filter: Pick<FilterOptions, 'port' | 'host'>;
}

const NOTHING: Wholeness = { checked: 0, lacking: 0 };

/** Throws a UserError when one of them could not be read. */
export async function compare(
  clientFiles: readonly CaptureFile[],
  serverFiles: readonly CaptureFile[],
  options: CompareOptions,
): Promise<Comparison> {
  const client = await readCapture(clientFiles, options);
  const server = await readCapture(serverFiles, options);
  return compareCaptures(client, server, options);
}

export function compareCaptures(
  client: Capture,
  server: Capture,
  { tool, filter }: Pick<CompareOptions, 'tool' | 'filter'>,
): Comparison {
  const joined = join(client.footprints, server.footprints);
  const ours = sightingsOf(client.events, client.files, 'client', client.footprints, joined);
  const theirs = sightingsOf(server.events, server.files, 'server', server.footprints, joined);
  joinByResets(ours, theirs, joined);
  const groups = joined.lines.groups();
  placeInLines(ours, groups, joined);
  placeInLines(theirs, groups, joined);
  const { courses, clock } = follow(ours, theirs, groups, joined);

  const wholes = new Map<Line, Record<End, Wholeness>>();
  const sums: Record<End, Wholeness> = { client: { ...NOTHING }, server: { ...NOTHING } };
  const names = namesOf(client, server);
  const windows = {
    client: witnessOf(client, 'client', names.client, sums.client),
    server: witnessOf(server, 'server', names.server, sums.server),
  };
  for (const [line, course] of courses) {
    if (course.torn) continue;
    const of = (far: End): Wholeness =>
      wholenessOf(
        course,
        joined.lines,
        far,
        (at) => placeInWindow(at, windows[far], clock) === 'in',
        windows[far].context === 'full',
      );
    const both = { client: of('client'), server: of('server') };
    wholes.set(line, both);
    for (const end of ['client', 'server'] as const) {
      sums[end].checked += both[end].checked;
      sums[end].lacking += both[end].lacking;
    }
  }

  const kept = (one: Sighting): boolean => keeps(filter, one);
  const verdicts: VerdictRow[] = [];
  const rows = new NotComparable(names);
  const only: Record<End, ResetEvent[]> = { client: [], server: [] };
  let both = 0;
  let filteredOut = 0;
  for (const [sightings, end, other] of [[ours, 'client', 'server'] as const, [theirs, 'server', 'client'] as const]) {
    for (const sighting of sightings) {
      if (sighting.partner !== null) {
        if (end === 'server') continue;
        if (kept(sighting) || kept(sighting.partner)) both++;
        else filteredOut++;
        continue;
      }
      if (!kept(sighting)) {
        filteredOut++;
        continue;
      }
      const { line, connection, event, side } = sighting;
      const course = line === null ? null : (courses.get(line) ?? null);
      const judgement = judge(
        {
          sighting,
          course,
          whole: (line === null ? undefined : wholes.get(line))?.[other] ?? NOTHING,
          ttls: course === null ? null : ttlsOf(course, joined.lines, end, side),
          isAmbiguous: connection !== null && joined.ambiguous.has(joined.lines.numberOf(connection, end === 'server')),
        },
        windows[other],
        windows[end],
        clock,
      );
      if (judgement.kind === 'not-comparable') {
        rows.add(end, judgement.reason, 1, event);
        continue;
      }
      only[end].push(event);
      const { sentAs, verdict, because } = judgement;
      verdicts.push({ seen: end, id: event.id, sent_as: sentAs, verdict, because });
    }
  }
  for (const [capture, end] of [[client, 'client'] as const, [server, 'server'] as const]) {
    if (capture.firstLeft !== null) rows.add(end, 'too-many', capture.left, capture.firstLeft);
  }

  const captures = {
    client: comparedOf(client, groups, sums.client, 'client'),
    server: comparedOf(server, groups, sums.server, 'server'),
  };
  const matched = [...groups.values()].filter((line) => isWhole(line) && courses.get(line)?.torn === false).length;
  const swapped = [...courses.values()].filter(({ near, opener, nearBy, torn }) => {
    return !torn && near !== null && opener !== null && near !== opener && nearBy !== 'opener';
  }).length;
  const comparison: Omit<Comparison, 'summary'> = {
    type: 'compare',
    schema_version: SCHEMA_VERSION,
    tool,
    both,
    only_client: only.client,
    only_server: only.server,
    clock_offset_seconds: clock.offset === null ? null : micro(clock.offset),
    matched_connections: matched,
    verdicts,
    not_comparable: rows.list,
    clock: clock.told,
    captures,
    filtered_out: filteredOut,
    ports: [],
    causes: [],
    reports: null,
    incomplete: [...client.report.incomplete, ...server.report.incomplete],
  };
  return {
    ...comparison,
    summary: summaryOf(comparison, { names, swapped, rewritten: rewrittenOf(groups) }),
  };
}

/** Pairs the resets and finds the clock: each helps the other, so twice. Lines that are too far off are torn. */
function follow(
  ours: readonly Sighting[],
  theirs: readonly Sighting[],
  groups: ReadonlyMap<number, Line>,
  { lines }: Joined,
): { courses: Map<Line, Course>; clock: Clock } {
  const courses = new Map<Line, Course>();
  for (const line of groups.values()) if (isWhole(line)) courses.set(line, courseOf(line, lines));
  const first = clockOf([...courses.values()]);
  pairResets(ours, theirs, first.clock.offset ?? 0);
  for (const sighting of [...ours, ...theirs]) {
    const course = sighting.line === null ? undefined : courses.get(sighting.line);
    if (course === undefined) continue;
    nearByReset(course, sighting);
    if (sighting.seen === 'client') addReset(course, sighting);
  }
  const { clock, off } = clockOf([...courses.values()]);
  for (const course of off) courses.set(course.line, { ...course, torn: true });
  for (const sighting of ours) {
    const { line, partner } = sighting;
    if (line === null || partner === null || courses.get(line)?.torn !== true) continue;
    sighting.partner = null;
    partner.partner = null;
  }
  return { courses, clock };
}

/** Resets that can't be compared, by why. */
class NotComparable {
  readonly list: NotComparableRow[] = [];
  private readonly names: Readonly<Record<End, string>>;

  constructor(names: Readonly<Record<End, string>>) {
    this.names = names;
  }

  add(seen: End, reason: NotComparableReason, resets: number, event: ResetEvent): void {
    const known = this.list.findIndex((row) => row.seen === seen && row.reason === reason);
    const before = this.list[known];
    if (before !== undefined) {
      const sum = before.resets + resets;
      this.list[known] = { ...before, resets: sum, message: this.message(seen, reason, sum) };
      return;
    }
    const { id, file, frame, timestamp, src_ip, src_port, dest_ip, dest_port } = event;
    const example = { id, file, frame, timestamp, src_ip, src_port, dest_ip, dest_port };
    this.list.push({ seen, reason, resets, message: this.message(seen, reason, resets), example });
  }

  private message(seen: End, reason: NotComparableReason, resets: number): string {
    const { client, server } = this.names;
    return notComparableText(reason, resets, seen === 'client' ? [client, server] : [server, client]);
  }
}
