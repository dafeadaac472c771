/**
 * Many sockets' lives at few addresses, interleaved at random, with a model beside that knows whose each socket is:
 * nobody may be named, but never the wrong one.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mirrored, Script, STATE } from './script.js';

/** A socket as it really is. */
interface Real {
  readonly owner: number;
  readonly tuple: string;
  /** It was opened from here. */
  connected: boolean;
  /** Its program has closed it. */
  closed: boolean;
  /** Reset or timed out: what is left is that its program closes it. */
  dead: boolean;
  /** It got a reset: a read of it fails. */
  reset: boolean;
  /** It was closed before tracing began. */
  unseen: boolean;
}

const ADDRESSES = [1, 2] as const;
const DAEMON = 999;

class World {
  readonly script = new Script();
  /** Of each reset that was traced: whose it is; null: nobody's. */
  readonly truth: (number | null)[] = [];
  readonly destroyers: (number | null)[] = [];
  /** Whether its socket connected. */
  readonly opened: boolean[] = [];
  /** A later socket's failed write can't be told from theirs. */
  readonly unsure = new Set<number>();
  private readonly at = new Map<number, Real>();
  /** Connections that their program has closed, in TIME-WAIT. */
  private readonly waiting: Real[] = [];
  private count = 0;

  /** What is done at an address, if it can be; `by`: who runs when it is nobody's own doing. */
  do(action: keyof typeof ACTIONS, sk: number, owner: number, by: number): void {
    ACTIONS[action](this, sk, owner, by);
  }

  /** A socket that lives there. */
  real(sk: number): Real | null {
    return this.at.get(sk) ?? null;
  }

  alive(sk: number): Real | null {
    const real = this.real(sk);
    return real !== null && !real.dead && !real.closed ? real : null;
  }

  make(sk: number, owner: number): Real | null {
    if (this.at.has(sk)) return null;
    this.count++;
    const family = this.count % 3 === 0 ? ['fd00::1', 'fd00::2'] : ['10.0.0.1', '10.0.0.2'];
    const tuple = `${family[0] ?? ''} ${80 + (this.count % 2)} ${family[1] ?? ''} ${1000 + this.count}`;
    const real = { owner, tuple, connected: false, closed: false, dead: false, reset: false, unseen: false };
    this.at.set(sk, real);
    return real;
  }

  free(sk: number): void {
    this.at.delete(sk);
  }

  wait(real: Real): void {
    this.waiting.push(real);
  }

  someWaiting(which: number): Real | null {
    return this.waiting[which % Math.max(1, this.waiting.length)] ?? null;
  }

  traced(real: Real | null, destroyer: number | null = null): void {
    this.truth.push(real?.owner ?? null);
    this.opened.push(real?.connected === true);
    this.destroyers.push(destroyer);
  }
}

type Action = (world: World, sk: number, owner: number, by: number) => void;

const ACTIONS = {
  /** No event tells of it. */
  accepted: (world, sk, owner) => {
    world.make(sk, owner);
  },
  connected: (world, sk, owner) => {
    const real = world.make(sk, owner);
    if (real === null) return;
    real.connected = true;
    world.script.connected(sk, real.tuple, owner);
  },
  refused: (world, sk, owner, by) => {
    const real = world.make(sk, owner);
    if (real === null) return;
    world.script.connect(sk, real.tuple, owner).answer(0, mirrored(real.tuple), { task: by, soft: true }, 0);
    world.traced(null);
    real.connected = true;
    world.script.receive(sk, real.tuple, by % 2 === 0 ? { task: by, soft: true } : { task: owner });
    world.traced(real);
    world.script.state(sk, STATE.synSent, STATE.close, real.tuple, { task: by, soft: true });
    real.dead = true;
  },
  linger: (world, sk) => {
    const real = world.alive(sk);
    if (real === null) return;
    world.script.abort(sk, real.tuple, { task: real.owner }, 'linger');
    world.traced(real);
    world.script.destroy(sk, real.tuple.replace(/\d+$/, '0'), { task: real.owner });
    world.free(sk);
  },
  keepalive: (world, sk, _, by) => {
    const real = world.alive(sk);
    if (real === null) return;
    world.script.abort(sk, real.tuple, { task: by, soft: true }, 'keepalive', STATE.established);
    world.traced(real);
    real.dead = true;
  },
  destroyedByDaemon: (world, sk) => {
    const real = world.alive(sk);
    if (real === null) return;
    world.script.abort(sk, real.tuple, { task: DAEMON }, 'destroyed', STATE.established);
    world.traced(real, DAEMON);
    real.dead = true;
  },
  answered: (world, sk, _, by) => {
    const real = world.alive(sk);
    if (real === null) return;
    world.script.answer(sk, real.tuple, { task: by, soft: by % 2 === 0 }, STATE.established);
    world.traced(real);
  },
  gotReset: (world, sk, _, by) => {
    const real = world.real(sk);
    if (real === null || real.dead) return;
    world.script.receive(sk, real.tuple, { task: by, soft: true });
    world.traced(real);
    // An orphan goes at once, and in an interrupt: nothing tells of it.
    if (real.closed) world.free(sk);
    else real.dead = real.reset = true;
    if (real.unseen) world.unsure.add(world.truth.length - 1);
  },
  gotResetInCall: (world, sk) => {
    const real = world.alive(sk);
    if (real === null) return;
    world.script.receive(sk, real.tuple, { task: real.owner });
    world.traced(real);
    real.dead = real.reset = true;
  },
  timedOut: (world, sk) => {
    const real = world.alive(sk);
    if (real !== null) real.dead = true;
  },
  readFails: (world, sk) => {
    const real = world.real(sk);
    if (real?.reset === true && !real.closed) world.script.failedCall(sk, real.owner);
  },
  /** A write fails also where the connection timed out, and there is no address in what tells of it. */
  writeFails: (world, sk) => {
    const real = world.real(sk);
    if (real?.dead === true && !real.closed) world.script.failedCall(sk, real.owner, false);
  },
  closesDead: (world, sk) => {
    const real = world.real(sk);
    if (real?.dead !== true || real.closed) return;
    world.script.destroy(sk, real.tuple, { task: real.owner });
    world.free(sk);
  },
  closes: (world, sk) => {
    const real = world.alive(sk);
    if (real === null) return;
    world.script.state(sk, STATE.established, STATE.finWait1, real.tuple, { task: real.owner });
    real.closed = true;
  },
  /** Before tracing. */
  closedUnseen: (world, sk) => {
    const real = world.alive(sk);
    if (real !== null) real.closed = real.unseen = true;
  },
  /** The socket goes, in an interrupt; another one stands for it. */
  waits: (world, sk) => {
    const real = world.real(sk);
    if (real?.closed !== true || real.dead) return;
    world.wait(real);
    world.free(sk);
  },
  lateData: (world, sk, owner, by) => {
    const real = world.someWaiting(owner);
    if (real === null) return;
    world.script.answer(5000 + sk, real.tuple, { task: by, soft: true }, STATE.timeWait);
    world.traced(real);
  },
} as const satisfies Record<string, Action>;

const NAMES = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[];

const step = fc.tuple(
  fc.constantFrom(...NAMES),
  fc.constantFrom(...ADDRESSES),
  fc.integer({ min: 100, max: 104 }),
  fc.integer({ min: 100, max: 106 }),
);

function live(steps: readonly (readonly [keyof typeof ACTIONS, number, number, number])[]): World {
  const world = new World();
  for (const [action, sk, owner, by] of steps) world.do(action, sk, owner, by);
  return world;
}

describe('random lives of sockets', () => {
  test('nobody is named who is not the owner', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const { script, truth, destroyers, unsure } = live(steps);
        expect(script.resets).toHaveLength(truth.length);
        script.resets.forEach(({ owner, destroyer }, i) => {
          if (owner !== null && !(owner.how === 'call' && unsure.has(i)))
            expect([i, owner.task]).toEqual([i, truth[i]]);
          expect(destroyer?.task ?? null).toBe(destroyers[i]);
        });
      }),
      { numRuns: 4000 },
    );
  });

  test('none is said to have connected that did not', () => {
    let right = 0;
    let all = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const { script, opened } = live(steps);
        script.resets.forEach(({ connected }, i) => {
          if (connected) expect([i, opened[i]]).toEqual([i, true]);
          if (opened[i] === true) all++;
          if (opened[i] === true && connected) right++;
        });
      }),
      { numRuns: 2000, seed: 11 },
    );
    expect(right / all).toBeGreaterThan(0.95);
  });

  test('and most of them are named', () => {
    const all = fc.sample(fc.array(step, { minLength: 60, maxLength: 60 }), { numRuns: 200, seed: 7 }).map(live);
    const owned = all.flatMap(({ script, truth }) => script.resets.filter((_, i) => truth[i] !== null));
    expect(owned.length).toBeGreaterThan(500);
    expect(owned.filter(({ owner }) => owner !== null).length / owned.length).toBeGreaterThan(0.7);
  });
});
