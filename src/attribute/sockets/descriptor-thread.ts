/** The thread that looks through the descriptors of processes beside its starter; search.ts knows what for. */

import { thread } from '../../base/spawn.js';
import { searchShare, type SearchOrder } from './search.js';

const own = thread();
if (own !== null) {
  const share = searchShare(own.order as SearchOrder);
  own.send(share, [share.pairs.buffer]);
}
