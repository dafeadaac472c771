"""Active resets: a socket's own end, told to the peer as a reset."""

import socket

from ends import disconnect, info, kill, linger, wait_for
from scene import scenario

TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_LINGER2 = 4, 5, 6, 8


@scenario('unread-data')
def unread_data(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.nap()
    s.unread(client, server)
    s.nap()
    server.close()


@scenario('unread-data-client')
def unread_data_client(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'abort')
    s.talk(client, server)
    s.nap()
    s.unread(server, client)
    s.nap()
    client.close()


@scenario('unread-data-lo', device='lo')
def unread_data_lo(s):
    flow = s.flow('b', 'b')
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.unread(client, server)
    s.nap()
    server.close()


@scenario('killed-unread')
def killed_unread(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.chat(client, server)
    s.unread(client, server)
    child = s.holder(flow.server, server)
    s.nap()
    kill(child)


@scenario('linger-server')
def linger_server(s):
    flow = s.flow()
    _, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.nap()
    linger(server)


@scenario('linger-server-data')
def linger_server_data(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.chat(client, server)
    s.nap()
    linger(server)


@scenario('linger-client')
def linger_client(s):
    flow = s.flow()
    client, _ = s.pair(flow)
    s.expect(flow, 'client', 'abort')
    s.nap()
    linger(client)


@scenario('linger-client-data')
def linger_client_data(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'abort')
    s.chat(client, server)
    s.nap()
    linger(client)


@scenario('linger-lo', device='lo')
def linger_lo(s):
    flow = s.flow('b', 'b')
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.chat(client, server)
    linger(server)


@scenario('listener-closed')
def listener_closed(s):
    """Three connections that nobody accepted."""
    waiting_connections(s, talking=False)


@scenario('listener-closed-data')
def listener_closed_data(s):
    waiting_connections(s, talking=True)


def waiting_connections(s, talking):
    first = s.flow()
    listener = s.listen(first)
    for flow in (first, s.flow(like=first), s.flow(like=first)):
        s.expect(flow, 'server', 'waiting')
        client = s.dial(flow)
        if talking:
            client.sendall(s.bytes())
            wait_for(lambda: info(client)[1] == 0, 'acknowledgements')
        s.nap(0, 0.02)
    s.nap()
    listener.close()


@scenario('disconnect')
def disconnect_plain(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'client', 'abort')
    s.chat(client, server)
    s.nap()
    disconnect(client)


@scenario('disconnect-unread')
def disconnect_unread(s):
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.unread(client, server)
    s.nap()
    disconnect(server)


@scenario('ss-kill')
def ss_kill(s):
    """An administrator destroys the server's socket."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.chat(client, server)
    s.nap()
    flow.server.run('ss', '-K', f'sport = :{flow.server_end[1]}')


@scenario('linger2-shutdown')
def linger2_shutdown(s):
    """TCP_LINGER2 below zero, closed in FIN_WAIT2: the socket's own reset."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'abort')
    s.chat(client, server)
    server.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, -1)
    server.shutdown(socket.SHUT_WR)
    wait_for(lambda: info(server)[0] == 5, 'FIN_WAIT2')
    s.nap()
    server.close()


@scenario('keepalive')
def keepalive(s):
    """Three probes that nobody answers, for the way to the client and back is cut."""
    flow = s.flow()
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'gave-up')
    s.chat(client, server)
    for option, value in (TCP_KEEPIDLE, 1), (TCP_KEEPINTVL, 1), (TCP_KEEPCNT, 3):
        server.setsockopt(socket.IPPROTO_TCP, option, value)
    s.rule(s.lab.m, 'cut', flow)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wait_for(lambda: info(server)[0] == 7, 'the keepalive timer', 8)
