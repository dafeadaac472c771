// Makes resets for scripts/record-pcaps.sh: `servers` in one namespace, `clients` and `knock` in others. Bounded: at
// most some forty connections, and it ends by itself.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const APP = '10.77.0.10';

/** Connects, sends, waits for the end; whatever happens is fine. */
function talk(port, host, text, { abortAfter = null } = {}) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host });
    socket.setTimeout(3000, () => socket.destroy());
    socket.on('connect', () => {
      if (text !== null) socket.write(text);
      if (abortAfter !== null) setTimeout(() => socket.resetAndDestroy(), abortAfter);
    });
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', resolve);
  });
}

async function servers() {
  const all = [
    // Answers properly.
    net.createServer((s) => s.on('error', () => undefined).on('data', () => s.end('HTTP/1.1 200 OK\r\n\r\n'))),
    // Aborts with SO_LINGER 0 as soon as it is asked.
    net.createServer((s) => s.on('error', () => undefined).on('data', () => s.resetAndDestroy())),
    // Closes with the request unread.
    net.createServer({ pauseOnConnect: true }, (s) => {
      s.on('error', () => undefined);
      setTimeout(() => s.destroy(), 100);
    }),
  ];
  for (const [i, server] of all.entries()) server.listen(8080 + i, APP);
  await sleep(20_000);
  for (const server of all) server.close();
}

async function clients() {
  const request = 'GET / HTTP/1.1\r\nHost: app\r\n\r\n';
  for (let i = 0; i < 4; i++) {
    await talk(8080, APP, request);
    await talk(8081, APP, request);
    await talk(8082, APP, request);
    await talk(9999, APP, null);
    await sleep(300);
  }
  // A client that hangs up by reset in the middle.
  await talk(8080, APP, null, { abortAfter: 100 });
}

async function knock() {
  for (let i = 0; i < 10; i++) {
    await talk(7211, '127.0.0.1', null);
    if (i % 3 === 0) await talk(7211, '::1', null);
    await sleep(500);
  }
}

await { servers, clients, knock }[process.argv[2]]();
