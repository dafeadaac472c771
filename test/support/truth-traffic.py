"""
Makes resets with real sockets and says which process is on each end of each: for test/support/names.ts, with a plan as
JSON in its argument. The many of a kind are here, the single cases in truth_cases.py.
"""

import os
import select
import socket
import sys
import time

sys.dont_write_bytecode = True
from truth_cases import CASES  # noqa: E402
from truth_kit import abort, failed, fork, Gate, listener, ready, reap, rest, run, server, tcp, tell  # noqa: E402
from truth_kit import until_reset  # noqa: E402


def target(plan, i):
    """Where the client number i connects to: plan['spread'] gives each an address or a port of its own."""
    host, port, spread = plan['host'], plan['port'], plan.get('spread')
    if spread == 'port':
        return host, port + i
    if spread == 'address':
        head, _, _ = host.rpartition('.')
        return f'{head}.{i + 1}', port
    return host, port


def connect(plan, i):
    """A connection as the plan wants it, and its end told: before connect() where the port or the address tell it."""
    remote = target(plan, i)
    sock = tcp(remote[0])
    source = plan.get('from') or ('::1' if remote[0] == '::1' else '127.0.0.1')
    bound = plan.get('bound') or plan.get('fixed')
    if bound:
        # A port of its own for each, so that the tuple tells whose it is; or the same for all, one after the other.
        first = plan.get('fixed', 12_000 + plan['port'] % 200 * 100)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((source, first if plan.get('same') else first + i))
        tell(sock, remote)
    elif plan.get('spread'):
        tell(None, remote, [source, None])
    outcome = sock.connect_ex(remote)
    if outcome == 0 and not bound and not plan.get('spread'):
        tell(sock)
    return sock, outcome


def clients(plan, body):
    """Short-lived processes, started one after the other at the plan's pace, whether those before have ended or not."""
    started = []
    due = time.monotonic()
    for i in range(plan['times']):
        pid = fork(lambda: body(i), 'truth-client', plan.get('client_ns'))
        if plan.get('same'):
            reap(pid)
        else:
            started.append(pid)
        due += plan.get('pace', 10) / 1000
        time.sleep(max(0, due - time.monotonic()))
    for pid in started:
        reap(pid)


def refused(plan):
    def client(i):
        sock, outcome = connect(plan, i)
        failed(target(plan, i), os.strerror(outcome))
        sock.close()

    ready()
    clients(plan, client)


def server_aborts(plan):
    """The server hangs up with SO_LINGER 0; at once, or when the client has sent its greeting."""

    def handle(conn):
        tell(conn)
        if plan.get('greet'):
            conn.recv(1)
        if plan.get('unread'):
            select.select([conn], [], [], 5)
            conn.close()
        else:
            abort(conn)

    def client(i):
        sock, outcome = connect(plan, i)
        if outcome == 0 and (plan.get('greet') or plan.get('unread')):
            sock.send(b'greeting' if plan.get('unread') else b'g')
        if plan.get('client') == 'sleeps':
            time.sleep(0.3)
        else:
            until_reset(sock)

    server(plan, handle)
    ready()
    clients(plan, client)


def when_reset(conn):
    """Waits for it, and neither reads nor asks what it was."""
    poll = select.poll()
    poll.register(conn, 0)
    poll.poll(5000)


def client_aborts(plan):
    """The server says a word; the client reads it and hangs up with SO_LINGER 0. plan['then']: what the server does."""
    kept = []

    def handle(conn):
        tell(conn)
        conn.send(b'!')
        then = plan.get('then', 'reads')
        if then == 'reads':
            until_reset(conn)
        elif then == 'writes':
            # Not before: data that meets an end which has just gone is answered by a second reset.
            when_reset(conn)
            try:
                conn.send(b'x')
            except OSError:
                pass
        elif then == 'asks':
            when_reset(conn)
            conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        else:
            kept.append(conn)
            return
        conn.close()

    def client(i):
        sock, _ = connect(plan, i)
        sock.recv(1)
        abort(sock)

    server(plan, handle)
    ready()
    clients(plan, client)


def existed_before(plan):
    """Connections stand when `ready` is said. Then plan['aborts'] ends them, and the other side 'reads' or 'never' does."""
    listening, told, go, over = Gate(), Gate(), Gate(), Gate()

    def hold(socks, side):
        for sock in socks:
            tell(sock)
        told.open()
        if plan['aborts'] == side:
            go.wait()
            for sock in socks:
                abort(sock)
                time.sleep(plan.get('pace', 10) / 1000)
            over.open()
        elif plan.get('then') != 'never':
            left = list(socks)
            while left:
                for sock in select.select(left, [], [])[0]:
                    until_reset(sock)
                    left.remove(sock)
        rest()

    def serve():
        sock = listener(plan['host'], plan['port'])
        listening.open()
        hold([sock.accept()[0] for _ in range(plan['times'])], 'server')

    def dial():
        socks = [tcp(plan['host']) for _ in range(plan['times'])]
        for sock in socks:
            sock.connect((plan['host'], plan['port']))
        hold(socks, 'client')

    fork(serve, 'truth-server', plan.get('server_ns'))
    listening.wait()
    fork(dial, 'truth-client', plan.get('client_ns'))
    told.wait()
    told.wait()
    ready()
    go.open()
    over.wait()


def knocks(plan):
    """One client that knows no better: the same closed port again and again."""

    def client():
        for i in range(plan['times']):
            sock = tcp(plan['host'])
            tell(None, target(plan, i), ['127.0.0.1', None])
            failed(target(plan, i), os.strerror(sock.connect_ex(target(plan, i))))
            sock.close()
            time.sleep(plan['pace'] / 1000)

    ready()
    reap(fork(client, 'truth-knocker', plan.get('client_ns')))


MANY = {
    'refused': refused,
    'server_aborts': server_aborts,
    'client_aborts': client_aborts,
    'existed_before': existed_before,
    'knocks': knocks,
}

if __name__ == '__main__':
    run({**MANY, **CASES})
