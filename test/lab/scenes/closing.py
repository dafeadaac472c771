"""Segments that come after a program, or both, had closed in good order."""

import socket

import raw
from ends import dead, drain, info, kill, numbers, wait_for
from scene import MANY, scenario

TCP_LINGER2 = 8
CLOSE_WAIT = 8


def closed_by_peer(sock):
    wait_for(lambda: info(sock)[0] == CLOSE_WAIT, 'the FIN')


def late(s, flow, client, server, close, option=None):
    """The server closes, and the client goes on."""
    s.expect(flow, 'server', 'late', most=MANY)
    s.chat(client, server)
    if option is not None:
        server.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, option)
    close()
    closed_by_peer(client)
    s.nap(0.05, 0.3)
    client.sendall(s.bytes())
    dead(client)


@scenario('late-data')
def late_data(s):
    flow = s.flow()
    client, server = s.pair(flow)
    late(s, flow, client, server, server.close)


@scenario('late-data-orphan')
def late_data_orphan(s):
    """The same while the kernel still keeps the whole socket (TCP_LINGER2 above a minute)."""
    flow = s.flow()
    client, server = s.pair(flow)
    late(s, flow, client, server, server.close, option=100)


@scenario('late-data-client')
def late_data_client(s):
    """The client is done, the server goes on answering."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'late', most=MANY)
    s.chat(client, server)
    client.close()
    closed_by_peer(server)
    s.nap(0.05, 0.3)
    server.sendall(s.bytes())
    dead(server)


@scenario('killed-clean')
def killed_clean(s):
    """SIGKILL with nothing unread is a FIN; what comes then meets a reset."""
    flow = s.flow()
    client, server = s.pair(flow)
    late(s, flow, client, server, lambda: kill(s.holder(flow.server, server)))


@scenario('linger2')
def linger2(s):
    """TCP_LINGER2 below zero: the acknowledgement of the FIN is answered by a reset."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'late')
    s.chat(client, server)
    server.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, -1)
    s.nap()
    server.close()
    dead(client)


def close_both(client, server):
    """The server first; TIME_WAIT is at the server. (next sequence number of the client, of the server) after it."""
    sent, received = numbers(client)
    server.shutdown(socket.SHUT_WR)
    drain(client)
    client.close()
    drain(server)
    server.close()
    return sent + 1, received + 1


@scenario('close-reset')
def close_reset(s):
    """A late copy of the server's last segments meets a client that is through with the connection."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'late-segment')
    s.chat(client, server)
    client_next, server_next = close_both(client, server)
    s.nap(0.05, 0.3)
    if s.random.random() < 0.5:
        s.forge(s.lab.b, flow, 'server', seq=server_next, ack=client_next, flags=raw.ACK, window=501)
    else:
        s.forge(s.lab.b, flow, 'server', seq=server_next - 1, ack=client_next, flags=raw.FIN | raw.ACK, window=501)
    s.nap()


@scenario('close-reset-lost')
def close_reset_lost(s):
    """The last ACK is lost, TIME_WAIT was cleared away: the FIN that comes again meets nobody."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'late-segment', most=MANY)
    s.chat(client, server)
    server.close()
    closed_by_peer(client)
    s.rule(s.lab.m, 'cut_answers', flow)
    client.shutdown(socket.SHUT_WR)
    s.nap(0.02, 0.04)
    flow.server.run('ss', '-K', '-a', f'sport = :{flow.server_end[1]}')
    s.rule(s.lab.m, 'cut_answers', flow, there=False)
    dead(client)


@scenario('time-wait-assassination')
def assassination(s):
    """RFC 1337: TIME_WAIT answers an old duplicate, and the answer is answered by a reset."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'assassin')
    first, _ = numbers(client)
    s.chat(client, server)
    sent = (numbers(client)[0] - first) % (1 << 32)
    old = s.bytes(s.random.randint(1, min(sent, 1400)))
    client_next, server_next = close_both(client, server)
    s.nap(0.05, 0.3)
    seq = client_next - 1 - len(old)
    s.forge(s.lab.a, flow, 'client', seq=seq, ack=server_next - 1, flags=raw.PSH | raw.ACK, window=501, payload=old)
    s.nap()
