"""Resets of the handshake: a full queue, a client that is gone, acknowledgements that fit nothing, ports used again."""

import errno
import socket
import time

import raw
from ends import dead, vanish
from scene import MANY, scenario

TCP_QUICKACK = 12
BACKLOG = 4


@scenario('queue-full')
def queue_full(s):
    """
    tcp_abort_on_overflow is 1 on b. A SYN is let in while the queue is not full; the reset answers the third segment,
    which therefore has to be late: without TCP_QUICKACK a client delays it.
    """
    first = s.flow()
    listener = s.listen(first, BACKLOG)
    clients = [s.dial(first)] + [s.dial(s.flow(like=first)) for _ in range(BACKLOG - 1)]
    slow = []
    for i in range(BACKLOG):
        flow = s.flow(like=first)
        # The first of them fills the queue: it holds one more than its backlog.
        if i > 0:
            s.expect(flow, 'server', 'overflow', most=MANY)
        slow.append(s.client(flow))
        slow[-1].setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 0)
    for sock in slow:
        sock.connect(first.server_end)
    talking = s.random.random() < 0.5
    for sock in slow:
        if talking:
            sock.sendall(s.bytes())
        else:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 1)
    for sock in slow[1:]:
        dead(sock)
    by_end = {sock.getsockname(): sock for sock in [*clients, slow[0]]}
    for _ in by_end:
        server = s.accept(listener)
        s.finish(by_end[server.getpeername()], server)


@scenario('client-gave-up')
def client_gave_up(s):
    """The SYN-ACK is lost, the client closes; the SYN-ACK comes again."""
    flow = s.flow()
    s.listen(flow)
    s.expect(flow, 'client', 'gone')
    s.rule(s.lab.m, 'cut_synack', flow)
    client = s.client(flow)
    client.setblocking(False)
    if client.connect_ex(flow.server_end) != errno.EINPROGRESS:
        raise AssertionError('the connection is there already')
    s.nap(0.05, 0.1)
    client.close()
    s.rule(s.lab.m, 'cut_synack', flow, there=False)
    time.sleep(1.6)


@scenario('syn-scan')
def syn_scan(s):
    """nmap makes its SYNs by hand; the kernel of its host knows of none and resets what is answered."""
    first = s.flow()
    s.listen(first)
    s.expect(first, 'client', 'scanner', most=4)
    closed = [s.flow(client_like=first) for _ in range(3)]
    for flow in closed:
        s.expect(flow, 'server', 'closed', most=4)
    ports = ','.join(str(flow.server_end[1]) for flow in [first, *closed])
    six = ['-6'] if s.family == socket.AF_INET6 else []
    address, port = first.client_end[0], str(first.client_end[1])
    fixed = ['nmap', '-sS', '-n', '-Pn', '--send-ip', '-e', 'eth0', '-S', address, '-g', port, '-p', ports]
    first.client.run(*fixed, *six, first.server_end[0])


@scenario('syn-raw')
def syn_raw(s):
    """The same with one SYN of our own making."""
    flow = s.flow()
    s.listen(flow)
    s.expect(flow, 'client', 'scanner')
    s.forge(s.lab.a, flow, 'client', seq=s.random.getrandbits(32), flags=raw.SYN, window=1024, options=b'\2\4\5\xb4')
    time.sleep(0.3)


@scenario('bad-ack')
def bad_ack(s):
    """A third segment that acknowledges what the SYN-ACK never said."""
    flow = s.ghost()
    s.listen(flow)
    s.expect(flow, 'server', 'bad-ack')
    isn = s.random.getrandbits(32)
    s.forge(s.lab.a, flow, 'client', seq=isn, flags=raw.SYN, window=64240, options=b'\2\4\5\xb4')
    s.nap(0.02, 0.2)
    s.forge(s.lab.a, flow, 'client', seq=isn + 1, ack=s.random.getrandbits(32), flags=raw.ACK, window=502)
    s.nap()


@scenario('stray-ack')
def stray_ack(s):
    """An ACK out of nowhere to a port that somebody listens at."""
    flow = s.ghost()
    s.listen(flow)
    out_of_nowhere(s, flow)


@scenario('stray-ack-closed')
def stray_ack_closed(s):
    """The same to a port where nobody does, as an ACK scan."""
    out_of_nowhere(s, s.ghost())


def out_of_nowhere(s, flow):
    s.expect(flow, 'server', 'stray')
    seq, ack = s.random.getrandbits(32), s.random.getrandbits(32)
    s.forge(s.lab.a, flow, 'client', seq=seq, ack=ack, flags=raw.ACK, window=502)
    s.nap()


@scenario('port-reuse')
def port_reuse(s):
    """The client's host started again and comes by the same port; the server still has the old connection."""
    flow = s.flow()
    client, server = s.pair(flow, keep_listener=True)
    listener = s.open[0]
    s.expect(flow, 'client', 'reuse', most=3)
    s.chat(client, server)
    vanish(client)
    s.nap(0.05, 0.5)
    client = s.dial(flow)
    dead(server)
    server = s.accept(listener)
    s.chat(client, server)
    s.finish(client, server)


@scenario('port-reuse-gone')
def port_reuse_gone(s):
    """A SYN that nobody at the client's host knows of when the challenge comes."""
    flow = s.flow()
    client, server = s.pair(flow, keep_listener=True)
    s.expect(flow, 'client', 'reuse')
    s.chat(client, server)
    vanish(client)
    s.nap(0.05, 0.5)
    s.forge(s.lab.a, flow, 'client', seq=s.random.getrandbits(32), flags=raw.SYN, window=64240, options=b'\2\4\5\xb4')
    dead(server)
