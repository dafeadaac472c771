import { builtinModules } from 'node:module';
import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** A built-in module is imported by its node: name, so that no package can stand in for it. */
const bareBuiltins = builtinModules
  .filter((name) => !name.startsWith('_') && !name.startsWith('node:'))
  .map((name) => ({ name, message: `Import 'node:${name}'.` }));

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'bench/data/', 'test/pcaps/', 'scripts/*.d.mts']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'no-console': 'error',
      'no-restricted-imports': ['error', { paths: bareBuiltins }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'Return an exit code: output may still be on its way.' },
        { object: 'process', property: 'abort', message: 'Return an exit code.' },
      ],
      eqeqeq: 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',

      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Numbers print themselves well.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => sink.write(text)` is how a void callback is written.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Counting loops over bytes are meant; for-of would hide the offset.
      '@typescript-eslint/prefer-for-of': 'off',
      // `a || b` on strings is often meant: the empty string counts as absent.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
    },
  },
  {
    // The one file of unchecked reads: its callers have checked the length.
    files: ['src/base/bytes.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    // What may end the process: a second Ctrl-C, a fault that nothing else caught; and the capturing child, which is a
    // program of its own and has nobody to return to.
    files: ['src/cli/process.ts', 'src/capture/live/cap-child.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // JSON read back from the program is looked at as it is.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        console: 'readonly',
      },
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { module: 'writable', require: 'readonly', __dirname: 'readonly', __filename: 'readonly' },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  { files: ['bin/rstscope.js'], rules: { 'no-var': 'off' } },
  // A benchmark is a program whose output is its report.
  { files: ['bench/**'], rules: { 'no-console': 'off' } },
);
