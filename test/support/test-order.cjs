/**
 * Runs the quick tests first: the rooms of src in their order, then the goldens, then what starts the program,
 * then what compares with the truth of real captures and what searches at random.
 */
const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

const ORDER = [
  ['architecture', 'package', 'support'],
  ['base'],
  ['capture'],
  ['decode'],
  ['conversation'],
  ['attribute'],
  ['report'],
  ['render'],
  ['analyze'],
  ['', 'golden'],
  ['cli', 'black-box', 'blackbox'],
  ['truth'],
  ['fuzz'],
];
const OTHERS = ORDER.findIndex((names) => names.includes(''));

function rank(file) {
  const parts = path.relative(path.join(__dirname, '..'), file).split(path.sep);
  const name = parts[0].replace(/\.test\.ts$/, '');
  const found = ORDER.findIndex((names) => names.includes(name));
  return found === -1 ? OTHERS : found;
}

module.exports = class TestOrder extends Sequencer {
  sort(tests) {
    return [...tests].sort((a, b) => rank(a.path) - rank(b.path) || (a.path < b.path ? -1 : 1));
  }
};
