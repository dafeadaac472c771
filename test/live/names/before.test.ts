/** Connections that stood before the program started, here and in another network namespace. */
import { describe } from '@jest/globals';
import { comesTo, together } from './play.js';

const times = 100;
const plan = { scenario: 'existed_before', host: '127.0.0.1', times };

describe('connections older than the program', () => {
  together({ backend: 'tcpdump', both: true }, [
    { name: 'the server aborts', before: true, plan: { ...plan, port: 7501, aborts: 'server' }, ...comesTo(times) },
    { name: 'the client aborts', before: true, plan: { ...plan, port: 7502, aborts: 'client' }, ...comesTo(times) },
    {
      name: 'the server aborts, the client never touches it again',
      before: true,
      plan: { ...plan, port: 7503, host: '::1', aborts: 'server', then: 'never' },
      ...comesTo(times),
    },
    {
      name: 'the client aborts, the server never touches it again',
      before: true,
      plan: { ...plan, port: 7504, aborts: 'client', then: 'never' },
      ...comesTo(times),
    },
    {
      name: 'in another network namespace, the client aborts, the server never touches it again',
      before: true,
      place: 'b',
      plan: { ...plan, port: 7505, aborts: 'client', then: 'never' },
      ...comesTo(times),
    },
    {
      name: 'from here to another network namespace, the server there aborts',
      before: true,
      place: 'crossing',
      plan: { ...plan, host: '10.99.0.2', port: 7506, aborts: 'server', then: 'never' },
      ...comesTo(times),
    },
  ]);
});
