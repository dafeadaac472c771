"""
What the traffic programs of the tests of names are made of: processes that say, of each end of a connection they hold,
which process they are. One JSON object a line on standard output, written whole, so that many processes may share it.

A PID is that of the PID namespace of /proc, not getpid's: the two differ for a process in a namespace of its own.
"""

import ctypes
import json
import os
import signal
import socket
import struct
import sys
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000
LINGER_0 = struct.pack('ii', 1, 0)
LONGEST_S = 60
BORN = []  # Whose child it was, which as an orphan it is not any more.
OLDER = []  # Under what name this process was born.


def say(thing):
    os.write(1, (json.dumps(thing) + '\n').encode())


def read(path):
    try:
        with open(path, encoding='utf8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''


def me():
    """This process, as the PID namespace of /proc has it."""
    status = dict(line.split(':\t', 1) for line in read('/proc/self/status').splitlines() if ':\t' in line)
    ppid = int(status['PPid'])
    return {
        'pid': int(status['Tgid']),
        'ppid': ppid,
        'name': status['Name'],
        'parent': read(f'/proc/{ppid}/comm').rstrip('\n') or None,
        'older': OLDER,
        **({'born': BORN} if BORN else {}),
        'netns': os.stat('/proc/self/ns/net').st_ino,
    }


def plain(address):
    ip, port = address[:2]
    return [ip[7:] if ip.startswith('::ffff:') else ip, port]


def tell(sock, remote=None, local=None):
    """This process has that end. `local` has no port where nobody can know it: then `remote` is told once only."""
    who = me()
    who['local'] = local or plain(sock.getsockname())
    who['remote'] = plain(remote or sock.getpeername())
    who['at'] = time.time()
    say({'end': who})


def failed(remote, outcome):
    say({'failed': {**me(), 'remote': plain(remote), 'outcome': outcome}})


def rename(name):
    OLDER[:] = [read('/proc/self/comm').rstrip('\n')]
    with open('/proc/self/comm', 'w', encoding='utf8') as file:
        file.write(name)


def enter(ns):
    if ns is None:
        return
    handle = os.open(ns, os.O_RDONLY)
    if LIBC.setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f'setns {ns}')
    os.close(handle)


def fork(body, name=None, ns=None, orphan=False):
    """Runs body in a process of its own, which ends with this one unless it is to be an orphan."""
    maker = [os.getpid(), read('/proc/self/comm').rstrip('\n')]
    pid = os.fork()
    if pid != 0:
        return pid
    BORN[:] = maker
    return inside(body, name, ns, orphan)


def inside(body, name=None, ns=None, orphan=False):
    """What a new process does from its first line to its last; never returns."""
    code = 1
    try:
        if not orphan:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.alarm(LONGEST_S)
        if name is not None:
            rename(name)
        enter(ns)
        body()
        code = 0
    except BaseException as error:  # Whatever it is, the parent's code must not run on in here.
        os.write(2, f'{name or "child"}: {type(error).__name__}: {error}\n'.encode())
    finally:
        os._exit(code)


def reap(pid):
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise RuntimeError(f'a process of the traffic ended with {os.WEXITSTATUS(status)}')


class Gate:
    """One process waits, another lets it go on."""

    def __init__(self):
        self.ends = os.pipe()

    def open(self, count=1):
        os.write(self.ends[1], b'g' * count)

    def wait(self):
        if os.read(self.ends[0], 1) == b'':
            raise RuntimeError('nobody is there to go on for')


def rest(*_kept):
    while True:
        time.sleep(1)


def family(host):
    return socket.AF_INET6 if ':' in host else socket.AF_INET


def tcp(host):
    sock = socket.socket(family(host), socket.SOCK_STREAM)
    sock.settimeout(None)
    return sock


def listener(host, port, backlog=256, group=False):
    sock = tcp(host)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if group:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if ':' in host:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == '::' else 1)
    sock.bind((host, port))
    sock.listen(backlog)
    return sock


def accepting(sock, handle, threads=False):
    while True:
        conn, _ = sock.accept()
        if threads:
            threading.Thread(target=handle, args=(conn,), daemon=True).start()
        else:
            handle(conn)


def abort(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    sock.close()


def dial(plan):
    """A connection whose end is told before it exists: it may be reset before connect() is back."""
    remote = (plan['host'], plan['port'])
    sock = tcp(remote[0])
    sock.bind((source(plan), 0))
    tell(sock, remote)
    sock.connect(remote)
    return sock


def source(plan):
    return plan.get('from') or ('::1' if plan['host'] == '::1' else '127.0.0.1')


def until_reset(sock):
    """Reads until the connection is over."""
    try:
        while sock.recv(4096):
            pass
    except OSError:
        pass


def server(plan, handle):
    """Starts what plan['server'] says: one process, threads, prefork or a SO_REUSEPORT group. It listens on return."""
    gate = Gate()
    host, port, kind = plan.get('bind', plan['host']), plan['port'], plan.get('server', 'single')

    def one(group=False):
        sock = listener(host, port, group=group)
        gate.open()
        accepting(sock, handle, kind == 'threads')

    def prefork():
        sock = listener(host, port)
        for _ in range(4):
            fork(lambda: accepting(sock, handle), 'truth-member')
        gate.open()
        rest()

    def reuseport():
        for _ in range(4):
            fork(lambda: one(True), 'truth-member')
        rest()

    body = {'prefork': prefork, 'reuseport': reuseport}.get(kind, one)
    pid = fork(body, 'truth-server', plan.get('server_ns'))
    for _ in range(4 if kind == 'reuseport' else 1):
        gate.wait()
    return pid


def run(scenarios):
    """The program: does what the plan in its argument says, and rests until its standard input ends."""
    signal.alarm(LONGEST_S)
    plan = json.loads(sys.argv[1])
    rename('truth-program')
    code = 0
    try:
        scenarios[plan['scenario']](plan)
        say({'done': True})
        while sys.stdin.buffer.readline():
            pass
    except BaseException as error:
        os.write(2, f'{plan["scenario"]}: {type(error).__name__}: {error}\n'.encode())
        code = 1
    os._exit(code)


def ready():
    """Says that everything stands, and waits for the word."""
    say({'ready': True})
    if not sys.stdin.buffer.readline():
        raise RuntimeError('the test has gone')
