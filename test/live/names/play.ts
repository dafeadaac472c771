/**
 * Scenarios of names, several in one run of the built program: each on ports of its own, each judged apart. Some stand
 * before the program starts; all do their work at once when it listens.
 */
import { expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report, ResetEvent } from '../../../src/report/types.js';
import { labProblem, twoHosts, type TwoHosts } from '../../support/lab.js';
import {
  judge,
  startProgram,
  Truth,
  verdict,
  within,
  type NobodyOn,
  type Plan,
  type Program,
  type ProgramOptions,
  type Verdict,
} from '../../support/names.js';
import { testIf } from '../../support/tools.js';
import { backendProblem, reportOf, revised, startLive, type Backend, type Live, type LiveOptions } from '../support.js';

const TEST_TIMEOUT_MS = 200_000;
const RESETS_MS = 20_000;
const MOST_PLAYS = 3;
/** What is learnt later than the line of a reset comes within this. */
const SETTLE_MS = 1_200;

export interface Scenario {
  readonly name: string;
  readonly plan: Plan;
  /** Ports that are this scenario's alone; those of the plan if not given. */
  readonly ports?: readonly [number, number];
  /** Stands before the program starts. */
  readonly before?: boolean;
  /** In host b rather than a; or both ends where the plan's own keys put them: 'crossing' has its server in b. */
  readonly place?: 'a' | 'b' | 'crossing' | 'backwards';
  /** Captured twice, and on a busy machine so far apart that the two are not taken for one: each is judged. */
  readonly split?: boolean;
  /** The same ports are another scenario's as well, in the other namespace. */
  readonly twin?: boolean;
  /** Words that run the traffic. */
  readonly within?: readonly string[];
  readonly nobody?: NobodyOn;
  /** Resets to expect. */
  readonly resets: number;
  /** What must be so; `own` are the scenario's resets. */
  readonly check: (found: Found) => void;
}

export interface Found {
  readonly verdict: Verdict;
  readonly own: readonly ResetEvent[];
  readonly report: Report;
  readonly live: Live;
  readonly program: Program;
}

export interface Run {
  readonly backend: Backend;
  readonly args?: readonly string[];
  /** Captures in b as well. */
  readonly both?: boolean;
  /** What runs it by `before` hears no Ctrl-C, it does. */
  readonly live?: Pick<LiveOptions, 'via' | 'before'>;
  readonly prepare?: (hosts: TwoHosts) => Promise<void>;
  /** Beyond tcpdump, python3 and what the lab needs. */
  readonly tools?: readonly string[];
}

interface Played {
  readonly events: readonly ResetEvent[];
  readonly report: Report;
  readonly live: Live;
  readonly programs: ReadonlyMap<Scenario, Program>;
  readonly inodes: { readonly a: number; readonly b: number };
}

/**
 * One test for each scenario over one run of them all. On a busy machine the program may leave some unnamed, and says so
 * of each; where nothing is wrong but that, all of it is played anew.
 */
export function together(run: Run, scenarios: readonly Scenario[]): void {
  const problem = labProblem('tcpdump', 'python3', ...(run.tools ?? [])) || backendProblem(run.backend);
  let plays = 0;
  let played: Promise<Played> | null = null;
  for (const scenario of scenarios) {
    testIf(
      problem === '',
      problem,
      `${scenario.name}, by ${run.backend}`,
      async () => {
        for (let isRight = false; !isRight;) {
          if (played === null) {
            plays++;
            played = play(run, scenarios);
          }
          const found = foundOf(scenario, await played);
          const { own, verdict, live } = found;
          try {
            scenario.check(found);
            isRight = true;
          } catch (error) {
            const unnamed = unnamedIn(own, scenario.nobody);
            if (verdict.mistakes.length > 0 || unnamed === '' || plays === MOST_PLAYS)
              throw new Error(`${String(error)}\n${unnamed}${live.stderr}`, { cause: error });
            played = null;
          }
        }
      },
      TEST_TIMEOUT_MS,
    );
  }
}

function foundOf(scenario: Scenario, { events, report, live, programs, inodes }: Played): Found {
  const program = programs.get(scenario);
  if (program === undefined) throw new Error('it did not run');
  const { plan, ports = [plan.port, plan.port], resets, nobody } = scenario;
  const inode = scenario.twin === true ? inodes[scenario.place === 'b' ? 'b' : 'a'] : null;
  const own = within(events, ports).filter(({ netns }) => inode === null || netns === inode);
  if (scenario.split === true) expect(own.length).toBeGreaterThanOrEqual(resets);
  else expect(own).toHaveLength(resets);
  return { verdict: judge(own, new Truth(program.ends), nobody), own, report, live, program };
}

/** Why somebody who was there is not named, a line for each reason. */
function unnamedIn(events: readonly ResetEvent[], nobodyOn: NobodyOn = () => []): string {
  const reasons = events.flatMap((event) =>
    (['sender', 'receiver'] as const)
      .filter((side) => event[side] === null && !nobodyOn(event).includes(side))
      .map((side) => `${side} ${String(event[`${side}_reason`])}: ${event.evidence.join('. ')}\n`),
  );
  return [...new Set(reasons)].join('');
}

async function play(run: Run, scenarios: readonly Scenario[]): Promise<Played> {
  const hosts = await twoHosts();
  const { a, b } = hosts;
  await run.prepare?.(hosts);
  const programs = new Map<Scenario, Program>();
  const begin = async (some: readonly Scenario[]): Promise<void> => {
    const started = some.map((one): [Scenario, Program] => [one, startProgram(...placed(one, hosts))]);
    for (const [one, program] of started) programs.set(one, program);
    await Promise.all(started.map(([, program]) => program.ready()));
  };
  try {
    await begin(scenarios.filter(({ before }) => before === true));
    const args = ['--ndjson', '--backend', run.backend, '-d', '60', ...(run.both === true ? ['--netns', b.name] : [])];
    const live = await startLive([...args, ...(run.args ?? [])], { ns: a, ...run.live });
    await begin(scenarios.filter(({ before }) => before !== true));
    for (const program of programs.values()) program.go();
    await Promise.all([...programs.values()].map((program) => program.done()));
    await live.untilResets(
      scenarios.reduce((sum, { resets }) => sum + resets, 0),
      RESETS_MS,
    );
    await sleep(SETTLE_MS);
    const ended = await live.stop('SIGINT', run.live?.before === undefined ? live.pid : live.inner);
    return { events: revised(live), report: reportOf(ended), live, programs, inodes: { a: a.inode, b: b.inode } };
  } finally {
    await Promise.all([...programs.values()].map((program) => program.stop()));
  }
}

function placed({ plan, place = 'a', within: before = [] }: Scenario, { a, b }: TwoHosts): [Plan, ProgramOptions] {
  const ends = place === 'crossing' ? { server_ns: b.file } : place === 'backwards' ? { client_ns: b.file } : {};
  return [
    { ...plan, ...ends },
    { ns: place === 'b' ? b : a, before },
  ];
}

/** What a scenario's names come to, no more and no less. */
export function comesTo(
  resets: number,
  other: (own: number) => Parameters<typeof verdict>[1] = () => ({}),
): Pick<Scenario, 'resets' | 'check'> {
  const named = (own: number): Verdict => verdict(own, other(own));
  return { resets, check: ({ own, verdict: found }) => expect(found).toEqual(named(own.length)) };
}

/** The same of refused clients: nobody sends what the kernel answers for a closed port. */
export function refused(resets: number): Pick<Scenario, 'resets' | 'check' | 'nobody'> {
  return { ...comesTo(resets, (own) => ({ sender: { none: own } })), nobody: () => ['sender'] };
}
