/**
 * All resets that are of some habit, in cells of one client and one place, and the groups that cells make.
 *
 * Bounded: when there are too many clients, resets of further ones are kept by their server, without telling whose they
 * are; a scanner's, by the scanner.
 */

import type { Attribution, Process } from '../attribute/process.js';
import type { Reset } from '../conversation/reset.js';
import type { Pattern } from '../conversation/verdict.js';
import { Cell } from './cell.js';
import { groupOf as programGroup } from '../report/process-group.js';
import { habitOf, type Habit } from './habit.js';
import { Endpoint, Reflection } from './places.js';
import { Scanner } from './scanner.js';

/** Cells, and groups of each kind. */
const MOST_CELLS = 32_768;
const NOBODY = '';

export class PatternBook {
  private readonly byKey = new Map<string, Cell>();
  private readonly scanners = new Map<string, Scanner>();
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly fromServers = new Map<string, Reflection>();
  private readonly toClients = new Map<string, Reflection>();
  private readonly limit: number;

  constructor(limit = MOST_CELLS) {
    this.limit = limit;
  }

  /** All cells, in the order in which they were first met. */
  get cells(): Iterable<Cell> {
    return this.byKey.values();
  }

  /** Adds a reset that is known in every respect. @returns its cell; null: it is of no habit. */
  add(reset: Reset, who: Attribution): Cell | null {
    const habit = habitOf(reset);
    if (habit === null) return null;
    const at = reset.seconds + reset.nanos / 1e9;
    const cell = this.cellOf(habit, clientProgram(habit, who), at);
    const { endpoint, fromServer, toClient } = cell;
    cell.add(at);
    if (habit.shape === 'late-request') endpoint.addRace(habit.idle);
    else if (habit.shape === 'unasked') {
      fromServer.add(habit.client);
      if (cell.client !== null) toClient.add(habit.server);
    } else endpoint.add(habit.client, reset.seconds, reset.nanos);
    return cell;
  }

  /** Of a reset that is not known in every respect yet: the pattern of those like it so far. */
  peek(reset: Reset, who: Attribution): Pattern | null {
    const habit = habitOf(reset);
    return habit === null ? null : (this.byKey.get(keyOf(habit, clientProgram(habit, who)))?.pattern ?? null);
  }

  private cellOf(habit: Habit, program: Process | null, at: number): Cell {
    const key = keyOf(habit, program);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    if (this.byKey.size >= this.limit) return this.crowded(habit);
    const cell = this.make(key, habit, habit.client, program);
    cell.scanner.meet(cell, at);
    return cell;
  }

  /** Without room for a cell of its own. */
  private crowded(habit: Habit): Cell {
    const { shape, client, server, port } = habit;
    const scanner = this.scanners.get(client);
    if (scanner?.isScan === true) {
      return (scanner.overflow ??= this.make(`${shape}|${client}`, habit, client, null, true));
    }
    const key = `${shape}||${server}|${String(port)}`;
    const known = this.byKey.get(key) ?? this.byKey.get(shape);
    if (known !== undefined) return known;
    return this.make(this.byKey.size < 2 * this.limit ? key : shape, habit, null, null);
  }

  private make(key: string, habit: Habit, client: string | null, program: Process | null, scattered = false): Cell {
    const { server, port } = habit;
    const place = `${server}|${String(port)}`;
    const groups = {
      // Of several clients nothing is told together.
      scanner: client === null ? new Scanner(NOBODY) : groupOf(this.scanners, client, (ip) => new Scanner(ip)),
      endpoint: groupOf(this.endpoints, place, () => new Endpoint(server, port)),
      fromServer: groupOf(this.fromServers, place, () => new Reflection()),
      toClient: client === null ? new Reflection() : groupOf(this.toClients, client, () => new Reflection()),
    };
    const cell = new Cell(habit, client, program, groups, scattered);
    this.byKey.set(key, cell);
    return cell;
  }
}

function keyOf({ shape, client, server, port }: Habit, program: Process | null): string {
  const name = program === null ? '' : programGroup(program).identity;
  return `${shape}|${client}|${server}|${String(port)}|${name}`;
}

function groupOf<T>(groups: Map<string, T>, key: string, make: (key: string) => T): T {
  const known = groups.get(key);
  if (known !== undefined) return known;
  const fresh = make(key);
  groups.set(key, fresh);
  return fresh;
}

function clientProgram({ byClient }: Habit, { sender, receiver }: Attribution): Process | null {
  return byClient ? sender.process : receiver.process;
}
