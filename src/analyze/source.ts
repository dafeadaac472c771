/** What the report says of where its packets came from, and of when. */

import { linkTypeName } from '../decode/link-types.js';
import { contextOf } from '../report/build.js';
import type { Context, Source } from '../report/types.js';
import { WindowTally } from '../report/window.js';
import type { Scan } from '../scan/scan.js';
import type { GrowingFacts } from './analyze.js';

/** Digits of a growing capture's window: its ends are looked up on a clock of microseconds. */
const CLOCK_DIGITS = 6;
const LEANEST_FIRST: readonly Context[] = ['resets', 'control', 'full'];

/** `asked`: how much of the capture the user wants to be used. `growing`: null: it was made before. */
export function sourceOf(scan: Scan, names: readonly string[], asked: Context, growing: GrowingFacts | null): Source {
  const linkTypes = [...scan.linkTypes.keys()].map(linkTypeName);
  if (growing !== null) return { kind: 'live', files: [], link_types: linkTypes, ...growing.source };
  const interfaces = new Set<string>();
  for (const capture of scan.captures)
    for (const { name } of capture.interfaces) if (name !== null) interfaces.add(name);
  return {
    kind: 'file',
    interfaces: [...interfaces],
    files: names,
    filter: null,
    backend: null,
    link_types: linkTypes,
    context: leaner(contextOf(scan.counts), asked),
    timestamps: null,
    trace: 'off',
    namespaces: [],
  };
}

/** From the first packet to the last; of a growing capture, as long as it was listened. */
export function windowOf(scan: Scan, growing: GrowingFacts | null): WindowTally {
  const window = new WindowTally();
  if (growing !== null) {
    const { start, end } = growing;
    window.add(
      { firstSeconds: start.seconds, firstNanos: start.nanos, lastSeconds: end.seconds, lastNanos: end.nanos },
      CLOCK_DIGITS,
    );
    return window;
  }
  for (const { interfaces, times } of scan.captures) {
    window.add(times, Math.max(0, ...new Set(interfaces.map(({ fractionDigits }) => fractionDigits))));
  }
  return window;
}

/** What was both there and asked for. */
function leaner(a: Context, b: Context): Context {
  return LEANEST_FIRST.indexOf(a) < LEANEST_FIRST.indexOf(b) ? a : b;
}
