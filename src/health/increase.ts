/**
 * How much a counter of the kernel rose between two readings, also where it wrapped or began anew.
 *
 * Counters are unsigned longs: 32 bits on 32-bit kernels. Beyond 2^53 the two readings are doubles; their difference is
 * still right to 2^-52 of the total, and no counter of resets gets there.
 */

const WRAP = 2 ** 32;
/** A counter that fell from within this part of the top of 32 bits went over it; any other began anew. */
const NEAR_TOP = WRAP - 2 ** 28;

export interface Increase {
  readonly by: number;
  /** It fell and had not wrapped: what it counts is counted by another one now (a namespace that was made anew). */
  readonly anew: boolean;
}

export function increaseOf(before: number, after: number): Increase {
  if (after >= before) return { by: after - before, anew: false };
  if (before >= NEAR_TOP && before < WRAP && after < WRAP - before + 2 ** 28) {
    return { by: after + WRAP - before, anew: false };
  }
  // All that the new one has counted came since.
  return { by: Math.max(after, 0), anew: true };
}
