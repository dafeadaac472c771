// Puts the one-line readers of src/base/bytes.ts in place: `word(a, i)` becomes `(a)[i]`. The engine does so by itself
// only where a caller is small enough and was hot at the right moment, and without it a hot loop takes two to three
// times as long (docs/speed.md).
import { readFile } from 'node:fs/promises';
import ts from 'typescript';

const READERS = new Set(['u8', 'word', 'link', 'value', 'num']);
const FROM = /(^|\/)base\/bytes\.js$|^\.\/bytes\.js$/;

/** The readers that the module imports, by the names it calls them. */
function imported(file) {
  const names = new Set();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !FROM.test(statement.moduleSpecifier.text)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    for (const { name, propertyName } of bindings.elements) {
      if (propertyName === undefined && READERS.has(name.text)) names.add(name.text);
    }
  }
  return names;
}

/** The source with each call of a reader replaced; on the same lines, so that source maps hold. */
export function inlineReaders(name, source) {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.ES2022, true);
  const readers = imported(file);
  if (readers.size === 0) return source;
  const edits = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && readers.has(node.expression.text)) {
      const [column, index] = node.arguments;
      edits.push([node.getStart(), column.getStart(), '(']);
      edits.push([column.getEnd(), index.getStart(), ')[']);
      edits.push([index.getEnd(), node.getEnd(), ']']);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  edits.sort((a, b) => a[0] - b[0]);
  let out = '';
  let at = 0;
  for (const [from, to, text] of edits) {
    out += source.slice(at, from) + text + '\n'.repeat(source.slice(from, to).split('\n').length - 1);
    at = to;
  }
  return out + source.slice(at);
}

/** For esbuild. */
export const readersInPlace = {
  name: 'readers-in-place',
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: inlineReaders(path, await readFile(path, 'utf8')),
      loader: 'ts',
    }));
  },
};
