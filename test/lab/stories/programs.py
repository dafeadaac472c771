"""Programs that abort, programs whose timers are at odds, and resets that harm nobody."""

import http.client
import socket
import time

import scenes.programs as programs
from ends import CLOSED, drain, info, linger, settle, take, wait_for
from far import Far
from story import story

PORT = 5432
WEB = 8080
CLOSE_WAIT = 8
# Between the hosts, each way, seconds.
FAR = 0.05


def aborts(s, count, end):
    listener = s.listen(s.to(PORT))
    for _ in range(count):
        client = s.dial(s.to(PORT))
        server = s.accept(listener)
        s.chat(client, server)
        s.nap(0.1, 0.3)
        end(client, server)


SERVER = """
import socket, struct, time
listener = socket.socket()
listener.bind(('{ip}', {port}))
listener.listen(16)
print('ready', flush=True)
while True:
    sock, _ = listener.accept()
    sock.sendall(sock.recv(100))
    time.sleep(0.1)
    if {linger}:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()
"""


def aborting_program(s, by_linger):
    """Six connections of a server that is a program of its own; the second request stays unread."""
    s.program(s.b, 'billing', SERVER.format(ip=s.b_ip, port=PORT, linger=by_linger))
    for _ in range(6):
        client = s.dial(s.to(PORT))
        client.sendall(b'bill 7\n')
        take(client, 7)
        if not by_linger:
            client.sendall(b'bill 8\n')
            settle(client)
        wait_for(lambda: info(client)[0] == CLOSED, 'the reset')
        s.nap(0.1, 0.3)


@story('application-aborting')
def application_aborting(s):
    """A server that aborts six connections by SO_LINGER 0."""
    aborts(s, 6, lambda client, server: linger(server))


@story('application-aborting-unread', live=True)
def application_aborting_unread(s):
    """One that closes six with something unread, with the kernel's word."""
    aborting_program(s, by_linger=False)


@story('application-aborting-linger', live=True)
def application_aborting_linger(s):
    aborting_program(s, by_linger=True)


@story('application-aborting-client')
def application_aborting_client(s):
    """The client does it, after a talk."""
    aborts(s, 6, lambda client, server: linger(client))


@story('application-aborting-not')
def application_aborting_not(s):
    aborts(s, 4, lambda client, server: linger(server))


@story('application-aborting-not-mixed')
def application_aborting_not_mixed(s):
    """Six, but three by each side."""
    aborts(s, 3, lambda client, server: linger(server))
    s.open[0].close()
    aborts(s, 3, lambda client, server: linger(client))


def far(s, delay=FAR, twice=None):
    """The way between the hosts is long, or tells one of them everything twice."""
    with s.m.enter():
        way = Far(['eth0', 'eth1'], delay, twice)
    s.ends.append(way)
    return way


def keepalive(s, wait, last):
    """
    A keep-alive client of nginx, which waits a second: a request, an answer, `wait` seconds, and another where `last`.
    """
    conn = http.client.HTTPConnection(s.b_ip, WEB)
    conn.sock = s.dial(s.to(WEB))
    conn.request('GET', '/')
    conn.getresponse().read()
    answered = time.monotonic()
    if last:
        time.sleep(max(0, answered - FAR + wait - time.monotonic()))
        conn.request('GET', '/')
        try:
            conn.getresponse().read()
        except (ConnectionResetError, http.client.RemoteDisconnected):
            pass
    else:
        drain(conn.sock)
        conn.sock.close()


@story('keepalive-race', {'keepalive-race': 'b', 'keepalive-race-client': 'a'}, snap=200)
def keepalive_race(s):
    """nginx closes after a second; the next request is on its way when it does."""
    far(s)
    programs.nginx(s, s.to(WEB), 'keepalive_timeout 1s; server_tokens off;')
    for _ in range(3):
        keepalive(s, 0.98, last=True)


@story('keepalive-race-not', snap=200)
def keepalive_race_not(s):
    """nginx closes after a second, and the client says nothing more but its own end."""
    far(s)
    programs.nginx(s, s.to(WEB), 'keepalive_timeout 1s; server_tokens off;')
    for _ in range(3):
        keepalive(s, 1, last=False)


@story('keepalive-race-not-steady')
def keepalive_race_not_steady(s):
    """A server that closes when it likes, and a client that speaks then."""
    listener = s.listen(s.to(WEB))
    for wait in 0.3, 1.7, 0.9, 2.6:
        client = s.dial(s.to(WEB))
        server = s.accept(listener)
        s.chat(client, server)
        time.sleep(wait)
        server.close()
        wait_for(lambda: info(client)[0] == CLOSE_WAIT, 'the FIN')
        client.sendall(s.bytes())
        wait_for(lambda: info(client)[0] == CLOSED, 'the reset')


def closed_twice(s, listener):
    """The server closes, the client too; the copy of the last ACK meets nobody."""
    client = s.dial(s.to(PORT))
    server = s.accept(listener)
    s.chat(client, server)
    server.shutdown(socket.SHUT_WR)
    drain(client)
    client.close()
    drain(server)
    server.close()
    s.nap(0.1, 0.1)


@story('no-action', 'a')
def no_action(s):
    """Four harmless resets of ends that were over, five of health checks, and two refusals."""
    listener = s.listen(s.to(PORT))
    far(s, 0, twice=s.a_ip)
    for _ in range(4):
        closed_twice(s, listener)
    s.m.run('ip', 'rule', 'del', 'pref', '10')
    s.m.run('ip', 'rule', 'del', 'pref', '10')
    for _ in range(5):
        linger(s.dial(s.to(PORT)))
        s.accept(listener).close()
        time.sleep(0.4)
    for _ in range(2):
        s.refused(s.to(7211))


@story('no-action-not', 'a')
def no_action_not(s):
    """Two refusals, and an abort after a talk."""
    listener = s.listen(s.to(PORT))
    for _ in range(2):
        s.refused(s.to(7211))
    client = s.dial(s.to(PORT))
    server = s.accept(listener)
    s.chat(client, server)
    linger(server)
