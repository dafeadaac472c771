/**
 * When the resets came: one line of times, one of bars.
 */

import type { Report } from '../report/types.js';
import { grouped } from '../base/text.js';
import type { ClockText } from './clock-text.js';
import { duration } from './figures.js';
import { mergeBuckets, sparkline } from './sparkline.js';
import { glyphs, painter, type Style } from './style.js';
import { wrap } from './text-width.js';

/** No lines where there is nothing to draw. */
export function timelineLines({ timeline, window }: Report, clock: ClockText, style: Style): string[] {
  const { counts, merged } = mergeBuckets(timeline.counts, style.width - 2);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return [];
  const paint = painter(style);
  const size = timeline.bucket_seconds * merged;
  const peakAt =
    timeline.start_epoch === null ? '' : ` at ${clock.timeAt(timeline.start_epoch + counts.indexOf(most) * size)}`;
  const parts = [
    ...(window.start_epoch === null ? [] : [clock.full(window.start_epoch)]),
    ...(window.end_epoch === null ? [] : [`to ${clock.timeAt(window.end_epoch)}`]),
  ];
  const span = parts.length === 0 ? '' : `${parts.join(' ')}; `;
  const scale = `one column is ${bucketText(size)}, most ${grouped(most)}${peakAt}`;
  return [wrap(span + scale, style.width, '  '), `  ${paint.chart(sparkline(counts, glyphs(style).bars))}`];
}

function bucketText(seconds: number): string {
  if (seconds % 60 !== 0 || seconds < 60)
    return seconds < 120 ? `${Number(seconds.toPrecision(6))} s` : duration(seconds);
  if (seconds % 86400 === 0) return `${seconds / 86400} d`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds < 7200 ? `${seconds / 60} min` : duration(seconds);
}
