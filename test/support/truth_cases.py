"""The single cases of truth-traffic.py: ends of connections that are easily taken for somebody else's."""

import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from truth_kit import abort, dial, enter, failed, fork, Gate, inside, LIBC, listener, plain, ready, reap, rest, say, server
from truth_kit import source, tcp, tell, until_reset

SYS_CLONE3 = 435


def spread(plan, i):
    head, _, _ = plan['host'].rpartition('.')
    return f'{head}.{i + 1}', plan['port']


def reader(plan, greeting=b''):
    """A client that tells its end, perhaps says something, and reads until it is over."""

    def body():
        sock = dial(plan)
        if greeting:
            sock.send(greeting)
        until_reset(sock)

    return fork(body, 'truth-client', plan.get('client_ns'))


def killed(plan):
    """kill -9 of a server with data unread."""
    listening, have = Gate(), Gate()

    def serve():
        sock = listener(plan['host'], plan['port'])
        listening.open()
        conn, _ = sock.accept()
        tell(conn)
        select.select([conn], [], [])
        have.open()
        rest()

    pid = fork(serve, 'truth-server')
    listening.wait()
    ready()
    client = reader(plan, b'unread')
    have.wait()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    reap(client)


def listener_killed(plan):
    """kill -9 of a listener that never accepted its three clients."""
    listening, told, handed = Gate(), Gate(), os.pipe()
    own = [plan['host'], plan['port']]

    def serve():
        sock = listener(*own)
        listening.open()
        for _ in range(3):
            # A connection that was never accepted has no other owner than the listener; its client says which it is.
            ip, port = os.read(handed[0], 64).decode().split()
            tell(None, [ip, int(port)], own)
            told.open()
        rest(sock)

    def client():
        sock = tcp(plan['host'])
        sock.connect(tuple(own))
        tell(sock)
        ip, port = plain(sock.getsockname())
        os.write(handed[1], f'{ip} {port}'.encode())
        until_reset(sock)

    pid = fork(serve, 'truth-server')
    listening.wait()
    ready()
    started = []
    for _ in range(3):
        started.append(fork(client, 'truth-client'))
        told.wait()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for one in started:
        reap(one)


def exits_unread(plan):
    """A client that ends with data unread; its server does no more than close."""

    def handle(conn):
        tell(conn)
        conn.send(b'never read')
        time.sleep(0.1)
        conn.close()

    def client():
        sock = dial(plan)
        select.select([sock], [], [])

    server(plan, handle)
    ready()
    for _ in range(plan['times']):
        reap(fork(client, 'truth-client'))


def nonblocking(plan):
    """connect() that does not wait, to a closed port."""

    def client(i):
        sock = tcp(plan['host'])
        sock.setblocking(False)
        tell(None, spread(plan, i), [source(plan), None])
        sock.connect_ex(spread(plan, i))
        select.select([], [sock], [], 5)
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    ready()
    for i in range(plan['times']):
        reap(fork(lambda i=i: client(i), 'truth-client'))


def threaded_connect(plan):
    """A thread connects and ends; the connection is the process's."""

    def handle(conn):
        tell(conn)
        conn.recv(1)
        time.sleep(0.05)
        abort(conn)

    def client():
        sock = tcp(plan['host'])
        thread = threading.Thread(target=lambda: sock.connect((plan['host'], plan['port'])))
        thread.start()
        thread.join()
        tell(sock)
        sock.send(b'g')
        until_reset(sock)

    server(plan, handle)
    ready()
    for _ in range(plan['times']):
        reap(fork(client, 'truth-client'))


def shared(plan):
    """A connection handed to a child by fork: whoever closes it last sends the reset."""

    def handle(conn):
        closed = Gate()

        def child():
            closed.wait()
            tell(conn)
            abort(conn)

        pid = fork(child, 'truth-heir')
        conn.close()
        closed.open()
        reap(pid)

    server(plan, handle)
    ready()
    for _ in range(plan['times']):
        reap(reader(plan))


def late(plan):
    """A worker closes in peace, its client writes once more: the answer is a reset that no program makes."""

    def handle(conn):
        alone = Gate()

        def worker():
            alone.wait()
            tell(conn)
            conn.close()

        pid = fork(worker, 'truth-worker')
        conn.close()
        alone.open()
        reap(pid)

    def client():
        sock = dial(plan)
        until_reset(sock)
        time.sleep(0.03)
        sock.send(b'late')
        time.sleep(0.03)

    server(plan, handle)
    ready()
    for _ in range(plan['times']):
        reap(fork(client, 'truth-client', plan.get('client_ns')))


def destroyed(plan):
    """`ss -K` on the sockets of a server that sleeps."""
    kept = []
    stands = Gate()

    def handle(conn):
        tell(conn)
        conn.send(b'!')
        kept.append(conn)

    def client():
        sock = dial(plan)
        sock.recv(1)
        stands.open()
        until_reset(sock)

    server(plan, handle)
    ready()
    started = [fork(client, 'truth-client') for _ in range(plan['times'])]
    for _ in started:
        stands.wait()
    time.sleep(0.05)
    done = subprocess.run(['ss', '-K', '-tn', 'sport', '=', f':{plan["port"]}'], capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    for pid in started:
        reap(pid)


def again(pid, body):
    """A new process with a PID that was just given back (clone3 with set_tid): whether the kernel gave it."""
    wanted = ctypes.c_int(pid)
    args = struct.pack('11Q', 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(wanted), 1, 0)
    child = LIBC.syscall(SYS_CLONE3, args, len(args))
    if child == 0:
        inside(body, 'truth-usurper')
    return child == pid


def recycled(plan):
    """
    A client connects, leaves its connection to a child and ends; another program gets its PID; the child aborts. And a
    client that is refused and ends, with its PID in other hands at once.
    """
    got = 0
    held = {'host': '127.0.0.1', 'port': plan['port'] + 1}

    def handle(conn):
        tell(conn)
        conn.send(b'!')
        until_reset(conn)
        conn.close()

    def maker(gate):
        sock = tcp(held['host'])
        sock.connect((held['host'], held['port']))
        sock.recv(1)

        def heir():
            gate.wait()
            tell(sock)
            abort(sock)

        fork(heir, 'truth-heir', orphan=True)

    def knocker(i):
        tell(None, spread(plan, i), [source(plan), None])
        tcp(plan['host']).connect_ex(spread(plan, i))

    server(held, handle)
    ready()
    for i in range(plan['times']):
        gate = Gate()
        pid = fork(lambda: maker(gate), 'truth-maker')
        reap(pid)
        got += again(pid, rest)
        gate.open()
        pid = fork(lambda: knocker(i), 'truth-client')
        reap(pid)
        got += again(pid, rest)
        time.sleep(0.05)
    time.sleep(0.2)
    say({'recycled': got})


SHELL = {
    'bash': 'exec 3<>/dev/tcp/$ip/$port',
    'curl': 'exec curl -s -m 5 "http://$ip:$port/"',
}
# The program says who it is before it becomes another: its PID and its parent stay.
TELLING = """printf '{"end":{"pid":%d,"ppid":%d,"name":"%s","parent":"%s","older":["bash"],"netns":%d,"local":["127.0.0.1",null],\
"remote":["%s",%d],"at":%s}}\\n' \
  $$ $PPID NAME "$(cat /proc/$PPID/comm)" "$(stat -Lc %i /proc/self/ns/net)" $ip $port $EPOCHREALTIME; """


def shell_loop(plan):
    """A shell that starts a program for each knock: many PIDs, one parent."""
    name = plan['program']
    told = TELLING.replace('NAME', name) + SHELL[name]
    head, _, _ = plan['host'].rpartition('.')
    pause = plan.get('pace', 10) / 1000
    script = (
        f'export port={plan["port"]}; for i in $(seq 1 {plan["times"]}); do export ip={head}.$i; '
        f'bash -c "$1" 2>/dev/null; sleep {pause}; done'
    )

    ready()
    pid = os.fork()
    if pid == 0:
        enter(plan.get('client_ns'))
        os.execvp('bash', ['bash', '-c', script, 'loop', told])
    os.waitpid(pid, 0)


def fails(plan):
    """Connects that fail in one way each; plan['how'] is that way, as plan['host'] and its filter make it."""

    def client():
        for _ in range(plan['times']):
            sock = tcp(plan['host'])
            if plan['how'] == 'abandoned':
                sock.setblocking(False)
                sock.connect_ex((plan['host'], plan['port']))
                time.sleep(0.1)
            else:
                say({'outcome': os.strerror(sock.connect_ex((plan['host'], plan['port'])))})
            failed((plan['host'], plan['port']), plan['how'])
            sock.close()

    ready()
    reap(fork(client, 'truth-' + plan['how'].replace('_', '-')[:9], plan.get('client_ns')))


CASES = {
    'killed': killed,
    'listener_killed': listener_killed,
    'exits_unread': exits_unread,
    'nonblocking': nonblocking,
    'threaded_connect': threaded_connect,
    'shared': shared,
    'late': late,
    'destroyed': destroyed,
    'recycled': recycled,
    'shell_loop': shell_loop,
    'fails': fails,
}
