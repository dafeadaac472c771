/** A program for tests: makes a tracing instance, says so, and removes it when its standard input ends. */
import { NoTrace, Instance } from '../../../src/attribute/trace/instance.js';

try {
  const instance = await Instance.make();
  process.stdout.write(`${JSON.stringify({ folder: instance.facts.folder, pid: process.pid })}\n`);
  process.stdin.resume().on('end', () => {
    void instance.remove().then(() => {
      process.stdout.write('removed\n');
    });
  });
} catch (error) {
  process.stdout.write(`${JSON.stringify({ refused: error instanceof NoTrace ? error.message : String(error) })}\n`);
}
