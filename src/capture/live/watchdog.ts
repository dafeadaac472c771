/**
 * Sees to it that what we started does not outlive us, however we end: a small shell that holds a pipe from us and kills
 * at its end, and a sweep at the next start for when that shell was killed too.
 *
 * A tcpdump on a quiet interface does not notice that its reader has gone, and by giving up root it loses a signal that
 * it had ordered for the death of its parent.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { findProgram, pidNamespace, STARTED_BY, startProgram, startTime, type Program } from '../../base/spawn.js';

/**
 * Told "+ PID START" and "- PID START" line by line. At the end of its input it kills what is left, if it is still
 * the same process, and once more without mercy. POSIX; nothing but builtins, kill and sleep.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM PIPE
list=' '
while read -r what pid start; do
  case $what in
    +) list="$list$pid:$start " ;;
    -) case $list in *" $pid:$start "*) list="\${list%%" $pid:$start "*} \${list#*" $pid:$start "}" ;; esac ;;
  esac
done
each() {
  left=
  for one in $list; do
    pid=\${one%%:*}
    line=
    read -r line 2>/dev/null </proc/"$pid"/stat || continue
    set -- \${line##*) }
    [ "$1" != Z ] && [ "\${20}" = "\${one#*:}" ] || continue
    left=yes
    kill -"$signal" "$pid" 2>/dev/null
  done
}
signal=TERM; each
for _ in 1 2 3 4 5; do [ -n "$left" ] || exit 0; sleep 0.1 2>/dev/null || sleep 1; signal=0; each; done
signal=KILL; each
`;

export class Watchdog {
  private readonly shell: Program | null;
  private readonly started = new Map<number, string>();

  constructor() {
    const sh = findProgram('sh');
    this.shell = sh === null ? null : startProgram(sh, ['-c', SCRIPT, 'rstscope-watchdog'], { PATH: '/usr/bin:/bin' });
    this.shell?.on('error', () => undefined);
    for (const stream of [this.shell?.stdin, this.shell?.stdout, this.shell?.stderr]) {
      stream?.on('error', () => undefined);
    }
    this.shell?.stdout?.resume();
    this.shell?.stderr?.resume();
  }

  /** A program of ours runs, or has ended. */
  readonly tell = (pid: number, alive: boolean): void => {
    if (alive) {
      const start = startTime(pid);
      if (start === null) return;
      this.started.set(pid, start);
      this.shell?.stdin?.write(`+ ${String(pid)} ${start}\n`);
    } else {
      const start = this.started.get(pid);
      this.started.delete(pid);
      if (start !== undefined) this.shell?.stdin?.write(`- ${String(pid)} ${start}\n`);
    }
  };

  /** Everything has ended; so does the shell. */
  async stop(): Promise<void> {
    const { shell } = this;
    if (shell?.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => {
      shell.once('exit', () => {
        resolve();
      });
    });
    shell.stdin?.end();
    await gone;
  }
}

/** Kills what another rstscope started and left behind, whose process is gone. @returns how many there were. */
export function sweep(): number {
  let swept = 0;
  for (const name of folder('/proc')) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid) || pid === process.pid) continue;
    const mark = markOf(pid);
    if (mark === null) continue;
    const [starter = '', start = '', namespace = ''] = mark.split(':', 2).concat(mark.split(':').slice(2).join(':'));
    if (namespace !== pidNamespace() || startTime(Number(starter)) === start) continue;
    try {
      process.kill(pid, 'SIGKILL');
      swept++;
    } catch {
      // It has ended meanwhile, or is not ours to end.
    }
  }
  return swept;
}

function folder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function markOf(pid: number): string | null {
  try {
    const environment = readFileSync(`/proc/${String(pid)}/environ`, 'latin1');
    const at = `\0${environment}`.indexOf(`\0${STARTED_BY}=`);
    if (at < 0) return null;
    const [value = ''] = environment.slice(at + STARTED_BY.length + 1).split('\0');
    return value;
  } catch {
    return null;
  }
}
