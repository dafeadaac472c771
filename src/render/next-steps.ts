/** What to do next, with the words in capitals filled in as far as one reset tells them. */

import type { NextStep } from '../report/explanations/explanation.js';

/** `file` as a shell takes it. */
export function stepsFor(steps: readonly NextStep[], port: number | null, file: string): readonly NextStep[] {
  return steps.map((step) => {
    if (step.type === undefined) return step;
    const type = step.type.replace(/\bFILE\b/g, () => file);
    return { ...step, type: port === null ? type : type.replace(/\bPORT\b/g, String(port)) };
  });
}
