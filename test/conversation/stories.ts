/** Stories for the rules: what a connection had done when each kind of reset came, with what a test changes in it. */
import type { Facts } from '../../src/conversation/facts.js';
import {
  answered,
  AT,
  changed,
  CLIENT_ISN,
  lone,
  onlySyn,
  onlySynAck,
  segment,
  SERVER_ISN,
  type Changes,
} from './facts.js';

/** The client's reset of the SYN-ACK to its own SYN. */
export function gone(changes: Changes = {}): Facts {
  const facts = lone({
    reset: { seq: CLIENT_ISN + 1 },
    sender: onlySyn(0.05),
    receiver: onlySynAck(0.01),
    conversation: { opener: 'sender', synSeen: true, fromStart: true, lastAt: AT - 0.01, firstAt: AT - 0.05 },
  });
  return changed(facts, changes);
}

/** The client's SYN was answered by an acknowledgement of an older connection's numbers. */
export function reused(changes: Changes = {}): Facts {
  const facts = lone({
    reset: { seq: 9000 },
    sender: onlySyn(0.05),
    receiver: { seen: true, next: 7000, acked: 9000, last: segment({ seq: 7000, ack: 9000 }), ttl: 64 },
    conversation: { opener: 'sender', synSeen: true, fromStart: true, earlier: 'live', lastAt: AT - 0.01 },
  });
  return changed(facts, changes);
}

/** The server's reset of the handshake's third segment. */
export function overflow(changes: Changes = {}): Facts {
  const third = segment({ seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1, at: AT - 0.002 });
  const facts = lone({
    reset: { seq: SERVER_ISN + 1 },
    sender: onlySynAck(0.02),
    receiver: { ...onlySyn(0.04), acked: SERVER_ISN + 1, last: third },
    conversation: {
      ...{ opener: 'receiver', synSeen: true, fromStart: true, established: true },
      ...{ lastAt: AT - 0.002, firstAt: AT - 0.04 },
    },
  });
  return changed(facts, changes);
}

/** The client acknowledged in its handshake what was never sent; the listener answers that. */
export function mismatch(changes: Changes = {}): Facts {
  const bad = segment({ seq: CLIENT_ISN + 1, ack: 60_000, at: AT - 0.002 });
  const facts = overflow({
    reset: { seq: 60_000 },
    receiver: { acked: 60_000, last: bad },
    conversation: { established: false },
  });
  return changed(facts, changes);
}

/** The server's FIN has been sent; the client goes on with 20 bytes. */
export function late(changes: Changes = {}): Facts {
  const fin = segment({ flags: 'F.', seq: 5051, ack: 201, at: AT - 1 });
  const facts = answered({
    reset: { seq: 5052 },
    sender: { next: 5052, finEnd: 5052, last: fin },
    receiver: { last: segment({ flags: 'P.', seq: 201, ack: 5052, length: 20 }), acked: 5052 },
  });
  return changed(facts, changes);
}

/** Both have sent a FIN and acknowledged everything. */
export function closed(changes: Changes = {}): Facts {
  const facts = late({
    sender: { acked: 202 },
    receiver: { next: 202, finEnd: 202, last: segment({ flags: 'F.', seq: 201, ack: 5052 }) },
  });
  return changed(facts, changes);
}

/** Both had finished; an old segment of the reset's sender was answered from TIME-WAIT. */
export function assassinated(changes: Changes = {}): Facts {
  const old = segment({ flags: 'P.', seq: 5001, ack: 201, length: 50, at: AT - 0.02 });
  const facts = closed({
    sender: { last: old },
    receiver: { last: segment({ seq: 202, ack: 5052, at: AT - 0.01 }) },
  });
  return changed(facts, changes);
}
