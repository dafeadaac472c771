// `npm run demo`: makes resets on loopback and captures them. Where that is not allowed, a capture made before shows
// the same. Bounded: some forty connections within four seconds, and it ends by itself.
import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const CLI = 'bin/rstscope.js';
const SECONDS = 4;
const DEAD_PORT = 7211;

function run(args, listener = () => undefined) {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'inherit', 'pipe'] });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    process.stderr.write(text);
    listener(text);
  });
  return new Promise((resolve) => child.once('close', resolve));
}

/** Whatever becomes of it is fine. */
function dial(port, host) {
  const socket = net.connect({ port, host });
  socket.setTimeout(2000, () => socket.destroy());
  socket.on('error', () => undefined).on('data', () => undefined);
}

async function makeResets() {
  // Aborts each connection with SO_LINGER 0, as a crashing service does.
  const server = net.createServer((socket) => socket.on('error', () => undefined).resetAndDestroy());
  server.listen(0, '127.0.0.1');
  for (let i = 0; i < 2 * (SECONDS - 1); i++) {
    dial(DEAD_PORT, '127.0.0.1');
    dial(DEAD_PORT, '::1');
    if (server.listening && i % 2 === 0) dial(server.address().port, '127.0.0.1');
    await sleep(500);
  }
  server.close();
}

const live = ['live', '-i', 'lo', '-d', String(SECONDS)];
process.stderr.write(`$ rstscope ${live.join(' ')}\n`);
let listens = false;
const code = await run(live, (text) => {
  if (!listens && text.includes('listening on')) {
    listens = true;
    void makeResets();
  }
});
if (code === 2 && !listens) {
  process.stderr.write('\nNothing may be captured here, so this is read from a capture made before:\n\n');
  process.stderr.write('$ rstscope read test/pcaps/demo.pcapng\n');
  process.exitCode = await run(['read', 'test/pcaps/demo.pcapng']);
} else {
  process.exitCode = code;
}
