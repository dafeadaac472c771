/** Tables of sockets and processes as tests want them. */
import type { Process } from '../../../src/attribute/process.js';
import { tupleKey, type NetTables } from '../../../src/attribute/sockets/table.js';

export interface Row {
  local: string;
  remote?: string;
  /** The kernel's number; 1: established, 6: TIME_WAIT, 10: listening. */
  state?: number;
  inode?: number;
}

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

/** "10.0.0.1:80", "[::1]:80". */
export function split(text: string): [string, number] {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon).replace(/[[\]]/g, ''), Number(text.slice(colon + 1))];
}

/** `mapped`: IPv4 rows stand in tcp6. */
export function tables(rows: readonly Row[], mapped = false): NetTables {
  let tcp = HEAD;
  let tcp6 = HEAD;
  rows.forEach(({ local, remote, state, inode = 0 }, i) => {
    const isListener = remote === undefined;
    const away = remote ?? (local.startsWith('[') ? '[::]:0' : '0.0.0.0:0');
    const forms = tupleKey(...split(local), ...split(away));
    const long = forms.length === 1 || mapped;
    const key = long ? (forms.at(-1) ?? '') : (forms[0] ?? '');
    const number = (state ?? (isListener ? 10 : 1)).toString(16).toUpperCase().padStart(2, '0');
    const line = `${String(i).padStart(4)}: ${key} ${number} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000066caf482 100 0 0 10 0\n`;
    if (long) tcp6 += line;
    else tcp += line;
  });
  return { tcp, tcp6 };
}

export function someProcess(pid: number, more: Partial<Process> = {}): Process {
  const name = more.name ?? `p${pid}`;
  return {
    pid,
    ppid: 1,
    parent: 'init',
    name,
    exe: `/usr/bin/${name}`,
    command: name,
    user: 'root',
    unit: null,
    container: null,
    netns: null,
    started: 100,
    ...more,
  };
}
