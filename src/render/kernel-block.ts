/** What the kernel's counters say to a live capture, for people: whether anything was missed, and what else they tell. */

import { grouped, plural } from '../base/text.js';
import type { AlertRow, KernelReport, ListenQueueRow, Reconciliation, Report } from '../report/types.js';
import { decimal } from './figures.js';
import { glyphs, painter, safe, type Style } from './style.js';
import { wrap } from './text-width.js';

/** Sentences of our own, with some addresses and names in them. */
const LONGEST = 2048;

/** Nothing of a saved capture. */
export function kernelLines({ kernel, alerts }: Report, style: Style): string[] {
  if (kernel === null) return [];
  const { bullet, arrow } = glyphs(style);
  const say = (lead: string, text: string): string =>
    wrap(`  ${lead} ${safe(text, style, LONGEST)}`, style.width, '    ');
  const { differences, because } = kernel.reconciliation;
  const warnings = alerts.filter(({ state }) => state === 'warning');
  return [
    painter(style).title("The kernel's count"),
    wrap(`  ${sumText(kernel, style)}`, style.width, '    '),
    ...differences.flatMap(({ message, next_step: next }) => [
      say(bullet, message),
      ...(next === null ? [] : [say(` ${arrow}`, next)]),
    ]),
    ...(because === null ? [] : [say(bullet, `not compared one by one: ${because}`)]),
    ...receivedLine(kernel).map((text) => say(bullet, text)),
    ...countersLine(kernel).map((text) => say(bullet, text)),
    ...kernel.aborts.map(({ message }) => say(bullet, message)),
    ...queueLines(kernel.listeners).map((text) => say(bullet, text)),
    ...kernel.sysctls.map(({ name, value, message }) => say(bullet, `${name} = ${value}: ${message}`)),
    ...warnings.map((alert) => painter(style).warning(say(bullet, alertText(alert)))),
  ];
}

/** "120 sent, 120 counted by the kernel: nothing missed" only where it is so. */
function sumText({ reconciliation }: KernelReport, style: Style): string {
  const { captured_sent: sent, kernel_counted: counted, nothing_missed: whole, edge } = reconciliation;
  const paint = painter(style);
  const head = `${grouped(sent)} sent, ${grouped(counted)} counted by the kernel`;
  if (whole) {
    const where = edge > 0 ? ' while all was listened to' : '';
    return `${head}: ${paint.good(`nothing missed${where}`)}`;
  }
  if (agrees(reconciliation)) return `${head}: the sums agree`;
  return head;
}

function agrees({ not_by_tcp: foreign, not_captured: missed, unexplained, edge }: Reconciliation): boolean {
  return foreign === 0 && missed === 0 && unexplained === 0 && edge === 0;
}

function receivedLine({ received: { captured, taken } }: KernelReport): string[] {
  if (captured === 0) return [];
  const by = taken === null ? '' : `; sockets of this machine took ${grouped(taken)}`;
  return [`${plural(captured, 'reset')} received${by} (no counter of the kernel counts them)`];
}

/** Shown, and never held against anything. */
const SHOWN: readonly string[] = ['AttemptFails', 'EstabResets', 'TCPAbortFailed', 'ListenOverflows', 'ListenDrops'];

function countersLine({ counters }: KernelReport): string[] {
  const parts = SHOWN.flatMap((name) => {
    const by = counters[name] ?? 0;
    return by === 0 ? [] : [`${name} +${grouped(by)}`];
  });
  return parts.length === 0 ? [] : [parts.join(', ')];
}

/** Those where somebody waits. */
export function queueLines(listeners: readonly ListenQueueRow[]): string[] {
  return listeners
    .filter(({ backlog }) => backlog > 0)
    .map(({ ip, port, backlog, backlog_max: most }) => {
      // The kernel lets in one more than was asked for.
      const of = most === null ? '' : ` (backlog ${grouped(most)}${backlog > most ? ': full' : ''})`;
      const end = ip.includes(':') ? `[${ip}]:${String(port)}` : `${ip}:${String(port)}`;
      return `${plural(backlog, 'connection')} ${backlog === 1 ? 'waits' : 'wait'} to be accepted at ${end}${of}`;
    });
}

/** Of a warning also why; of the others the figure says enough. */
export function alertText({ id, state, value, reason }: AlertRow): string {
  const figure = value === null ? '' : `, ${decimal(value)}/s`;
  return `${id}: ${state}${state === 'warning' && reason !== null ? `: ${reason}` : figure}`;
}
