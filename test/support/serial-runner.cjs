/** Runs one suite after another: what captures, counts or waits on the whole machine must not have company. */
const { default: TestRunner } = require('jest-runner');

module.exports = class SerialRunner extends TestRunner {
  isSerial = true;
};
