"""
Too many orphans. The limit is the whole machine's, so it is zero for less than a millisecond, under a lock, and what it
was stands in a file, for the lab's keeper to restore if this process should be killed at that very moment.
"""

import fcntl
import os
import time

from ends import dead
from net import ORPHANS, ORPHANS_LOCK, orphans_file
from scene import scenario


@scenario('memory')
def memory(s):
    other = s.flow()
    _, orphan = s.pair(other)
    flow = s.flow()
    client, server = s.pair(flow)
    # Its timer may ring in that moment.
    s.expect(other, 'server', 'orphan', least=0)
    s.expect(flow, 'server', 'abort')
    s.chat(client, server)
    s.rule(s.lab.m, 'cut', other)
    orphan.sendall(s.bytes())
    orphan.close()
    # Or the FIN would be acknowledged at once, and there were no orphan.
    s.rule(s.lab.m, 'cut_requests', flow)
    # The kernel counts orphans ten times a second.
    time.sleep(0.3)
    with_limit(b'0', server.close)
    dead(client)


def with_limit(limit, act):
    saved = orphans_file(os.getpid())
    with open(ORPHANS_LOCK, 'wb') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = os.open(ORPHANS, os.O_RDWR)
        try:
            before = os.read(file, 64)
            with open(saved, 'wb') as note:
                note.write(before)
            try:
                os.pwrite(file, limit, 0)
                act()
            finally:
                os.pwrite(file, before, 0)
                os.unlink(saved)
        finally:
            os.close(file)
