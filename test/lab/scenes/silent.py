"""One end is gone and the other does not know; and a reset that is none."""

import socket

import raw
from ends import dead, numbers, vanish
from scene import MANY, scenario

TCP_KEEPIDLE, TCP_KEEPINTVL = 4, 5


def gone_server(s, keep_listener=False):
    flow = s.flow()
    client, server = s.pair(flow, keep_listener)
    s.expect(flow, 'server', 'unknown-connection', most=MANY)
    s.chat(client, server)
    vanish(server)
    s.idle()
    return client


@scenario('half-open')
def half_open(s):
    client = gone_server(s)
    client.sendall(s.bytes())
    dead(client)


@scenario('half-open-listener')
def half_open_listener(s):
    """The server's program was started again: it listens, and knows nothing of old connections."""
    client = gone_server(s, keep_listener=True)
    client.sendall(s.bytes())
    dead(client)


@scenario('half-open-fin')
def half_open_fin(s):
    """The first word of the client after that is its FIN."""
    client = gone_server(s)
    client.shutdown(socket.SHUT_WR)
    dead(client)


@scenario('half-open-probe')
def half_open_probe(s):
    """A keepalive probe finds out."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'unknown-connection')
    s.chat(client, server)
    vanish(server)
    for option in TCP_KEEPIDLE, TCP_KEEPINTVL:
        client.setsockopt(socket.IPPROTO_TCP, option, 2)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    dead(client)


@scenario('half-open-client')
def half_open_client(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'unknown-connection', most=MANY)
    s.chat(client, server)
    vanish(client)
    s.idle()
    server.sendall(s.bytes())
    dead(server)


@scenario('out-of-window')
def out_of_window(s):
    """A reset with the peer's address and a sequence number from elsewhere: the connection lives on."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'stray')
    s.chat(client, server)
    sent, _ = numbers(client)
    off = s.random.randint(1 << 28, 1 << 30) * s.random.choice((1, -1))
    s.forge(s.lab.a, flow, 'client', seq=sent + off, flags=raw.RST)
    s.nap(0.1, 0.3)
    s.chat(client, server)
    s.finish(client, server)
