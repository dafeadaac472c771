/** Narrow pages, long messages and strangers' text in what is said of the kernel's counters. */
import { expect, test } from '@jest/globals';
import { kernelLines } from '../../src/render/kernel-block.js';
import { renderHealth, renderTotals } from '../../src/render/health-table.js';
import { columnsOf } from '../../src/render/text-width.js';
import {
  everyCounter,
  sampleAlert,
  sampleHealth,
  sampleKernel,
  sampleNamespace,
  sampleReconciliation,
} from './sample-kernel.js';
import { HOSTILE, PLAIN, sampleReport } from './sample-report.js';
const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

test('kernel block: what an alert says steers no terminal', () => {
  const alerts = [sampleAlert({ id: `a${HOSTILE}`, state: 'warning', reason: `so${HOSTILE}` })];
  const text = kernelLines(sampleReport({ kernel: sampleKernel(), alerts }), PLAIN).join('\n');
  expect(text).not.toMatch(STEERING);
});
test('kernel block: a long message is whole', () => {
  const end = '[2001:db8:1111:2222:3333:4444:5555:6666]:50000';
  const message = `3 resets that the kernel counted and no interface showed (${[1, 2, 3].map(() => `${end} to ${end}`).join(', ')}): dropped on the way out, or missed by the capture`;
  const differences = [{ what: 'unexplained', resets: 3, netns: null, name: null, message, next_step: null } as const];
  const kernel = sampleKernel({ reconciliation: sampleReconciliation({ nothing_missed: false, differences }) });
  expect(kernelLines(sampleReport({ kernel }), { ...PLAIN, width: 140 }).join('\n')).toMatch(
    /missed by\s+the\s+capture/,
  );
});
test.each([50, 60, 70, 79])('health fits %d columns', (width) => {
  const style = { ...PLAIN, width };
  const still = everyCounter().map((row) => ({ ...row, total: 0, delta: 0, rate: 0 }));
  const long = sampleNamespace({ name: 'n'.repeat(60) });
  for (const document of [
    sampleHealth({
      counters: everyCounter(),
      alerts: [sampleAlert({ id: 'logicmonitor_failed_connections', counter: 'AttemptFails', value: 1234 })],
    }),
    sampleHealth({ counters: still }),
    sampleHealth({ namespaces: [long] }),
  ]) {
    const texts = [
      renderTotals(document, style, true),
      renderTotals(document, style, false),
      renderHealth(document, style, { all: true, history: new Map() }),
      renderHealth(document, style, { all: false, history: new Map() }),
    ];
    const wide = texts.flatMap((text) => text.split('\n')).filter((line) => columnsOf(line) > width);
    expect([...new Set(wide)]).toEqual([]);
  }
});
