/** A hundred resets of each kind on one host, and who was on both ends of every one. */
import { describe } from '@jest/globals';
import { comesTo, refused, together } from './play.js';

const times = 100;

describe('refused short-lived clients: nobody sends, the client is named', () => {
  together({ backend: 'tcpdump' }, [
    {
      name: 'IPv4, plain connect',
      plan: { scenario: 'refused', host: '127.5.0.1', port: 7211, times, spread: 'address' },
      ...refused(times),
    },
    {
      name: 'IPv4, bound before',
      plan: { scenario: 'refused', host: '127.0.0.1', port: 7212, times, bound: true },
      ...refused(times),
    },
    {
      name: 'IPv6, plain connect',
      plan: { scenario: 'refused', host: '::1', port: 7400, times, spread: 'port' },
      ports: [7400, 7400 + times - 1],
      ...refused(times),
    },
    {
      name: 'IPv4 by an IPv6 socket',
      plan: { scenario: 'refused', host: '::ffff:127.6.0.1', port: 7213, times, spread: 'address' },
      ...refused(times),
    },
  ]);
});

describe('SO_LINGER 0 by the server', () => {
  together({ backend: 'tcpdump' }, [
    {
      name: 'IPv4, at once after accept',
      plan: { scenario: 'server_aborts', host: '127.7.0.1', bind: '0.0.0.0', port: 7221, times, spread: 'address' },
      ...comesTo(times),
    },
    {
      name: 'IPv6, at once after accept',
      plan: { scenario: 'server_aborts', host: '::1', port: 7222, times, bound: true },
      ...comesTo(times),
    },
    {
      name: 'IPv4 on an IPv6 socket, after a greeting',
      plan: { scenario: 'server_aborts', host: '::ffff:127.0.0.1', bind: '::', port: 7223, times, greet: true },
      ...comesTo(times),
    },
    {
      name: 'each client from the same port, one after the other',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7226, times: 50, bound: true, same: true, pace: 20 },
      ...comesTo(50),
    },
    {
      name: 'to a client that sleeps and never reads',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7224, times, bound: true, client: 'sleeps' },
      ...comesTo(times),
    },
    {
      name: 'close with data unread',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7225, times, unread: true },
      ...comesTo(times),
    },
  ]);
});

describe('SO_LINGER 0 by the client', () => {
  together({ backend: 'cap', live: { via: 'nsenter' } }, [
    {
      name: 'IPv4',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7231, times },
      ...comesTo(times),
    },
    {
      name: 'IPv6',
      plan: { scenario: 'client_aborts', host: '::1', port: 7232, times },
      ...comesTo(times),
    },
    {
      name: 'the server only writes',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7233, times, then: 'writes' },
      ...comesTo(times),
    },
    {
      name: 'the server only asks for SO_ERROR',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7234, times, then: 'asks' },
      ...comesTo(times),
    },
    {
      name: 'the one server never touches the connection again',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7235, times, then: 'never' },
      ...comesTo(times),
    },
  ]);
});
