"""Resets by the thousand, and resets that answer what somebody else began."""

import random
import socket
import time

import raw
from story import story

PORT = 80
MANY, FEW = 1200, 400
# Kept for documentation (RFC 5737).
NETS = '198.51.100', '203.0.113'


class Forger:
    """Many segments by one socket."""

    def __init__(self, host):
        self.sock = host.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, source, target, **fields):
        self.sock.sendto(raw.packet(socket.AF_INET, source, target, **fields), (target[0], 0))


def sources(count):
    """In order, so that the packed capture is small."""
    return [(f'{NETS[i // 250 % 2]}.{1 + i % 250}', 1024 + i // 500) for i in range(count)]


def syn_flood(s, count, pause=0.02):
    """At a closed port; nobody is at those addresses."""
    s.m.nft(f'add rule inet lab forward ip daddr {{ {NETS[0]}.0/24, {NETS[1]}.0/24 }} drop\n')
    forger = Forger(s.a)
    for i, one in enumerate(sources(count)):
        forger.send(one, (s.b_ip, PORT), seq=1_000_000, flags=raw.SYN, window=512)
        if i % 20 == 19:
            time.sleep(pause)


@story('flood', packed=True)
def flood(s):
    syn_flood(s, MANY)


@story('flood-not', packed=True)
def flood_not(s):
    syn_flood(s, FEW)


@story('flood-not-slow', packed=True)
def flood_not_slow(s):
    """As many in 20 s, never a thousand in ten."""
    syn_flood(s, MANY, 0.34)


@story('flood-not-one', 'a', packed=True)
def flood_not_one(s):
    """As many and as fast of one client, which knocks without waiting."""
    for i in range(MANY):
        with s.a.socket(s.family) as sock:
            sock.bind((s.a_ip, 20_000 + i))
            sock.connect_ex((s.b_ip, 7211))


@story('flood-syn-reset', packed=True)
def flood_syn_reset(s):
    """At an open port, from addresses of one host, whose kernel knows of no such SYN: SYN, SYN-ACK, RST."""
    s.listen(s.to(PORT), backlog=256)
    any_address(s.a)
    for one in NETS:
        s.m.run('ip', 'route', 'add', f'{one}.0/24', 'via', s.a_ip)
    forger = Forger(s.a)
    for i, one in enumerate(sources(MANY)):
        forger.send(one, (s.b_ip, PORT), seq=1_000_000, flags=raw.SYN, window=512)
        if i % 20 == 19:
            time.sleep(0.02)
    time.sleep(0.3)


def any_address(host):
    """It takes all those addresses for its own."""
    for one in NETS:
        host.run('ip', 'route', 'add', 'local', f'{one}.0/24', 'dev', 'lo')


@story('backscatter', 'a')
def backscatter(s):
    """Somebody floods twelve servers under the address of a, which never asked for their SYN-ACKs."""
    any_address(s.b)
    for one in NETS:
        s.m.run('ip', 'route', 'add', f'{one}.0/24', 'via', s.b_ip)
    listener = s.keep(s.b.socket(s.family))
    listener.bind(('0.0.0.0', PORT))
    listener.listen(16)
    forger = Forger(s.m)
    dice = random.Random(3)
    for i in range(12):
        seq = dice.getrandbits(32)
        victim, server = (s.a_ip, dice.randint(1024, 65000)), (f'{NETS[0]}.{10 + i}', PORT)
        forger.send(victim, server, seq=seq, flags=raw.SYN, window=512)
        time.sleep(0.05)


@story('backscatter-not', 'a')
def backscatter_not(s):
    """The client of a did ask, and had gone when the SYN-ACKs came."""
    first = s.to(PORT)
    s.listen(first)
    s.rule(s.m, 'cut_synack', first)
    for _ in range(5):
        client = s.client(s.to(PORT))
        client.setblocking(False)
        client.connect_ex(first.server_end)
        time.sleep(0.05)
        client.close()
    s.rule(s.m, 'cut_synack', first, there=False)
    time.sleep(1.6)
