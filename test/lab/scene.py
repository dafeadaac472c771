"""
What a scenario is made of: connections between the lab's hosts with ports of its own, and what it expects: which of
its resets is which.
"""

import errno
import os
import random
import socket
import subprocess
import tempfile
import time

import raw
from ends import WAIT, drain, pending, settle, take, vanish, wait_for

SCENARIOS = {}
MANY = 99
BIGGEST = 5000


def scenario(name, device='eth0'):
    """`device`: where on b its resets are seen."""

    def register(function):
        SCENARIOS[name] = (function, device)
        return function

    return register


class Flow:
    """The addresses and ports of one connection, and who may be at its ends."""

    def __init__(self, family, client, server, client_end, server_end):
        self.family = family
        self.client, self.server = client, server
        self.client_end, self.server_end = client_end, server_end

    def ends(self, sender):
        """(from, to, namespace of the sender) of what the side 'client' or 'server' sends."""
        if sender == 'client':
            return self.client_end, self.server_end, self.client
        return self.server_end, self.client_end, self.server

    def tuple_from(self, sender):
        source, target, _ = self.ends(sender)
        return (*source, *target)


class Expected:
    def __init__(self, role, sender, least, most, flags):
        self.role, self.sender, self.least, self.most, self.flags = role, sender, least, most, flags
        self.count = 0

    def takes(self, flags):
        return self.count < self.most and self.flags in (None, flags)


class Scene:
    def __init__(self, name, lab, family, ports, seed, biggest=BIGGEST):
        self.name, self.lab, self.family, self.biggest = name, lab, family, biggest
        self.random = random.Random(seed)
        self.ports = ports
        self.expected = {}
        self.flows = []
        self.open = []
        self.children = []
        self.folder = None

    # --- chance ---

    def size(self):
        return self.random.randint(1, self.biggest)

    def bytes(self, size=None):
        return bytes(self.random.choices(b'abcdefghijklmnopqrstuvwxyz \n', k=size or self.size()))

    def nap(self, least=0.01, most=0.08):
        time.sleep(self.random.uniform(least, most))

    def idle(self):
        """Longer than a retransmission or a busy server would explain."""
        self.nap(1.25, 1.9)

    # --- connections ---

    def flow(self, client='a', server='b', like=None, client_like=None):
        """A connection to be; `like`: to the same server, `client_like`: from the same client's port."""
        nets = {'a': self.lab.a, 'b': self.lab.b}
        if client == server:
            address = self.lab.loop[self.family]
            here = there = address
        else:
            here, there = nets[client].addresses[self.family], nets[server].addresses[self.family]
        sport = like.server_end[1] if like else self.ports.pop()
        cport = client_like.client_end[1] if client_like else self.ports.pop()
        flow = Flow(self.family, nets[client], nets[server], (here, cport), (there, sport))
        self.flows.append(flow)
        return flow

    def ghost(self, like=None):
        """A connection whose client is at an address where nobody answers."""
        flow = self.flow(like=like)
        flow.client_end = (self.lab.ghosts[self.family], flow.client_end[1])
        return flow

    def expect(self, flow, sender, role, least=1, most=1, flags=None):
        """
        The next resets that `sender` sends on that connection are of this role, until `most` came, or one with other
        flags ('R', 'R.').
        """
        self.expected.setdefault(flow.tuple_from(sender), []).append(Expected(role, sender, least, most, flags))

    def keep(self, sock):
        sock.settimeout(WAIT)
        self.open.append(sock)
        return sock

    def listen(self, flow, backlog=16):
        sock = self.keep(flow.server.socket(self.family))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(flow.server_end)
        sock.listen(backlog)
        return sock

    def client(self, flow):
        """A socket bound to the client's port."""
        sock = self.keep(flow.client.socket(self.family))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(flow.client_end)
        return sock

    def dial(self, flow):
        sock = self.client(flow)
        sock.connect(flow.server_end)
        return sock

    def refused(self, flow):
        sock = self.client(flow)
        code = sock.connect_ex(flow.server_end)
        if code != errno.ECONNREFUSED:
            raise AssertionError(f'{self.name}: connect() gave {errno.errorcode.get(code, code)}, not ECONNREFUSED')

    def accept(self, listener):
        sock, _ = listener.accept()
        return self.keep(sock)

    def pair(self, flow, keep_listener=False):
        """(client, server) of an established connection; nobody listens any more unless told."""
        listener = self.listen(flow)
        client = self.dial(flow)
        server = self.accept(listener)
        if not keep_listener:
            listener.close()
        return client, server

    # --- what ends do ---

    def talk(self, one, other, size=None):
        """`one` says something and `other` reads all of it."""
        data = self.bytes(size)
        one.sendall(data)
        take(other, len(data))

    def chat(self, client, server):
        """Some requests and answers, everything read and acknowledged."""
        for _ in range(self.random.randint(1, 3)):
            self.talk(client, server)
            self.talk(server, client)
        settle(client)
        settle(server)

    def unread(self, sender, receiver):
        """Something lies unread in the receiver's socket."""
        sender.sendall(self.bytes())
        wait_for(lambda: pending(receiver) > 0, 'data to arrive')
        settle(sender)

    def finish(self, client, server):
        """A close in good order."""
        client.shutdown(socket.SHUT_WR)
        drain(server)
        server.close()
        drain(client)
        client.close()

    def spawn(self, net, *args, **options):
        child = net.spawn([*args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        self.children.append(child)
        return child

    def holder(self, net, *socks):
        """A process that holds these sockets, and nobody else does any more."""
        child = self.spawn(net, 'sleep', '60', pass_fds=[sock.fileno() for sock in socks])
        for sock in socks:
            sock.close()
        return child

    def home(self):
        """A folder for a program's files."""
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(dir='/tmp', prefix=f'rsct{os.getpid()}-')
        return self.folder.name

    def forge(self, net, flow, sender, **fields):
        """A raw segment from `net` under the sender's address."""
        source, target, _ = flow.ends(sender)
        raw.send(net, source, target, **fields)

    def rule(self, net, name, flow, there=True):
        """Puts the flow's server port into a set of the packet filter, or takes it out."""
        verb = 'add' if there else 'delete'
        net.nft(f'{verb} element inet lab {name} {{ {flow.server_end[1]} }}\n')

    def end(self):
        """Whatever is left goes away without a word on the wire."""
        for sock in self.open:
            vanish(sock)
        for child in self.children:
            child.kill()
            child.wait(5)
        if self.folder is not None:
            self.folder.cleanup()
