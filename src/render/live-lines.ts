/**
 * Resets as they come, a line each; of a burst the first few, then how many more there were, once a second.
 *
 * Is told the time, of whatever clock, and knows no stream. What it counts by comes from strangers: a flood with made-up
 * addresses fills its tables to their limits and no further, and no reset goes uncounted then either.
 */

import { grouped, plural } from '../base/text.js';
import type { Glimpse, ResetEvent } from '../report/types.js';
import { eventLineWriter } from './event-line.js';
import { endpoint } from './figures.js';
import { HeldNames } from './held-names.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { columnsOf } from './text-width.js';

const SECOND_MS = 1000;
/** Lines of single resets in a second: of those that are alike, and of all. */
const SINGLES_ALIKE = 5;
const SINGLES = 30;
/** Lines that stand for many, in a second; the one for all the rest not counted. */
const CONDENSED_LINES = 8;
const GROUPS = 256;
/** Addresses remembered to be counted once each: peers of the groups together, and senders that have no group. */
const PEERS = 8192;
const REST_ADDRESSES = 1024;

/** Which end of the connection the common port is at: the sender's own, or that of the host it sends to. */
type Side = 'own' | 'peer';

/** Resets that are alike: one sender, one service. */
interface Group {
  readonly side: Side;
  readonly port: number;
  /** How many had a line of their own. */
  singles: number;
  /** How many had none. */
  held: number;
  /** Addresses that the held ones were sent to. */
  readonly peers: Few;
  readonly names: HeldNames;
}

/** One address that sends resets. */
interface Sender {
  readonly ip: string;
  readonly groups: Map<string, Group>;
  /** Held resets of ports that no group could be made for. */
  readonly ungrouped: Record<Side, number>;
}

/** Distinct texts up to a limit; `more` says that there were others. */
interface Few {
  readonly texts: Set<string>;
  more: boolean;
}

/** What happened since the last condensed lines. */
interface Burst {
  readonly since: number;
  singles: number;
  groups: number;
  peers: number;
  readonly senders: Map<string, Sender>;
  /** Held resets of senders beyond the limit. */
  rest: number;
  readonly restAddresses: Few;
}

export class LiveLines {
  private readonly line: (event: ResetEvent) => string;
  private readonly style: Style;
  private readonly condense: boolean;
  private burst: Burst | null = null;

  constructor(style: Style, condense: boolean) {
    this.style = style;
    this.condense = condense;
    this.line = eventLineWriter(style);
  }

  /**
   * Lines to print now, each with its line break; none for a reset that is held back into a condensed line. `event` is
   * asked for only where there is a line of its own.
   */
  add(seen: Glimpse, event: () => ResetEvent, now: number): string {
    if (!this.condense) return `${this.line(event())}\n`;
    const due = this.tick(now, false);
    this.burst ??= newBurst(now);
    return hold(seen, this.burst) ? due : `${due}${this.line(event())}\n`;
  }

  /** The condensed lines that are due: when the second is over, or all of them at the end. */
  tick(now: number, end: boolean): string {
    const { burst } = this;
    if (burst === null || (!end && now - burst.since < SECOND_MS)) return '';
    this.burst = null;
    return condensedLines(burst, this.style);
  }
}

function newBurst(since: number): Burst {
  const restAddresses = { texts: new Set<string>(), more: false };
  return { since, singles: 0, groups: 0, peers: 0, senders: new Map(), rest: 0, restAddresses };
}

/** Counts a reset; false when it gets a line of its own. */
function hold(event: Glimpse, burst: Burst): boolean {
  const { side, port } = sideOf(event);
  const sender = senderOf(event.src_ip, burst);
  if (sender === null) {
    burst.rest++;
    remember(burst.restAddresses, event.src_ip, burst.restAddresses.texts.size < REST_ADDRESSES);
    return true;
  }
  const group = groupOf(sender, side, port, burst);
  if (group === null) {
    sender.ungrouped[side]++;
    return true;
  }
  if (burst.singles < SINGLES && group.singles < SINGLES_ALIKE) {
    burst.singles++;
    group.singles++;
    return false;
  }
  group.held++;
  group.names.add(event);
  if (remember(group.peers, event.dest_ip, burst.peers < PEERS)) burst.peers++;
  return true;
}

/** Where the serving side isn't known, the port that was sent to is all there is to go by. */
function sideOf(event: Glimpse): { side: Side; port: number } {
  const { service_port: service, src_port: source, dest_port: destination, reset_by: by } = event;
  const own = service === source && (service !== destination || by !== 'client');
  return own ? { side: 'own', port: source } : { side: 'peer', port: destination };
}

function senderOf(ip: string, burst: Burst): Sender | null {
  const known = burst.senders.get(ip);
  if (known !== undefined) return known;
  if (burst.groups >= GROUPS) return null;
  const made: Sender = { ip, groups: new Map(), ungrouped: { own: 0, peer: 0 } };
  burst.senders.set(ip, made);
  return made;
}

function groupOf({ groups }: Sender, side: Side, port: number, burst: Burst): Group | null {
  const key = `${side} ${port}`;
  const known = groups.get(key);
  if (known !== undefined) return known;
  if (burst.groups >= GROUPS) return null;
  burst.groups++;
  const peers = { texts: new Set<string>(), more: false };
  const made: Group = { side, port, singles: 0, held: 0, peers, names: new HeldNames() };
  groups.set(key, made);
  return made;
}

/** True when the text is new and was taken. */
function remember(few: Few, text: string, room: boolean): boolean {
  if (few.texts.has(text)) return false;
  if (room) few.texts.add(text);
  else few.more = true;
  return room;
}

/** A line to be: how many resets it stands for and whose they are. */
interface Summary {
  readonly held: number;
  /** What is left of the words when the line is too long for them all. */
  readonly who: string;
  readonly whom: string;
  /** The processes at both ends; null where there is no one pair of them. */
  readonly names: HeldNames | null;
}

function condensedLines(burst: Burst, style: Style): string {
  const { ellipsis } = glyphs(style);
  const paint = painter(style);
  return summaries(burst)
    .map(({ held, who, whom, names }) => {
      const head = `${ellipsis} ${grouped(held)} more from `;
      const sent = safe(who, style);
      const to = whom === '' ? '' : ` ${safe(whom, style)}`;
      const ends = names?.text(style) ?? '';
      const left = style.width - columnsOf(head + sent);
      const tail = [ends === '' ? to : `${to}  ${ends}`, to].find((text) => columnsOf(text) <= left) ?? '';
      return `${paint.quiet(head)}${paint.resets(sent)}${tail === '' ? '' : paint.quiet(tail)}\n`;
    })
    .join('');
}

/** The most first. Where groups are too many, those of one sender become one: a scan has a group for every port. */
function summaries(burst: Burst): Summary[] {
  const senders = [...burst.senders.values()].filter((sender) => heldOf(sender) > 0);
  const groups = senders.flatMap((sender) => heldGroups(sender).map((group) => ({ sender, group })));
  if (groups.length <= CONDENSED_LINES && burst.rest === 0 && !senders.some(hasUngrouped))
    return groups.map(({ sender, group }) => ofGroup(sender, group)).sort(byHeld);

  const ranked = senders.sort((a, b) => heldOf(b) - heldOf(a));
  // A line for the rest that stands for one sender may as well name it.
  const named = burst.rest === 0 && ranked.length === CONDENSED_LINES + 1 ? ranked.length : CONDENSED_LINES;
  const others = ranked.slice(named);
  const left = others.reduce((sum, sender) => sum + heldOf(sender), burst.rest);
  const { texts, more } = burst.restAddresses;
  const who = `${more ? 'over ' : ''}${plural(others.length + texts.size, 'other address', 'other addresses')}`;
  return [...ranked.slice(0, named).map(ofSender), ...(left === 0 ? [] : [{ held: left, who, whom: '', names: null }])];
}

function byHeld(a: Summary, b: Summary): number {
  return b.held - a.held;
}

function heldOf(sender: Sender): number {
  const { own, peer } = sender.ungrouped;
  return heldGroups(sender).reduce((sum, { held }) => sum + held, own + peer);
}

function heldGroups({ groups }: Sender): Group[] {
  return [...groups.values()].filter(({ held }) => held > 0);
}

function hasUngrouped({ ungrouped }: Sender): boolean {
  return ungrouped.own + ungrouped.peer > 0;
}

function ofGroup({ ip }: Sender, { side, port, held, peers, names }: Group): Summary {
  const [only] = peers.texts;
  const one = peers.texts.size === 1 && !peers.more ? only : undefined;
  // Nothing is known of how many there were when none could be remembered.
  const many = (noun: string): string =>
    peers.texts.size < 2 ? '' : `${peers.more ? 'over ' : ''}${grouped(peers.texts.size)} ${noun}`;
  if (side === 'own') {
    const to = one ?? many('clients');
    return { held, who: endpoint(ip, port), whom: to === '' ? '' : `to ${to}`, names };
  }
  if (one !== undefined) return { held, who: ip, whom: `to ${endpoint(one, port)}`, names };
  const of = many('hosts');
  return { held, who: ip, whom: `to port ${port}${of === '' ? '' : ` of ${of}`}`, names };
}

/** All that is held of one sender. Ports without a group are none of those that have one. */
function ofSender(sender: Sender): Summary {
  const { ip, ungrouped } = sender;
  const held = heldOf(sender);
  const groups = heldGroups(sender);
  const [first] = groups;
  if (first !== undefined && groups.length === 1 && !hasUngrouped(sender)) return ofGroup(sender, first);
  const own = groups.filter(({ side }) => side === 'own').length;
  const peer = groups.length - own;
  const ports = (named: number, more: number): string => `${more > 0 ? 'over ' : ''}${plural(named, 'port')}`;
  const many = { held, whom: '', names: null };
  if (own > 0 && peer + ungrouped.peer === 0) return { ...many, who: `${ports(own, ungrouped.own)} of ${ip}` };
  if (peer > 0 && own + ungrouped.own === 0) return { ...many, who: ip, whom: `to ${ports(peer, ungrouped.peer)}` };
  return { ...many, who: ip };
}
