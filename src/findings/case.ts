/**
 * All resets of one cause at one serving port by one side: the facts of them that findings rest on. Bounded, whatever
 * comes.
 */

import type { Attribution, Process } from '../attribute/process.js';
import type { KernelPath } from '../conversation/kernel-facts.js';
import { clientIp, serverIp, type Reset } from '../conversation/reset.js';
import type { Cause, Confidence, Pattern, Patterned, ResetBy } from '../conversation/verdict.js';
import { programName } from '../report/sentence-words.js';

const MOST_PROGRAMS = 8;
export const MOST_CLIENTS = 1024;
const MOST_GROUPS = 256;
const MOST_FLOWS = 256;

/** Where a reset can be looked at again. */
export interface Example {
  readonly reset: Reset;
  readonly evidence: readonly string[];
}

/** What is known of one reset, for all of its kind; `said` has been said already. */
export function exampleWords({ evidence }: Example, said: string | null = null): string[] {
  const rest = evidence.filter((fact) => fact !== said);
  return rest.length === 0 ? [] : [`one of them: ${rest.join('; ')}`];
}

/** Programs at one end, the first process of each. */
export class Programs {
  private readonly named = new Map<string, { readonly process: Process; count: number }>();

  add(process: Process | null): void {
    if (process === null) return;
    const name = process.unit ?? process.exe ?? programName(process);
    const known = this.named.get(name);
    if (known !== undefined) known.count++;
    else if (this.named.size < MOST_PROGRAMS) this.named.set(name, { process, count: 1 });
  }

  /** The one that is named most often; null: none was. */
  get main(): Process | null {
    const [first] = [...this.named.values()].sort((a, b) => b.count - a.count);
    return first?.process ?? null;
  }

  /** There is one, and no other. */
  get only(): Process | null {
    return this.named.size === 1 ? this.main : null;
  }
}

export class Case {
  resets = 0;
  /** Of them, those whose cause is at least likely. */
  sure = 0;
  certain = 0;
  /** Seconds since 1970. */
  first = Infinity;
  last = -Infinity;
  readonly ip: string;
  /** Null: which side serves is not known; then `ip` is the sender's. */
  readonly port: number | null;
  readonly by: ResetBy;
  readonly cause: Cause;
  readonly example: Example;
  readonly senders = new Programs();
  readonly receivers = new Programs();
  readonly clients = new Set<string>();
  readonly paths = new Map<KernelPath, number>();
  /** Its server's number among the roles; null: not known. */
  server: number | null = null;
  /** Seconds since 1970 of the last connection that the port had accepted before the first of these resets; null: none. */
  acceptedBefore: number | null = null;
  /** It accepted somebody after the first of these resets and before the last. */
  acceptedBetween = false;
  /** What the system says of who listened there. */
  listener: string | null = null;
  /** Somebody listened, or nobody did, as the system says; null: it says nothing. */
  listening: boolean | null = null;
  /** The host's kernel said that it sent none of them. */
  silent = 0;
  /** Resets whose connection had been silent, and the shortest of these silences in seconds. */
  silences = 0;
  shortestSilence = Infinity;
  longestSilence = 0;
  /** The connection with the most resets, how many it has, and since when. */
  mostOfOne: { readonly reset: Reset; readonly count: number; readonly since: number } | null = null;
  /** When connections were first seen to be reset again. */
  private readonly again = new Map<string, number>();
  /** A reset whose sender says its numbers to somebody else. */
  elsewhere: Example | null = null;
  elsewheres = 0;
  private ungrouped = 0;
  private readonly groups = new Map<Patterned, number>();

  constructor(reset: Reset) {
    this.ip = serverIp(reset) ?? reset.srcIp;
    this.port = reset.servicePort;
    this.by = reset.resetBy;
    this.cause = reset.verdict.cause;
    this.example = { reset, evidence: reset.verdict.evidence };
  }

  add(reset: Reset, who: Attribution, group: Patterned | null): void {
    this.resets++;
    const { confidence } = reset.verdict;
    if (isSure(confidence)) this.sure++;
    if (confidence === 'certain') this.certain++;
    this.addTime(reset);
    this.senders.add(who.sender.process);
    this.receivers.add(who.receiver.process);
    const client = clientIp(reset) ?? reset.destIp;
    if (this.clients.size < MOST_CLIENTS) this.clients.add(client);
    this.addKernel(who);
    this.server ??= reset.server;
    this.addConversation(reset);
    if (group === null) this.ungrouped++;
    // Of those beyond nobody knows what they are part of: they count for nothing that rests on being of no pattern.
    else if (this.groups.size < MOST_GROUPS || this.groups.has(group))
      this.groups.set(group, (this.groups.get(group) ?? 0) + 1);
  }

  private addTime(reset: Reset): void {
    if (!reset.timed) return;
    const at = reset.seconds + reset.nanos / 1e9;
    const { acceptedBefore } = reset.host;
    if (at < this.first && acceptedBefore !== null) this.acceptedBefore = at - acceptedBefore;
    if (acceptedBefore !== null && at - acceptedBefore > this.first) this.acceptedBetween = true;
    this.first = Math.min(this.first, at);
    this.last = Math.max(this.last, at);
  }

  private addKernel({ kernel: { sent, listener } }: Attribution): void {
    if (sent === 'silent') this.silent++;
    else if (sent !== null && sent.path !== null) this.paths.set(sent.path, (this.paths.get(sent.path) ?? 0) + 1);
    this.listener ??= listener.evidence;
    this.listening ??= listener.atSource;
  }

  private addConversation(reset: Reset): void {
    const { sender, silence, elsewhere } = reset.conversation;
    this.addFlow(reset, sender.resets + 1);
    if (elsewhere !== null) {
      this.elsewheres++;
      this.elsewhere ??= { reset, evidence: reset.verdict.evidence };
    }
    if (silence === null) return;
    this.silences++;
    this.shortestSilence = Math.min(this.shortestSilence, silence);
    this.longestSilence = Math.max(this.longestSilence, silence);
  }

  private addFlow(reset: Reset, count: number): void {
    if (count < 2) return;
    const flow = `${String(reset.srcPort)} ${reset.destIp} ${String(reset.destPort)}`;
    if (this.again.size < MOST_FLOWS && !this.again.has(flow)) {
      this.again.set(flow, reset.conversation.sender.lastReset?.at ?? reset.seconds);
    }
    const since = this.again.get(flow);
    if (since !== undefined && count > (this.mostOfOne?.count ?? 1)) this.mostOfOne = { reset, count, since };
  }

  /** Resets that are part of none of these patterns. */
  besides(patterns: readonly Pattern[]): number {
    let sum = this.ungrouped;
    for (const [{ pattern }, count] of this.groups) if (pattern === null || !patterns.includes(pattern)) sum += count;
    return sum;
  }
}

function isSure(confidence: Confidence): boolean {
  return confidence === 'certain' || confidence === 'likely';
}
