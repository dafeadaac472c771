/** Joins the command line to the process: streams, clocks and signals. */

import { main } from './main.js';
import { Output, type Io } from './io.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const STOPPED_AT_ONCE = 130;

/** Runs with the process's own streams. @returns the exit code. */
export async function runProcess(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = (): void => {
    if (interrupt.signal.aborted) {
      // A second Ctrl-C: whatever hangs must not hold the user.
      process.exit(STOPPED_AT_ONCE);
    }
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const io: Io = {
    stdin: process.stdin,
    stdout: new Output(process.stdout),
    stderr: new Output(process.stderr),
    env: process.env,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    interrupt: interrupt.signal,
  };
  try {
    return await main(args, io);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
