/** The kernels' texts of test/health/fixtures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCounters, type Counters } from '../../src/health/counter-text.js';

export const KERNELS = ['6.18', '6.1', 'old'] as const;
export type Kernel = (typeof KERNELS)[number];

export function textOf(kernel: Kernel, file: 'snmp' | 'netstat'): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', kernel, `${file}.txt`), 'latin1');
}

export function recorded(kernel: Kernel): Counters {
  return parseCounters(textOf(kernel, 'snmp'), textOf(kernel, 'netstat'));
}
