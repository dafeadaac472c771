/** Servers that are several: threads, prefork, SO_REUSEPORT. A thread's PID is its process's; a member is named where it can be told. */
import { describe, expect } from '@jest/globals';
import { count } from '../../support/names.js';
import { comesTo, together, type Scenario } from './play.js';

const times = 100;

/** The receiver is the very member or the group's common parent, named as such. */
const memberOrGroup: Pick<Scenario, 'resets' | 'check'> = {
  resets: times,
  check: ({ verdict: { sender, receiver, mistakes } }) => {
    expect(mistakes).toEqual([]);
    expect(sender).toEqual(count({ right: times }));
    expect({ ...receiver, right: receiver.right + receiver.group, group: 0 }).toEqual(count({ right: times }));
  },
};

describe('threads', () => {
  together({ backend: 'cap' }, [
    {
      name: 'server threads abort',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7301, times, bound: true, server: 'threads' },
      ...comesTo(times),
    },
    {
      name: 'server threads receive',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7302, times, server: 'threads' },
      ...comesTo(times),
    },
    {
      name: 'a thread connects and ends',
      plan: { scenario: 'threaded_connect', host: '127.0.0.1', port: 7303, times: 20 },
      ...comesTo(20),
    },
  ]);
});

describe('prefork: four children of one parent, which holds the listener too', () => {
  together({ backend: 'tcpdump' }, [
    {
      name: 'a child aborts',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7311, times, bound: true, server: 'prefork' },
      ...comesTo(times),
    },
    {
      name: 'a child receives',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7312, times, server: 'prefork' },
      ...comesTo(times),
    },
    {
      name: 'a child receives and never touches the connection again: it, or the common parent as a listener group',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7313, times, server: 'prefork', then: 'never' },
      ...memberOrGroup,
    },
  ]);
});

describe('SO_REUSEPORT: four listeners on one port', () => {
  together({ backend: 'cap' }, [
    {
      name: 'a member aborts',
      plan: { scenario: 'server_aborts', host: '::1', port: 7321, times, bound: true, server: 'reuseport' },
      ...comesTo(times),
    },
    {
      name: 'a member receives',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7322, times, server: 'reuseport' },
      ...comesTo(times),
    },
    {
      name: 'a member receives and never touches the connection again: it, or the common parent as a listener group',
      plan: { scenario: 'client_aborts', host: '127.0.0.1', port: 7323, times, server: 'reuseport', then: 'never' },
      ...memberOrGroup,
    },
  ]);
});
