/**
 * Makes resets with real sockets, for test/support/traffic.ts, which starts it in a namespace with a plan as JSON in
 * its argument. Prints one JSON object a line: {"ready":…} when a server listens, and the truth of each connection. It
 * ends when its plan is done, when its standard input ends (its parent has gone, or wants it to), or after `forMs`.
 */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const ANSWER_MS = 3000;
const PORTS_TRIED = 50;

const plan = JSON.parse(process.argv[2]);
const stop = new globalThis.AbortController();
process.stdin.resume().on('end', () => stop.abort());
process.stdin.on('error', () => stop.abort());
const timer = setTimeout(() => stop.abort(), plan.forMs);

const say = (thing) => process.stdout.write(`${JSON.stringify(thing)}\n`);
process.stdout.on('error', () => stop.abort());

/** The address that packets to a host come from; a socket that is refused no longer tells its own. */
async function sourceFor(host, port) {
  const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    socket.close();
  }
}

const OUTCOMES = { ECONNREFUSED: 'refused', ECONNRESET: 'reset', ETIMEDOUT: 'timeout' };

/** One connection from a port of our choice; what became of it. */
function attempt(localAddress, localPort) {
  return new Promise((resolve) => {
    const truth = {
      by: plan.kind,
      client: { ip: localAddress, port: localPort },
      server: { ip: plan.host, port: plan.port },
      beforeMs: Date.now(),
      afterMs: 0,
      outcome: 'closed',
    };
    const socket = net.connect({ host: plan.host, port: plan.port, localAddress, localPort });
    const timeout = setTimeout(() => {
      truth.outcome = 'timeout';
      socket.destroy();
    }, ANSWER_MS);
    socket.on('data', () => undefined);
    socket.on('connect', async () => {
      if (plan.send) socket.write(plan.send);
      if (plan.kind !== 'lingerClient') return;
      await sleep(plan.afterMs);
      truth.beforeMs = Date.now();
      truth.outcome = 'aborted';
      socket.resetAndDestroy();
    });
    socket.on('error', (error) => (truth.outcome = OUTCOMES[error.code] ?? error.code));
    socket.on('close', () => {
      clearTimeout(timeout);
      truth.afterMs = Date.now();
      resolve(truth);
    });
  });
}

async function connect() {
  const source = await sourceFor(plan.host, plan.port);
  // Below the kernel's own range, so that nothing but another such program has taken it.
  let port = plan.localPort ?? 20_000 + Math.floor(Math.random() * 10_000);
  const due = performance.now();
  for (let i = 0; i < plan.times && !stop.signal.aborted; i++) {
    const wait = due + i * plan.everyMs - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal: stop.signal }).catch(() => undefined);
    if (stop.signal.aborted) break;
    let truth;
    for (let tries = 0; tries < PORTS_TRIED; tries++) {
      truth = await attempt(source, port++);
      if (truth.outcome !== 'EADDRINUSE') break;
    }
    say(truth);
  }
}

async function serve() {
  const peers = new Set();
  let left = plan.times;
  const server = net.createServer({ pauseOnConnect: plan.kind === 'lingerServer' }, async (socket) => {
    peers.add(socket);
    const end = (ip) => ip?.replace(/^::ffff:/, '');
    const truth = {
      by: plan.kind,
      client: { ip: end(socket.remoteAddress), port: socket.remotePort },
      server: { ip: end(socket.localAddress), port: socket.localPort },
      beforeMs: Date.now(),
      afterMs: 0,
      outcome: 'closed',
    };
    socket.on('error', (error) => (truth.outcome = OUTCOMES[error.code] ?? error.code));
    socket.on('close', () => {
      peers.delete(socket);
      truth.afterMs = Date.now();
      say(truth);
      if (--left <= 0) stop.abort();
    });
    if (plan.kind === 'quietServer') {
      socket.resume();
      return;
    }
    if (plan.afterMs > 0) await sleep(plan.afterMs);
    truth.beforeMs = Date.now();
    truth.outcome = 'aborted';
    socket.resetAndDestroy();
  });
  server.listen(plan.port, plan.host);
  await once(server, 'listening');
  say({ ready: server.address() });
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  server.close();
  for (const socket of peers) socket.destroy();
}

try {
  await (plan.kind.endsWith('Server') ? serve() : connect());
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
clearTimeout(timer);
process.stdin.destroy();
