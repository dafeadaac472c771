"""
Resets that neither end sent. The router makes them: once as a balancer that lawfully ends both halves, and as somebody
who forges one end's reset while that end goes on. The capture is at b, so b is who gets them.
"""

import raw
from ends import dead, numbers
from scene import MANY, scenario


def talking(s):
    """(flow, side at a, its socket, the socket at b): either end may have dialled."""
    client_at = s.random.choice('ab')
    flow = s.flow(client_at, 'b' if client_at == 'a' else 'a')
    client, server = s.pair(flow)
    s.chat(client, server)
    return (flow, 'client', client, server) if client_at == 'a' else (flow, 'server', server, client)


def other(side):
    return 'server' if side == 'client' else 'client'


def balancer(s, flags):
    flow, side, far, near = talking(s)
    s.expect(flow, side, 'timeout', flags='R.' if flags & raw.ACK else 'R')
    s.idle()
    sent, received = numbers(far)
    # Its own way of writing IP headers, and one hop nearer.
    own = {'flags': flags, 'ttl': 254, 'df': False}
    ids = s.random.randint(1, 60000)
    s.forge(s.lab.m, flow, side, seq=sent, ack=received if flags & raw.ACK else 0, ip_id=ids, **own)
    s.forge(s.lab.m, flow, other(side), seq=received, ack=sent if flags & raw.ACK else 0, ip_id=ids + 1, **own)
    dead(far)
    dead(near)


@scenario('middlebox')
def middlebox(s):
    """A balancer's idle timeout: a bare reset to both ends, with exact numbers."""
    balancer(s, raw.RST)


@scenario('middlebox-ack')
def middlebox_ack(s):
    """The same from a device that sets ACK."""
    balancer(s, raw.RST | raw.ACK)


def forged(s, make):
    """`make` sends the forged resets; then the side they name goes on sending, and b's kernel answers that."""
    flow, side, far, near = talking(s)
    s.nap()
    sent, received = numbers(far)
    make(flow, side, sent, received)
    s.expect(flow, other(side), 'answer', most=MANY)
    dead(near)
    s.nap(0.03, 0.3)
    far.sendall(s.bytes())
    dead(far)


def far_ttl(s):
    """Not that of the real end, which arrives with 63."""
    return s.random.choice((s.random.randint(30, 58), s.random.randint(68, 120), s.random.randint(200, 250)))


@scenario('forged-bare')
def forged_bare(s):
    """A bare reset with the exact number, TTL and IP ID of somewhere else."""

    def make(flow, side, sent, _):
        s.expect(flow, side, 'forged', flags='R')
        own = {'ttl': far_ttl(s), 'ip_id': s.random.randint(1, 65535), 'df': False}
        s.forge(s.lab.m, flow, side, seq=sent, flags=raw.RST, **own)

    forged(s, make)


@scenario('forged-scapy')
def forged_scapy(s):
    """As scapy makes them: IP ID 1, no DF, window 8192, no timestamps."""

    def make(flow, side, sent, received):
        s.expect(flow, side, 'forged', flags='R.')
        flags = raw.RST | raw.ACK
        s.forge(s.lab.m, flow, side, seq=sent, ack=received, flags=flags, window=8192, ip_id=1, df=False)

    forged(s, make)


@scenario('forged-burst')
def forged_burst(s):
    """Three with rising numbers, in case data overtakes them, as national firewalls do (NDSS 2009)."""

    def make(flow, side, sent, received):
        s.expect(flow, side, 'forged', flags='R.')
        s.expect(flow, side, 'forged-next', least=2, most=2, flags='R.')
        ttl, ip_id = far_ttl(s), s.random.randint(1, 60000)
        flags = raw.RST | raw.ACK
        for i, ahead in enumerate((0, 1460, 4380)):
            own = {'ttl': ttl, 'ip_id': ip_id + i, 'df': False}
            s.forge(s.lab.m, flow, side, seq=sent + ahead, ack=received, flags=flags, **own)

    forged(s, make)
