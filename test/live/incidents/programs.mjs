/**
 * The programs of the incidents: small, real, with names that one recognises. Started with a plan as JSON in the
 * argument; `role` is the program, and its name. Prints one JSON object a line: {"ready":true} when it is at work, and
 * what it met. Ends with its standard input.
 */
import { writeSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';

const plan = JSON.parse(process.argv[2]);
process.title = plan.role;
const say = (thing) => process.stdout.write(`${JSON.stringify(thing)}\n`);
process.stdout.on('error', () => process.kill(process.pid));
process.stdin.resume().on('end', () => process.kill(process.pid));
process.stdin.on('error', () => process.kill(process.pid));

/** Resolves with 'connected', or with the error's code. */
function knock() {
  return new Promise((resolve) => {
    const socket = net.connect(plan.port, plan.host);
    socket.on('connect', () => {
      socket.end();
      resolve('connected');
    });
    socket.on('error', (error) => resolve(error.code));
  });
}

/** Has something to deliver every so often, and never gives up. */
async function collector() {
  setInterval(async () => say({ outcome: await knock() }), plan.everyMs);
}

/** Reads; once all its clients are there it is busy with what it read for a while, and what comes then lies unread. */
async function ledger() {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let clients = 0;
  const work = () => {
    writeSync(1, '{"busy":true}\n');
    Atomics.wait(pause, 0, 0, plan.busyMs);
  };
  const server = net.createServer((socket) => {
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    clients += 1;
    if (clients === plan.clients) setInterval(work, 10);
  });
  listen(server);
}

/** Some connections that send all the time, for a while. */
async function feeder() {
  await Promise.all(
    Array.from({ length: plan.connections }, async () => {
      const socket = net.connect(plan.port, plan.host);
      let outcome = 'closed';
      socket.on('error', (error) => (outcome = error.code));
      socket.on('data', () => undefined);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      const timer = setInterval(() => socket.write('order 7: two of nine\n'), 10);
      setTimeout(() => {
        clearInterval(timer);
        socket.end();
      }, plan.forMs);
      socket.on('connect', () => say({ ready: true }));
      await closed;
      clearInterval(timer);
      say({ outcome });
    }),
  );
}

/** A proxy that keeps its connections to the upstream, and a user who asks it until it has failed so often. */
async function gateway() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const server = http.createServer((asked, answer) => {
    const upstream = http.get({ host: plan.host, port: plan.port, path: asked.url, agent }, (got) => {
      answer.writeHead(got.statusCode, { 'content-type': 'text/plain' });
      got.pipe(answer);
    });
    upstream.on('error', (error) => {
      answer.writeHead(502);
      answer.end(error.code);
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.on('listening', resolve));
  say({ ready: true });
  const { port } = server.address();
  let failed = 0;
  for (let i = 0; i < plan.most && failed < plan.failures; i++) {
    if (i > 0) await sleep(plan.everyMs);
    const response = await globalThis.fetch(`http://127.0.0.1:${port}/`);
    say({ outcome: response.status, text: await response.text() });
    if (response.status === 502) failed += 1;
  }
  say({ done: true });
}

/** Answers every word by itself. */
async function echo() {
  listen(net.createServer((socket) => socket.on('error', () => undefined).pipe(socket)));
}

/** Connections that say something, are idle, and say something again. */
async function pool() {
  await Promise.all(
    plan.idleMs.map(async (idleMs) => {
      const socket = net.connect(plan.port, plan.host);
      let heard;
      let outcome = null;
      const over = (how) => {
        outcome ??= how;
        heard?.();
      };
      socket.on('data', () => heard?.());
      socket.on('error', (error) => over(error.code));
      socket.on('close', () => over('closed'));
      const ask = () =>
        new Promise((resolve) => {
          heard = resolve;
          socket.write('how are you?');
        });
      await ask();
      await sleep(idleMs);
      await ask();
      say({ idleMs, outcome: outcome ?? 'answered' });
      socket.end();
    }),
  );
  say({ done: true });
}

function listen(server) {
  server.listen(plan.port, plan.host, () => say({ ready: true }));
}

await { collector, ledger, feeder, gateway, echo, pool }[plan.role]();
