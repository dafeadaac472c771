/** Names that somebody may have meant: by letters that differ, or by a part that they have in common. */

interface Named {
  readonly key: string;
}

/** A part of a name must be that long to mean anything. */
const SHORTEST_PART = 4;
const LONGEST = 64;

/** The names near `typed`, the nearest first, of equals the earlier; none that is much farther than the nearest. */
export function nearest<T extends Named>(typed: string, names: readonly T[]): T[] {
  if (typed === '' || typed.length > LONGEST) return [];
  const most = Math.min(3, Math.max(1, Math.floor(typed.length / 3)));
  const near = names
    .map((name) => ({ name, apart: apart(typed, name.key) }))
    .filter((one) => one.apart <= most)
    .sort((a, b) => a.apart - b.apart);
  const least = near[0]?.apart ?? 0;
  return near.filter((one) => one.apart <= least + 1).map(({ name }) => name);
}

function apart(typed: string, key: string): number {
  // A part comes behind a name with one letter wrong, before one with two.
  const part = Math.min(typed.length, key.length) >= SHORTEST_PART && (key.includes(typed) || typed.includes(key));
  return part ? Math.min(1, edits(typed, key)) : edits(typed, key);
}

/** Letters to put in, leave out, change or swap with their neighbour. */
function edits(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[to.length] ?? 0;
}
