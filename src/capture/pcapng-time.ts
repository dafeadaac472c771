/**
 * pcapng timestamps: 64-bit counts of a unit that each interface states (if_tsresol, if_tsoffset).
 *
 * Source: draft-ietf-opsawg-pcapng 4.2. The count of nanoseconds since 1970 does not fit a double, so seconds and
 * nanoseconds are kept apart and the division is exact.
 */

/** An interface's unit and offset. */
export interface TimeUnit {
  /** Units per second where that is 10^4 to 10^9 and doubles do, else 0: then `perSecond` holds it. */
  readonly decimal: number;
  readonly perSecond: bigint;
  readonly offsetSeconds: number;
  /** Digits after the second worth writing (0 to 12). */
  readonly digits: number;
}

const MAX_DIGITS = 12;
/** Below this the quotient of a large count could be off by more than one in doubles (2^64 is rounded to 2^11). */
const MIN_DECIMAL_DIGITS = 4;
const MAX_DECIMAL_DIGITS = 9;

/** The unit of an if_tsresol byte: 10^-n, or 2^-n when the high bit is set. */
export function timeUnit(resolution: number, offsetSeconds: number): TimeUnit {
  const n = resolution & 0x7f;
  if ((resolution & 0x80) === 0) {
    return {
      decimal: n >= MIN_DECIMAL_DIGITS && n <= MAX_DECIMAL_DIGITS ? 10 ** n : 0,
      perSecond: 10n ** BigInt(n),
      offsetSeconds,
      digits: Math.min(n, MAX_DIGITS),
    };
  }
  // As many decimal digits as tell two neighbouring counts apart.
  return {
    decimal: 0,
    perSecond: 1n << BigInt(n),
    offsetSeconds,
    digits: Math.min(Math.ceil(n * Math.LOG10E * Math.LN2), 9),
  };
}

/** Microseconds, what an interface without if_tsresol has. */
export const MICROSECONDS = timeUnit(6, 0);

const TWO_32 = 4294967296;
const PICOSECONDS = 10n ** 12n;

/** Whole seconds of a count, into column `seconds`, and nanoseconds into `nanos`, at index `i`. */
export function storeTime(
  unit: TimeUnit,
  high: number,
  low: number,
  seconds: Float64Array,
  nanos: Float64Array,
  i: number,
): void {
  const { decimal } = unit;
  if (decimal === 0) {
    storeUnusual(unit, high, low, seconds, nanos, i);
    return;
  }
  // The quotient in doubles is off by one at most; the remainder modulo 2^32 is exact and says which way.
  let quotient = Math.floor((high * TWO_32 + low) / decimal);
  let rest = (low - Math.imul(quotient, decimal)) >>> 0;
  if (rest >= decimal) {
    if (rest > TWO_32 - decimal) {
      quotient -= 1;
      rest = (rest + decimal) >>> 0;
    } else {
      quotient += 1;
      rest -= decimal;
    }
  }
  seconds[i] = quotient + unit.offsetSeconds;
  nanos[i] = rest * (1e9 / decimal);
}

function storeUnusual(
  unit: TimeUnit,
  high: number,
  low: number,
  seconds: Float64Array,
  nanos: Float64Array,
  i: number,
): void {
  const count = (BigInt(high) << 32n) | BigInt(low);
  const rest = count % unit.perSecond;
  seconds[i] = Number(count / unit.perSecond) + unit.offsetSeconds;
  // Cut to picoseconds, the finest that is written: a quotient of doubles could be rounded into the next one.
  nanos[i] = Number((rest * PICOSECONDS) / unit.perSecond) / 1000;
}
