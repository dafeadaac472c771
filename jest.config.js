/**
 * Tests are TypeScript ES modules: swc strips the types, Node's own loader (vm modules) links them.
 *
 * Two groups: what only computes runs on two workers; what starts programs, captures, or counts what the machine does
 * runs alone, one suite after another.
 */
const project = {
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/bench/data/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Sources import each other as './name.js', as Node wants it of the build; here the file is './name.ts'.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'] },
};
/** Rooms that only compute, and what reads captures. */
const COMPUTING = 'base,decode,scan,conversation,report,render,patterns,findings,compare,analyze,golden,truth';

const FIRST = '<rootDir>/test/architecture.test.ts';

export default {
  projects: [
    {
      ...project,
      displayName: 'computing',
      // The first of all tests is of this group: so the group is the first.
      testMatch: [FIRST, `<rootDir>/test/{${COMPUTING}}/**/*.test.ts`],
    },
    {
      ...project,
      displayName: 'alone',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [FIRST, ...COMPUTING.split(',').map((room) => `<rootDir>/test/${room}/`)],
      runner: '<rootDir>/test/support/serial-runner.cjs',
    },
  ],
  maxWorkers: 2,
  testSequencer: '<rootDir>/test/support/test-order.cjs',
  reporters: ['default', '<rootDir>/test/support/plain-reporter.cjs'],
  testTimeout: 60_000,
};
