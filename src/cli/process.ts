/** Joins the command line to the process: streams, clocks, signals, and the ends that cannot wait. */

import { TOOL_NAME } from '../base/package-info.js';
import { EXIT_STOPPED } from './exit-codes.js';
import { Output, type Io } from './io.js';
import { main } from './main.js';
import { tell } from './tell.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs with the process's own streams. @returns the exit code. */
export async function runProcess(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const asked: { listener: (() => void) | null; before: boolean } = { listener: null, before: false };
  const onAsked = (): void => {
    if (asked.listener === null) asked.before = true;
    else asked.listener();
  };
  const io: Io = {
    // Made when it is asked for: most runs read files.
    get stdin() {
      return process.stdin;
    },
    stdout: new Output(process.stdout, process.env),
    stderr: new Output(process.stderr, process.env),
    env: process.env,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    interrupt: interrupt.signal,
    program: [process.execPath, process.argv[1] ?? TOOL_NAME],
    // Not SIGUSR1: Node opens its debugger on it before a handler stands.
    onAsked: (listener) => {
      asked.listener = listener;
      // Asked before there was anybody to hear it.
      if (asked.before) listener();
      return () => {
        asked.listener = null;
      };
    },
  };
  const onSignal = (): void => {
    // A second Ctrl-C: whatever hangs must not hold the user, and what is on its way is given up.
    if (interrupt.signal.aborted) process.exit(EXIT_STOPPED);
    interrupt.abort();
  };
  const onFault = (error: unknown): void => {
    void tell(error, args.includes('--debug'), io).then((code) => process.exit(code));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('SIGUSR2', onAsked);
  process.once('uncaughtException', onFault);
  try {
    return await main(args, io);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off('SIGUSR2', onAsked);
    process.off('uncaughtException', onFault);
  }
}
