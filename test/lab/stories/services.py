"""Services that go away, and that come back."""

import signal
import time

import scenes.programs as programs
from ends import kill, linger, settle, take
from scenes.programs import listening
from story import story

PORT = 8080
REDIS = 6379


@story('service-down')
def service_down(s):
    """Served, then refused until the end."""
    visited(s, PORT, 3).close()
    s.nap(0.3, 0.3)
    for wait in 0.2, 0.9, 0.4:
        s.refused(s.to(PORT))
        time.sleep(wait)


@story('service-down-not')
def service_down_not(s):
    """Refused for two seconds, and served again: it was started again."""
    visited(s, PORT, 3).close()
    for wait in 0.7, 1.0, 0.3:
        s.refused(s.to(PORT))
        time.sleep(wait)
    visited(s, PORT, 3)


@story('service-down-not-yet')
def service_down_not_yet(s):
    """Refused at first, served then and until the end: it had not been started yet."""
    for wait in 0.4, 0.9, 0.5:
        s.refused(s.to(PORT))
        time.sleep(wait)
    visited(s, PORT, 3)


@story('service-restarted')
def service_restarted(s):
    """The same by nginx, which is stopped and started; a connection is open meanwhile."""
    first = nginx(s)
    get(s, 2)
    first.terminate()
    first.wait(5)
    for wait in 0.4, 0.8, 0.2:
        s.refused(s.to(PORT))
        time.sleep(wait)
    nginx(s)
    get(s, 2)


@story('service-restarted-not')
def service_restarted_not(s):
    """A pause, and an abort in it, but never a refusal."""
    listener = visited(s, PORT, 2)
    client = s.dial(s.to(PORT))
    server = s.accept(listener)
    s.chat(client, server)
    linger(server)
    time.sleep(1.5)
    for _ in range(2):
        s.visit(listener, s.to(PORT))


WAITING = """
import socket, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('{ip}', {port}))
listener.listen(16)
print('ready', flush=True)
try:
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    listener.close()
    time.sleep(0.2)
"""


@story('service-restarted-waiting', live=True)
def service_restarted_waiting(s):
    """A server that is stuck is told to stop: four clients wait to be accepted."""
    child = s.program(s.b, 'orders', WAITING.format(ip=s.b_ip, port=PORT))
    clients = [s.dial(s.to(PORT)) for _ in range(4)]
    for client in clients[:2]:
        client.sendall(b'order 7\n')
        settle(client)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    child.wait(5)


@story('service-restarted-killed', live=True)
def service_restarted_killed(s):
    """Redis, killed by SIGKILL with commands unread."""
    child = redis(s)
    clients = [s.dial(s.to(REDIS)) for _ in range(3)]
    for client in clients:
        client.sendall(b'PING\r\n')
        take(client, 7)
    child.send_signal(signal.SIGSTOP)
    for client in clients:
        client.sendall(b'INCR orders\r\n')
        settle(client)
    time.sleep(0.2)
    kill(child)
    time.sleep(0.2)


def visited(s, port, times):
    listener = s.listen(s.to(port))
    for _ in range(times):
        s.visit(listener, s.to(port))
        time.sleep(0.1)
    return listener


def redis(s):
    fixed = ['--port', str(REDIS), '--bind', s.b_ip, '--dir', s.home(), '--save', '', '--protected-mode', 'no']
    child = s.spawn(s.b, 'redis-server', *fixed)
    listening(child, REDIS)
    return child


def nginx(s, options=''):
    return programs.nginx(s, s.to(PORT), options)


def get(s, times):
    for _ in range(times):
        client = s.dial(s.to(PORT))
        client.sendall(b'GET / HTTP/1.0\r\n\r\n')
        while client.recv(4096) != b'':
            pass
        client.close()
        time.sleep(0.1)
