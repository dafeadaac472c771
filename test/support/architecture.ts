/**
 * The rules of the house, checked on the syntax tree: which room of src may import what, and what no file may do.
 * Each rule is a function from a tree of sources to the violations found; none knows where the tree came from.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import ts from 'typescript';

/** The rooms in order: a room imports only from itself and from those before it. */
export const ROOMS = [
  'base',
  'capture',
  'decode',
  'scan',
  'conversation',
  'attribute',
  'report',
  'patterns',
  'findings',
  'health',
  'analyze',
  'compare',
  'render',
  'cli',
] as const;
type Room = (typeof ROOMS)[number];
/** Where a file stands: in a room, or (null) nowhere. */
type Place = Room | null;

const MAY_IMPORT: Readonly<Record<Room, readonly Place[]>> = {
  base: ['base'],
  capture: ['base', 'capture'],
  decode: ['base', 'capture', 'decode'],
  scan: ['base', 'capture', 'decode', 'scan'],
  conversation: ['base', 'capture', 'decode', 'conversation'],
  attribute: ['base', 'capture', 'decode', 'conversation', 'attribute'],
  report: ['base', 'capture', 'decode', 'conversation', 'attribute', 'report'],
  patterns: ['base', 'decode', 'conversation', 'attribute', 'report', 'patterns'],
  findings: ['base', 'conversation', 'attribute', 'report', 'patterns', 'findings'],
  health: ['base', 'capture', 'decode', 'conversation', 'attribute', 'report', 'health'],
  analyze: [
    'base',
    'capture',
    'decode',
    'conversation',
    'attribute',
    'report',
    'patterns',
    'findings',
    'scan',
    'analyze',
  ],
  compare: ['base', 'capture', 'decode', 'attribute', 'report', 'scan', 'analyze', 'compare'],
  render: ['base', 'report', 'render'],
  cli: [
    'base',
    'capture',
    'decode',
    'conversation',
    'attribute',
    'report',
    'health',
    'analyze',
    'compare',
    'render',
    'cli',
  ],
};

/** Rooms that compute and nothing else: no module of Node's. */
const PURE_ROOMS: readonly Place[] = ['decode', 'conversation', 'report', 'patterns', 'findings'];
/** Rooms that are given the time and never ask for it. */
const CLOCKLESS_ROOMS: readonly Place[] = ['decode', 'conversation', 'report', 'patterns', 'findings', 'render'];

const PACKAGE_ROOMS: Readonly<Record<string, Room>> = {
  chalk: 'render',
  'cli-table3': 'render',
  commander: 'cli',
  cap: 'capture',
};

const SPAWNING_FILE = 'src/base/spawn.ts';
const SPAWNING_MODULES: readonly string[] = ['node:child_process', 'node:worker_threads', 'node:cluster'];

const FILE_SYSTEM_ROOMS: readonly Place[] = ['capture', 'attribute', 'health', 'cli'];
const FILE_SYSTEM_FILES: readonly string[] = ['src/base/package-info.ts', 'src/base/spawn.ts'];
const FILE_SYSTEM_MODULES: readonly string[] = ['node:fs', 'node:fs/promises'];

const UNCHECKED_READS_FILE = 'src/base/bytes.ts';

export interface Violation {
  file: string;
  line: number;
  message: string;
}

export interface SourceTree {
  files: readonly Source[];
}

interface Source {
  /** Relative to the root, with forward slashes: 'src/decode/tcp.ts'. */
  file: string;
  place: Place;
  syntax: ts.SourceFile;
  imports: readonly Import[];
}

interface Import {
  /** As written, but a built-in module always with its node: prefix. */
  specifier: string;
  /** An `import` or `export … from` declaration, as opposed to `import(…)` and `require(…)`. */
  isStatic: boolean;
  line: number;
}

export type Rule = (tree: SourceTree) => Violation[];

export function readSourceTree(root: string): SourceTree {
  const names = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const files = names
    .map((name) => 'src/' + name.split(path.sep).join('/'))
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
    .sort()
    .map((file) => readSource(file, readFileSync(path.join(root, file), 'utf8')));
  return { files };
}

function readSource(file: string, text: string): Source {
  const syntax = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  return { file, place: placeOf(file), syntax, imports: importsOf(syntax) };
}

function placeOf(file: string): Place {
  const [, first = '', second] = file.split('/');
  if (second === undefined) return null;
  return ROOMS.find((room) => room === first) ?? null;
}

function importsOf(syntax: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (literal: ts.Node | undefined, isStatic: boolean): void => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return;
    found.push({ specifier: withNodePrefix(literal.text), isStatic, line: lineOf(syntax, literal.getStart(syntax)) });
  };
  walk(syntax, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier, true);
    else if (ts.isExternalModuleReference(node)) add(node.expression, true);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) add(node.arguments[0], false);
  });
  return found;
}

/** `import(…)`, `require(…)`, `require.resolve(…)` and the call of what createRequire made, `createRequire(…)(…)`. */
function loadsModule(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  if (ts.isPropertyAccessExpression(callee)) return loadsModule(callee.expression);
  return (
    ts.isCallExpression(callee) && ts.isIdentifier(callee.expression) && callee.expression.text === 'createRequire'
  );
}

function withNodePrefix(specifier: string): string {
  return builtinModules.includes(specifier) ? `node:${specifier}` : specifier;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function lineOf(syntax: ts.SourceFile, position: number): number {
  return syntax.getLineAndCharacterOfPosition(position).line + 1;
}

const isRelative = (specifier: string): boolean => /^\.{0,2}\//.test(specifier) || /^\.{1,2}$/.test(specifier);
const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:');

/** 'cli-table3/lib/x.js' is of cli-table3, '@scope/name/x.js' of @scope/name. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** A rule about one import at a time: `judge` says what is wrong with it, or null. */
function importRule(judge: (imported: Import, source: Source) => string | null): Rule {
  return ({ files }) =>
    files.flatMap((source) =>
      source.imports.flatMap((imported) => {
        const message = judge(imported, source);
        return message === null ? [] : [{ file: source.file, line: imported.line, message }];
      }),
    );
}

/** A rule about one node of the syntax tree at a time. */
function nodeRule(judge: (node: ts.Node, source: Source) => string | null): Rule {
  return ({ files }) =>
    files.flatMap((source) => {
      const violations: Violation[] = [];
      walk(source.syntax, (node) => {
        const message = judge(node, source);
        if (message === null) return;
        violations.push({ file: source.file, line: lineOf(source.syntax, node.getStart(source.syntax)), message });
      });
      return violations;
    });
}

function fileRule(judge: (source: Source) => string | null): Rule {
  return ({ files }) =>
    files.flatMap((source) => {
      const message = judge(source);
      return message === null ? [] : [{ file: source.file, line: 1, message }];
    });
}

function asksForTheTime(node: ts.Node): string | null {
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date') {
    return (node.arguments?.length ?? 0) === 0 ? 'new Date()' : null;
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date') return 'Date()';
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && node.name.text === 'now') {
    const clock = node.expression.text;
    return clock === 'Date' || clock === 'performance' ? `${clock}.now` : null;
  }
  return null;
}

function commentsOf(syntax: ts.SourceFile): { text: string; line: number }[] {
  const text = syntax.text;
  const ranges = new Map<number, ts.CommentRange>();
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(syntax);
    if (children.length > 0) {
      children.forEach(visit);
      return;
    }
    for (const range of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) ranges.set(range.pos, range);
    for (const range of ts.getTrailingCommentRanges(text, node.getEnd()) ?? []) ranges.set(range.pos, range);
  };
  visit(syntax);
  return [...ranges.values()].map(({ pos, end }) => ({ text: text.slice(pos, end), line: lineOf(syntax, pos) }));
}

const SWITCHED_OFF = /@ts-(?:ignore|nocheck|expect-error)|eslint-disable|prettier-ignore/;

export const RULES = {
  'every source stands in a room': fileRule(({ file, place }) =>
    place !== null && file.endsWith('.ts') ? null : `belongs to no room: src holds ${ROOMS.join(', ')}`,
  ),

  'a room imports only from itself and the rooms before it': importRule(({ specifier }, { file, place }) => {
    if (!isRelative(specifier) || place === null) return null;
    const target = path.posix.join(path.posix.dirname(file), specifier);
    if (!target.startsWith('src/')) return `imports ${specifier}, which is outside src`;
    const from = placeOf(target.replace(/\.js$/, '.ts'));
    return MAY_IMPORT[place].includes(from) ? null : `${place} may not import ${target}`;
  }),

  'decode, conversation and report import no module of Node': importRule(({ specifier }, { place }) =>
    isBuiltin(specifier) && PURE_ROOMS.includes(place) ? `${String(place)} may not import ${specifier}` : null,
  ),

  'a package is imported only in its room': importRule(({ specifier }, { place }) => {
    if (isRelative(specifier) || isBuiltin(specifier)) return null;
    const room = PACKAGE_ROOMS[packageOf(specifier)];
    if (room === undefined) return `${specifier} is not one of the packages that src may use`;
    return room === place ? null : `${specifier} is imported only in src/${room}`;
  }),

  'cap is never imported statically': importRule(({ specifier, isStatic }) =>
    isStatic && packageOf(specifier) === 'cap' ? 'cap is optional: a static import fails where it is absent' : null,
  ),

  'processes and threads are started in one file': importRule(({ specifier }, { file }) =>
    SPAWNING_MODULES.includes(specifier) && file !== SPAWNING_FILE
      ? `${specifier} is imported only in ${SPAWNING_FILE}`
      : null,
  ),

  'the file system is touched only in capture, attribute, health and cli': importRule(
    ({ specifier }, { file, place }) =>
      FILE_SYSTEM_MODULES.includes(specifier) && !FILE_SYSTEM_ROOMS.includes(place) && !FILE_SYSTEM_FILES.includes(file)
        ? `${specifier} is imported only in ${FILE_SYSTEM_ROOMS.join(', ')} and ${FILE_SYSTEM_FILES.join(', ')}`
        : null,
  ),

  'decode, conversation, report and render never ask for the time': nodeRule((node, { place }) => {
    if (!CLOCKLESS_ROOMS.includes(place)) return null;
    const clock = asksForTheTime(node);
    return clock === null ? null : `${String(place)} is handed the time and never asks for it: ${clock}`;
  }),

  'nothing is of type any': nodeRule((node) => (node.kind === ts.SyntaxKind.AnyKeyword ? 'any' : null)),

  'no comment switches a check off': ({ files }) =>
    files.flatMap(({ file, syntax }) =>
      commentsOf(syntax)
        .filter(({ text }) => SWITCHED_OFF.test(text))
        .map(({ text, line }) => ({ file, line, message: SWITCHED_OFF.exec(text)?.[0] ?? text })),
    ),

  'only base/bytes.ts asserts that something is not null': nodeRule((node, { file }) =>
    ts.isNonNullExpression(node) && file !== UNCHECKED_READS_FILE ? `non-null assertion: ${node.getText()}` : null,
  ),

  'a file of layout imports nothing': importRule((_, { file }) =>
    file.endsWith('-layout.ts') ? 'the build puts numbers in place only from files that import nothing' : null,
  ),

  'every file opens with a doc comment': fileRule(({ syntax }) =>
    /\w/.test(/^\s*\/\*\*([^]*?)\*\//.exec(syntax.text)?.[1] ?? '')
      ? null
      : 'does not open with a /** comment that says what it is for',
  ),
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** For messages of tests: 'src/decode/tcp.ts:3 decode may not import …'. */
export const showViolations = (violations: readonly Violation[]): string[] =>
  violations.map(({ file, line, message }) => `${file}:${line} ${message}`);
