/** Tests are TypeScript ES modules: swc strips the types, Node's own loader (vm modules) links them. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
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
  testSequencer: '<rootDir>/test/support/test-order.cjs',
  reporters: ['default', '<rootDir>/test/support/plain-reporter.cjs'],
  testTimeout: 60_000,
};
