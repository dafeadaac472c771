/**
 * What it means that listening brought no reset, and what to try: one who has just seen connections fail wonders.
 *
 * Depends on what was asked for: nothing is suggested that was done already, nothing claimed that was not looked at.
 */

import { grouped, plural } from '../base/text.js';
import type { Report, Source } from '../report/types.js';
import { shownResets } from './headline.js';
import { glyphs, safe, type Style } from './style.js';
import { wrap } from './text-width.js';

const EVERY_INTERFACE = 'any';
const LISTED = 3;
/** One who listened as long as this knows that one can listen longer. */
const LONG_SECONDS = 300;

/** No lines where there are resets to show, or where files were read: what they don't hold can't be tried for. */
export function nothingLines(report: Report, style: Style): string[] {
  if (report.source.kind === 'file' || shownResets(report.packets) > 0) return [];
  const { arrow, bullet } = glyphs(style);
  const say = (lead: string, text: string): string => wrap(`  ${lead} ${safe(text, style)}`, style.width, '    ');
  return [
    wrap(safe(meaning(report), style), style.width, '  '),
    ...doubts(report).map((text) => say(bullet, text)),
    ...attempts(report).map((text) => say(arrow, text)),
  ];
}

function meaning({ source, packets, window }: Report): string {
  const { unique } = packets;
  if (unique === 1) return 'One reset was seen, but not one that the options ask for.';
  if (unique > 1) return `${grouped(unique)} resets were seen, but none that the options ask for.`;
  if (source.interfaces.length === 0) return 'No interface was listened on.';
  const what = source.filter === null ? 'No reset' : `No reset that the filter "${source.filter}" lets through`;
  const when = window.seconds === null || window.seconds <= 0 ? '' : ' in that time';
  return `${what} was seen on ${where(source)}${when}.`;
}

function where({ interfaces, namespaces }: Source): string {
  const places = namespaces.length > 1 ? plural(namespaces.length, 'network namespace') : null;
  if (interfaces.includes(EVERY_INTERFACE)) return `any interface ${places === null ? 'of this host' : `in ${places}`}`;
  const names = interfaces.length <= LISTED ? interfaces.join(', ') : plural(interfaces.length, 'interface');
  return places === null ? names : `${names} in ${places}`;
}

/** Why there may have been resets all the same, or failures without any. */
function doubts({ source, packets, incomplete, failed_connects: failed }: Report): string[] {
  const { dropped, seen, unique } = packets;
  const unread = packets.cut + packets.malformed + packets.unknown_link;
  const among = 'resets may be among them';
  return [
    ...(dropped === null || dropped === 0
      ? []
      : [`${plural(dropped, 'packet was', 'packets were')} dropped: ${among}`]),
    ...(unread === 0 ? [] : [`${plural(unread, 'packet')} could not be read: ${among}`]),
    ...(incomplete.length === 0 ? [] : ['not everything was listened to all the time: see "incomplete" below']),
    // Where only resets are captured, no packet is what no reset looks like.
    ...(seen === 0 && (dropped ?? 0) === 0 && source.context !== 'resets' && source.interfaces.length > 0
      ? ['not one packet was captured: the connections may take another way']
      : []),
    ...(unique > 0 || source.interfaces.length === 0
      ? []
      : [
          failed.length === 0
            ? 'a connection can fail without a reset: a SYN that nobody answers times out, a firewall may reject with ICMP'
            : `${plural(sumOf(failed), 'connect')} failed all the same: see "Failed connects" below`,
        ]),
  ];
}

function sumOf(failed: Report['failed_connects']): number {
  return failed.reduce((sum, row) => sum + row.attempts, 0);
}

function attempts({ source, packets, window }: Report): string[] {
  const { interfaces, namespaces, filter } = source;
  return [
    ...(packets.unique === 0 ? [] : ['leave out an option that chooses among resets, such as --port or --host']),
    ...(filter === null ? [] : ['leave out the filter: it may keep resets from being seen']),
    ...(interfaces.includes(EVERY_INTERFACE) ? [] : ['-i any listens on all interfaces']),
    ...(namespaces.length > 1
      ? []
      : ['--netns all listens in containers too: what stays inside them, as on their loopback, is not seen from here']),
    ...(window.seconds !== null && window.seconds >= LONG_SECONDS ? [] : ['-d 5m listens longer']),
  ];
}
