/** The rules of the house hold in src and in the package, and each rule notices when it is broken. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readSourceTree, RULE_NAMES, RULES, showViolations, type RuleName } from './support/architecture.js';
import {
  PACKAGE_RULE_NAMES,
  PACKAGE_RULES,
  readPackage,
  type PackageFacts,
  type PackageRuleName,
} from './support/package-rules.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const DOC = '/** What this is for. */\n';

describe('the house', () => {
  const tree = readSourceTree(root);

  test('has sources to check', () => {
    expect(tree.files.length).toBeGreaterThan(0);
  });
  test.each(RULE_NAMES)('%s', (rule) => {
    expect(showViolations(RULES[rule](tree))).toEqual([]);
  });
});

describe('the package', () => {
  const facts = readPackage(root);

  test.each(PACKAGE_RULE_NAMES)('%s', (rule) => {
    expect(PACKAGE_RULES[rule](facts)).toEqual([]);
  });
});

describe('a rule on a small tree of its own', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'rstscope-house-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function broken(rule: RuleName, files: Record<string, string>): string[] {
    for (const [name, text] of Object.entries(files)) {
      const target = path.join(folder, 'src', name);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
    return RULES[rule](readSourceTree(folder)).map(({ file, line }) => `${file}:${line}`);
  }

  /** [rule, file, a line that breaks it there]: it must be found on line 2, below the doc comment. */
  const BREACHES: [RuleName, string, string][] = [
    ['every source stands in a room', 'index.ts', 'export {};'],
    ['every source stands in a room', 'utils/text.ts', 'export {};'],
    ['every source stands in a room', 'base/old.js', 'export {};'],

    ['a file of layout imports nothing', 'decode/a-layout.ts', "import { A } from './b.js';"],

    ['a room imports only from itself and the rooms before it', 'base/a.ts', "import '../capture/b.js';"],
    ['a room imports only from itself and the rooms before it', 'decode/a.ts', "import '../conversation/b.js';"],
    ['a room imports only from itself and the rooms before it', 'decode/a.ts', "import type { B } from '../cli/b.js';"],
    ['a room imports only from itself and the rooms before it', 'decode/a.ts', "export * from '../report/b.js';"],
    ['a room imports only from itself and the rooms before it', 'decode/a.ts', "await import('../report/b.js');"],
    ['a room imports only from itself and the rooms before it', 'decode/a.ts', "let b: import('../report/b.js').B;"],
    ['a room imports only from itself and the rooms before it', 'decode/deep/a.ts', "import '../../report/b.js';"],
    ['a room imports only from itself and the rooms before it', 'render/a.ts', "import '../decode/b.js';"],
    ['a room imports only from itself and the rooms before it', 'render/a.ts', "import '../conversation/b.js';"],
    ['a room imports only from itself and the rooms before it', 'render/a.ts', "import '../attribute/b.js';"],
    ['a room imports only from itself and the rooms before it', 'render/a.ts', "import '../analyze/analyze.js';"],
    ['a room imports only from itself and the rooms before it', 'report/a.ts', "import '../analyze/analyze.js';"],
    ['a room imports only from itself and the rooms before it', 'analyze/a.ts', "import '../render/b.js';"],
    ['a room imports only from itself and the rooms before it', 'analyze/a.ts', "import '../cli/b.js';"],
    ['a room imports only from itself and the rooms before it', 'compare/a.ts', "import '../conversation/b.js';"],
    ['a room imports only from itself and the rooms before it', 'analyze/a.ts', "import '../compare/b.js';"],
    ['a room imports only from itself and the rooms before it', 'render/a.ts', "import '../compare/b.js';"],
    ['a room imports only from itself and the rooms before it', 'cli/a.ts', "import '../../package.json';"],

    [
      'decode, conversation and report import no module of Node',
      'decode/a.ts',
      "import { Buffer } from 'node:buffer';",
    ],
    ['decode, conversation and report import no module of Node', 'conversation/a.ts', "import 'path';"],
    ['decode, conversation and report import no module of Node', 'report/a.ts', "import 'node:util';"],

    ['a package is imported only in its room', 'report/a.ts', "import chalk from 'chalk';"],
    ['a package is imported only in its room', 'cli/a.ts', "import Table from 'cli-table3';"],
    ['a package is imported only in its room', 'render/a.ts', "import { Command } from 'commander';"],
    ['a package is imported only in its room', 'cli/a.ts', "await import('cap');"],
    ['a package is imported only in its room', 'cli/a.ts', "import x from '@scope/name/x.js';"],

    ['cap is never imported statically', 'capture/a.ts', "import { Cap } from 'cap';"],
    ['cap is never imported statically', 'capture/a.ts', "export { Cap } from 'cap';"],
    ['cap is never imported statically', 'capture/a.ts', "import Cap = require('cap');"],

    ['processes and threads are started in one file', 'capture/a.ts', "import { spawn } from 'node:child_process';"],
    ['processes and threads are started in one file', 'cli/a.ts', "import { Worker } from 'worker_threads';"],
    ['processes and threads are started in one file', 'cli/a.ts', "createRequire(here)('child_process');"],

    ['the file system is touched only in capture, attribute, health and cli', 'base/a.ts', "import 'node:fs';"],
    ['the file system is touched only in capture, attribute, health and cli', 'render/a.ts', "import 'fs/promises';"],
    ['the file system is touched only in capture, attribute, health and cli', 'analyze/a.ts', "require('node:fs');"],

    ['decode, conversation, report and render never ask for the time', 'decode/a.ts', 'const t = Date.now();'],
    ['decode, conversation, report and render never ask for the time', 'conversation/a.ts', 'const t = new Date();'],
    ['decode, conversation, report and render never ask for the time', 'report/a.ts', 'const t = new Date;'],
    ['decode, conversation, report and render never ask for the time', 'render/a.ts', 'const clock = Date.now;'],
    ['decode, conversation, report and render never ask for the time', 'render/a.ts', 'const t = performance.now();'],
    ['decode, conversation, report and render never ask for the time', 'render/a.ts', 'const t = Date();'],

    ['nothing is of type any', 'base/a.ts', 'let x: any;'],
    ['nothing is of type any', 'cli/a.ts', 'const x = JSON.parse(text) as Record<string, any>;'],

    ['no comment switches a check off', 'base/a.ts', '// @ts-ignore\nexport {};'],
    ['no comment switches a check off', 'base/a.ts', '/* eslint-disable no-console */'],
    ['no comment switches a check off', 'base/a.ts', 'f(); // eslint-disable-line'],
    ['no comment switches a check off', 'base/a.ts', 'f(/* @ts-expect-error */ 1);'],

    ['only base/bytes.ts asserts that something is not null', 'base/a.ts', 'const x = list[0]!;'],
    ['only base/bytes.ts asserts that something is not null', 'decode/bytes.ts', 'const x = list.pop()!.length;'],
  ];
  test.each(BREACHES)('%s: found in %s: %s', (rule, file, line) => {
    expect(broken(rule, { [file]: `${DOC}${line}\n` })).toEqual([
      `src/${file}:${rule === 'every source stands in a room' ? 1 : 2}`,
    ]);
  });

  test.each(['export {};\n', '// a line\nexport {};\n', '/* a block */\n', '/***/\n', '/** */\nexport {};\n'])(
    'every file opens with a doc comment: %j does not',
    (text) => {
      expect(broken('every file opens with a doc comment', { 'base/a.ts': text })).toEqual(['src/base/a.ts:1']);
    },
  );

  test('what is allowed is let be, by every rule', () => {
    const files = {
      'base/bytes.ts': `${DOC}export const at = (bytes: Uint8Array, i: number): number => bytes[i]!;\n`,
      'base/spawn.ts': `${DOC}import { spawn } from 'node:child_process';\n`,
      'base/package-info.ts': `${DOC}import { readFileSync } from 'node:fs';\n`,
      'capture/file.ts': `${DOC}import { open } from 'node:fs/promises';\nconst { Cap } = await import('cap');\n`,
      'decode/tcp.ts': `${DOC}import { at } from '../base/bytes.js';\nimport type { F } from '../capture/file.js';\n`,
      'report/report.ts': `${DOC}const day = new Date(0);\nconst any = 'any @ts-ignore';\nconst not = !any;\n`,
      'analyze/a.ts': `${DOC}import '../capture/file.js';\nimport '../report/report.js';\nimport '../attribute/x.js';\n`,
      'render/table.ts': `${DOC}import Table from 'cli-table3';\nimport type { R } from '../report/report.js';\n`,
      'cli/entry.ts': `${DOC}import { Command } from 'commander';\nimport '../analyze/a.js';\nconst t = Date.now();\n`,
    };
    for (const rule of RULE_NAMES) expect(broken(rule, files)).toEqual([]);
  });
});

describe('a package rule on facts of its own', () => {
  const cap = { 'node_modules/cap': { hasInstallScript: true, dependencies: { nan: '1' } }, 'node_modules/nan': {} };
  const BREACHES: [PackageRuleName, PackageFacts, string[]][] = [
    [
      'few direct dependencies',
      {
        manifest: {
          dependencies: Object.fromEntries('a b c d e f g h'.split(' ').map((n) => [n, '1.0.0'])),
          optionalDependencies: { i: '1.0.0' },
        },
        locked: {},
      },
      'a b c d e f g h i'.split(' '),
    ],
    ['every version is exact', { manifest: { devDependencies: { a: '^1.0.0' } }, locked: {} }, ['a@^1.0.0']],
    [
      'installing it runs no script of its own',
      { manifest: { scripts: { postinstall: 'x' } }, locked: {} },
      ['postinstall'],
    ],
    [
      'at run time only the capture binding has an install script',
      {
        manifest: { dependencies: { a: '1.0.0' }, optionalDependencies: { cap: '0.2.1' } },
        locked: { ...cap, 'node_modules/a': { hasInstallScript: true } },
      },
      ['node_modules/a'],
    ],
    [
      'at run time only the capture binding has an install script',
      {
        // Reached through cap too, but not only.
        manifest: { dependencies: { a: '1.0.0' }, optionalDependencies: { cap: '0.2.1' } },
        locked: {
          ...cap,
          'node_modules/nan': { hasInstallScript: true },
          'node_modules/a': { dependencies: { nan: '1' } },
        },
      },
      ['node_modules/nan'],
    ],
    [
      'an install script for development is one that is known',
      { manifest: {}, locked: { 'node_modules/a/node_modules/b': { dev: true, hasInstallScript: true } } },
      ['node_modules/a/node_modules/b'],
    ],
    [
      'the lock file names no registry',
      { manifest: {}, locked: { 'node_modules/a': { resolved: 'https://registry.invalid/a.tgz' } } },
      ['node_modules/a https://registry.invalid/a.tgz'],
    ],
  ];
  test.each(BREACHES)('%s: noticed', (rule, facts, expected) => {
    expect(PACKAGE_RULES[rule](facts)).toEqual(expected);
  });

  test('the capture binding may have its install script, and what only it needs too', () => {
    const locked = { ...cap, 'node_modules/nan': { hasInstallScript: true } };
    const facts = { manifest: { optionalDependencies: { cap: '0.2.1' } }, locked };
    expect(PACKAGE_RULES['at run time only the capture binding has an install script'](facts)).toEqual([]);
  });
});
