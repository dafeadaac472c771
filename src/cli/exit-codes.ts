/** Exit codes, as the README lists them; 3 wins over 1. */

export const EXIT_OK = 0;
/** `--max-resets` exceeded. */
export const EXIT_FOUND = 1;
/** Could not do the job. */
export const EXIT_CANNOT = 2;
/** Reported, but the input was incomplete or damaged. */
export const EXIT_INCOMPLETE = 3;
/** A fault of the program. */
export const EXIT_FAULT = 70;
/** A second Ctrl-C. */
export const EXIT_STOPPED = 130;
