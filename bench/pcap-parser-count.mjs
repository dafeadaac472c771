/**
 * Counts the TCP resets of a capture with the `pcap-parser` package, the
 * way a short script of one's own would: IPv4 and IPv6, with or without a
 * VLAN tag, no context.
 *
 *   node --no-deprecation bench/pcap-parser-count.mjs FILE
 */
import { createRequire } from 'node:module';
import process, { argv, stderr, stdout } from 'node:process';

const require = createRequire(import.meta.url);

/** @param {Buffer} data */
function isReset(data) {
  if (data.length < 54) return false;
  let at = 12;
  if (data.readUInt16BE(at) === 0x8100) at += 4;
  const type = data.readUInt16BE(at);
  const ip = at + 2;
  let tcp;
  if (type === 0x0800 && data[ip + 9] === 6 && (data.readUInt16BE(ip + 6) & 0x1fff) === 0) {
    tcp = ip + (data[ip] & 15) * 4;
  } else if (type === 0x86dd && data[ip + 6] === 6) {
    tcp = ip + 40;
  } else {
    return false;
  }
  return tcp + 13 < data.length && (data[tcp + 13] & 4) !== 0;
}

let resets = 0;
const parser = require('pcap-parser').parse(argv[2]);
parser.on('packetData', (/** @type {Buffer} */ data) => {
  if (isReset(data)) resets++;
});
parser.on('error', (/** @type {Error} */ error) => {
  stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
parser.on('end', () => stdout.write(`${resets}\n`));
