// Puts the numbers of named constants where their names are used, before the bundler sees a module. esbuild does that
// only for modules that import nothing; any other constant stays a variable, and each use of it in a hot loop is a load
// and two checks.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** @typedef {Map<string, number>} Constants by name */
/** @typedef {{ file: ts.SourceFile, constants: Constants, named: Constants, spaces: Map<string, Constants> }} Module */

/** How constants are written, and nothing else: no parameter hides one. */
const NAME = /^[A-Z][A-Z0-9_]*$/;

/** @type {Map<string, Module>} by path */
const modules = new Map();

/** @type {Partial<Record<ts.SyntaxKind, (a: number, b: number) => number>>} */
const OPERATIONS = {
  [ts.SyntaxKind.PlusToken]: (a, b) => a + b,
  [ts.SyntaxKind.MinusToken]: (a, b) => a - b,
  [ts.SyntaxKind.AsteriskToken]: (a, b) => a * b,
  [ts.SyntaxKind.SlashToken]: (a, b) => a / b,
  [ts.SyntaxKind.AsteriskAsteriskToken]: (a, b) => a ** b,
  [ts.SyntaxKind.BarToken]: (a, b) => a | b,
  [ts.SyntaxKind.AmpersandToken]: (a, b) => a & b,
  [ts.SyntaxKind.CaretToken]: (a, b) => a ^ b,
  [ts.SyntaxKind.LessThanLessThanToken]: (a, b) => a << b,
  [ts.SyntaxKind.GreaterThanGreaterThanToken]: (a, b) => a >> b,
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken]: (a, b) => a >>> b,
};

/**
 * The number that an expression is; undefined where it is none, or not known before the program runs.
 * @param {ts.Expression} node
 * @param {Module} module
 * @returns {number | undefined}
 */
function numberOf(node, module) {
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isParenthesizedExpression(node)) return numberOf(node.expression, module);
  if (ts.isIdentifier(node)) return module.named.get(node.text);
  if (ts.isPropertyAccessExpression(node)) return ofSpace(node, module);
  if (ts.isPrefixUnaryExpression(node)) {
    const operand = numberOf(node.operand, module);
    if (operand === undefined) return undefined;
    if (node.operator === ts.SyntaxKind.MinusToken) return -operand;
    return node.operator === ts.SyntaxKind.TildeToken ? ~operand : undefined;
  }
  if (!ts.isBinaryExpression(node)) return undefined;
  const operation = OPERATIONS[node.operatorToken.kind];
  const left = numberOf(node.left, module);
  const right = numberOf(node.right, module);
  return operation === undefined || left === undefined || right === undefined ? undefined : operation(left, right);
}

/**
 * @param {ts.PropertyAccessExpression} node
 * @param {Module} module
 */
function ofSpace({ expression, name }, { spaces }) {
  return ts.isIdentifier(expression) ? spaces.get(expression.text)?.get(name.text) : undefined;
}

/**
 * A module and the numbers that its names stand for.
 * @param {string} path
 * @returns {Module}
 */
function moduleOf(path) {
  const known = modules.get(path);
  if (known !== undefined) return known;
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  /** @type {Module} */
  const module = { file, constants: new Map(), named: new Map(), spaces: new Map() };
  // Before its imports are looked at: they may lead back here.
  modules.set(path, module);
  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) takeImport(statement, path, module);
    if (!ts.isVariableStatement(statement) || (statement.declarationList.flags & ts.NodeFlags.Const) === 0) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (!ts.isIdentifier(name) || !NAME.test(name.text) || initializer === undefined) continue;
      const number = numberOf(initializer, module);
      if (number === undefined || !Number.isFinite(number)) continue;
      module.constants.set(name.text, number);
      module.named.set(name.text, number);
    }
  }
  return module;
}

/**
 * @param {ts.ImportDeclaration} statement
 * @param {string} path
 * @param {Module} module
 */
function takeImport({ moduleSpecifier, importClause }, path, module) {
  const bindings = importClause?.namedBindings;
  if (bindings === undefined || !ts.isStringLiteral(moduleSpecifier) || !moduleSpecifier.text.startsWith('.')) return;
  const { constants } = moduleOf(join(dirname(path), moduleSpecifier.text.replace(/\.js$/, '.ts')));
  if (ts.isNamespaceImport(bindings)) module.spaces.set(bindings.name.text, constants);
  else {
    for (const { name, propertyName } of bindings.elements) {
      const number = constants.get((propertyName ?? name).text);
      if (number !== undefined) module.named.set(name.text, number);
    }
  }
}

/**
 * Whether a name stands there for its value, not as the name of something.
 * @param {ts.Identifier} node
 */
function isValue(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if ('name' in parent && parent.name === node) return false;
  return !ts.isQualifiedName(parent) && !ts.isTypeQueryNode(parent);
}

/**
 * The module's text with numbers in place of its constants' names; every line stays where it is.
 * @param {string} path
 */
export function withNumbers(path) {
  const module = moduleOf(path);
  const { file, named } = module;
  /** @type {[from: number, to: number, text: string][]} */
  const places = [];
  /** @param {number} number */
  const text = (number) => (number < 0 ? `(${String(number)})` : String(number));
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isPropertyAccessExpression(node)) {
      const number = ofSpace(node, module);
      if (number !== undefined) {
        places.push([node.getStart(), node.end, text(number)]);
        return;
      }
    }
    if (ts.isIdentifier(node)) {
      const number = named.get(node.text);
      if (number === undefined) return;
      if (ts.isShorthandPropertyAssignment(node.parent)) places.push([node.end, node.end, `: ${String(number)}`]);
      else if (isValue(node)) places.push([node.getStart(), node.end, text(number)]);
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  let out = '';
  let from = 0;
  for (const [start, end, number] of places) {
    out += file.text.slice(from, start) + number;
    from = end;
  }
  return out + file.text.slice(from);
}
