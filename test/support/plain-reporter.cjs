/**
 * Prints, after jest's own closing lines: every skipped test with its reason, then one plain line with the counts,
 * `N passed, N failed` or `N passed, N failed, N skipped`.
 *
 * A test tells why it is skipped in its title, or in that of a describe block around it: `… [skipped: needs root]`.
 * With RSTSCOPE_REQUIRE_ALL=1 a skipped test is a failure, except one whose reason is that RSTSCOPE_PCAPS is not set
 * (those captures are not part of this repository).
 */
const path = require('node:path');

const REASON = /\[skipped: ([^\]]+)\]/;
const SKIPPED = new Set(['pending', 'skipped', 'disabled', 'todo']);

function skippedTests(results, rootDir) {
  const skipped = [];
  for (const suite of results.testResults) {
    const file = path.relative(rootDir, suite.testFilePath);
    for (const test of suite.testResults) {
      if (!SKIPPED.has(test.status)) continue;
      const reason = REASON.exec(test.fullName);
      skipped.push({
        file,
        name: test.fullName.replace(REASON, '').replace(/\s+/g, ' ').trim(),
        reason: reason ? reason[1] : test.status === 'todo' ? 'not written yet' : 'no reason given',
      });
    }
  }
  return skipped;
}

function isFailure(skip) {
  if (process.env.RSTSCOPE_REQUIRE_ALL !== '1') return false;
  return process.env.RSTSCOPE_PCAPS || !skip.reason.includes('RSTSCOPE_PCAPS');
}

module.exports = class PlainReporter {
  constructor(globalConfig) {
    this.globalConfig = globalConfig;
    this.error = undefined;
  }

  onRunComplete(_contexts, results) {
    // Tests left out because the caller asked for others by name are not worth a word.
    const skipped = this.globalConfig.testNamePattern ? [] : skippedTests(results, this.globalConfig.rootDir);
    const refused = skipped.filter(isFailure);
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + refused.length;
    const lines = [];

    if (skipped.length > 0) {
      lines.push('', `!!! ${skipped.length} SKIPPED: what these test was NOT checked`);
      for (const skip of skipped) lines.push(`!!!   ${skip.file}: ${skip.name} (${skip.reason})`);
    }
    if (refused.length > 0) {
      this.error = new Error(`${refused.length} skipped with RSTSCOPE_REQUIRE_ALL=1: each counts as failed`);
      lines.push(`!!! ${this.error.message}`);
    }
    const counts = [`${results.numPassedTests} passed`, `${failed} failed`];
    if (skipped.length > refused.length) counts.push(`${skipped.length - refused.length} skipped`);
    lines.push('', counts.join(', '));
    // Jest adds its own summary behind all other reporters, so these lines wait for the very end.
    process.once('exit', () => process.stdout.write(lines.join('\n') + '\n'));
  }

  getLastError() {
    return this.error;
  }
};
