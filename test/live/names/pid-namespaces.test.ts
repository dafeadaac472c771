/** PID namespaces: a process in another one has its PID here; a program in one of its own names nobody wrongly. */
import { describe, expect } from '@jest/globals';
import { count } from '../../support/names.js';
import { comesTo, refused, together, type Found } from './play.js';

const times = 50;
const ANOTHER = ['unshare', '--pid', '--fork', '--kill-child'];

describe('processes in another PID namespace', () => {
  together({ backend: 'cap', tools: ['unshare'] }, [
    {
      name: 'refused clients have the PID of this one',
      within: ANOTHER,
      plan: { scenario: 'refused', host: '127.5.0.1', port: 7901, times, spread: 'address' },
      ...refused(times),
    },
    {
      name: 'a server that aborts and its clients',
      within: ANOTHER,
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7902, times, bound: true },
      ...comesTo(times),
    },
    {
      name: 'connections older than the program, the server never touches them again',
      within: ANOTHER,
      before: true,
      plan: { scenario: 'existed_before', host: '::1', port: 7903, times, aborts: 'client', then: 'never' },
      ...comesTo(times),
    },
  ]);
});

/** Nobody of the other namespace is seen from within: nothing is said of them but why. */
function unnamed({ verdict: { resets, sender, receiver, mistakes }, own }: Found): void {
  expect(mistakes).toEqual([]);
  expect([sender, receiver]).toEqual([count({ none: resets }), count({ none: resets })]);
  const reasons = new Set(own.map(({ receiver_reason }) => receiver_reason));
  expect([...reasons]).toEqual(['pid-namespace']);
}

describe('the program in a PID namespace of its own', () => {
  const live = { before: [...ANOTHER, '--mount-proc'] };
  together({ backend: 'tcpdump', tools: ['unshare'], live }, [
    {
      name: 'refused clients outside are not named',
      plan: { scenario: 'refused', host: '127.5.0.1', port: 7911, times, spread: 'address' },
      ...refused(times),
      check: unnamed,
    },
    {
      name: 'a server outside that aborts is not named',
      plan: { scenario: 'server_aborts', host: '127.0.0.1', port: 7912, times, bound: true },
      resets: times,
      check: unnamed,
    },
    {
      name: 'connections outside, older than the program, are not named',
      before: true,
      plan: { scenario: 'existed_before', host: '::1', port: 7913, times, aborts: 'client', then: 'never' },
      resets: times,
      check: unnamed,
    },
  ]);
});
