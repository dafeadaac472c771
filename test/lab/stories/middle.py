"""Who stands between: packet filters, connection tracking, forgers. And connections of which one end knows no more."""

import socket
import time

import raw
from ends import dead, linger, numbers, settle, vanish
from scene import Flow
from story import TAG, story

PORT = 8080
QUICKACK = socket.TCP_QUICKACK
BACKLOG = 4
TIMER = 3


def tracking(s):
    """m forgets a connection that is idle for three seconds, and refuses what it does not know."""
    s.m.nft(f"""
table inet mid {{
  set exempt {{ type inet_service; }}
  chain forward {{
    type filter hook forward priority 10;
    tcp sport @exempt accept
    tcp dport @exempt accept
    ct state established,related accept
    tcp flags & (syn | ack | rst) == syn ct state new accept
    tcp flags & rst == 0 reject with tcp reset
  }}
}}
""")
    s.m.sysctl(netfilter__nf_conntrack_tcp_timeout_established=TIMER, netfilter__nf_conntrack_tcp_loose=0)


def idle(s, listener, flow):
    client = s.dial(flow)
    server = s.accept(listener)
    s.chat(client, server)
    return client, server


def idle_timer_story(s, waits):
    listener = s.listen(s.to(PORT))
    began = time.monotonic()
    pairs = [(wait, dies, *idle(s, listener, flow)) for wait, dies, flow in waits]
    for wait, dies, client, server in sorted(pairs, key=lambda one: one[0]):
        time.sleep(max(0, began + wait - time.monotonic()))
        client.sendall(s.bytes())
        if dies:
            dead(client)
            vanish(server)
        else:
            settle(client)
            s.finish(client, server)


@story('idle-timer', 'a')
def idle_timer(s):
    """Four that were idle for longer than the timer die when they speak, three that were not live on."""
    tracking(s)
    waits = [(1.2, False), (1.9, False), (2.5, False), (3.5, True), (3.9, True), (4.4, True), (5.1, True)]
    idle_timer_story(s, [(wait, dies, s.to(PORT)) for wait, dies in waits])


@story('idle-timer-not', 'a')
def idle_timer_not(s):
    """The same, and one that the filter lets pass is idle longest of all and lives on."""
    tracking(s)
    last = s.to(PORT)
    s.m.nft(f'add element inet mid exempt {{ {last.client_end[1]} }}\n')
    waits = [(1.2, False), (1.9, False), (3.5, True), (3.9, True), (4.4, True)]
    idle_timer_story(s, [*((wait, dies, s.to(PORT)) for wait, dies in waits), (5, False, last)])


@story('listen-queue-full')
def listen_queue_full(s):
    """As queue-full of the lab: tcp_abort_on_overflow is 1."""
    queue_full(s)
    time.sleep(0.2)


@story('listen-queue-full-not')
def listen_queue_full_not(s):
    """The same with tcp_abort_on_overflow at 0: no reset, SYN-ACKs come again."""
    s.b.sysctl(ipv4__tcp_abort_on_overflow=0)
    queue_full(s)
    # The reset of another kind, so that there is one.
    s.refused(s.to(7211))
    time.sleep(1.3)


def queue_full(s):
    first = s.to(PORT)
    s.listen(first, BACKLOG)
    for _ in range(BACKLOG):
        s.dial(s.to(PORT))
    slow = [s.client(s.to(PORT)) for _ in range(BACKLOG)]
    for sock in slow:
        sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 0)
        sock.connect(first.server_end)
    for sock in slow:
        sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)


def rejecting(s, host, client_ip):
    """Served, refused by a filter where the client has that address, served."""
    listener = s.listen(s.to(PORT))
    hook = 'forward' if host is s.m else 'input'
    host.nft(f'insert rule inet lab {hook} ip saddr {client_ip} tcp dport {PORT} reject with tcp reset\n')
    for _ in range(3):
        s.visit(listener, s.to(PORT))
        s.refused(s.to(PORT, client_ip=client_ip))
        time.sleep(0.2)
    s.visit(listener, s.to(PORT))


@story('firewall-rejecting', 'a')
def firewall_rejecting(s):
    """A router that refuses one of two clients: its resets are one hop nearer than the server."""
    (other,) = s.addresses(s.a, 1, 11, 1)
    rejecting(s, s.m, other)


@story('firewall-rejecting-host', live=True)
def firewall_rejecting_host(s):
    """The server's own filter does it: the kernel's TCP sent none of those resets, and somebody listens there."""
    (other,) = s.addresses(s.a, 1, 11, 1)
    rejecting(s, s.b, other)


@story('firewall-rejecting-not', live=True)
def firewall_rejecting_not(s):
    """A closed port beside one that is served."""
    listener = s.listen(s.to(PORT))
    for _ in range(3):
        s.visit(listener, s.to(PORT))
        s.refused(s.to(PORT + 1))
        time.sleep(0.2)


VIP = f'10.{TAG}.9.1'


def translated(s):
    """m sends what is for VIP:443 to b:8443."""
    s.m.nft(f"""
table ip nat {{
  chain in {{
    type nat hook prerouting priority -100;
    ip daddr {VIP} tcp dport 443 dnat to {s.b_ip}:8443
  }}
}}
""")
    s.m.sysctl(netfilter__nf_conntrack_tcp_be_liberal=0)


def bypass(s, port=lambda flow: flow.client_end[1], off=0):
    """
    A segment of b that is out of the window passes m untranslated; the kernel of a knows of no connection with b and
    resets it, with the number that its connection with the VIP uses.
    """
    listener = s.listen(s.to(8443))
    flow = s.to(443, server_ip=VIP)
    client = s.dial(flow)
    server = s.accept(listener)
    s.chat(client, server)
    sent, received = numbers(server)
    inner = Flow(s.family, s.a, s.b, (s.a_ip, port(flow)), s.to(8443).server_end)
    own = {'flags': raw.ACK | raw.PSH, 'window': 500, 'payload': b'late'}
    s.forge(s.b, inner, 'server', seq=sent + 400_000_000, ack=received + off, **own)
    time.sleep(0.2)
    return client, server


@story('nat-bypass', 'a')
def nat_bypass(s):
    """That reset meets the server's socket, for its number is exact: the connection is dead for no fault of its own."""
    translated(s)
    client, server = bypass(s)
    dead(server)
    client.sendall(b'hello?')
    dead(client)


@story('nat-bypass-not', 'a')
def nat_bypass_not(s):
    """The same segment to a port of a that has no connection with the VIP."""
    translated(s)
    client, server = bypass(s, lambda flow: flow.client_end[1] + 100)
    s.talk(client, server)
    s.finish(client, server)


@story('nat-bypass-not-number', 'a')
def nat_bypass_not_number(s):
    """The right port, but a number that has nothing to do with that connection, which lives on."""
    translated(s)
    client, server = bypass(s, off=700_000_000)
    s.talk(client, server)
    s.finish(client, server)


def forged(s, **fields):
    """A reset in the client's name comes from m; the client goes on and is answered."""
    listener = s.listen(s.to(PORT))
    client = s.dial(s.to(PORT))
    server = s.accept(listener)
    s.chat(client, server)
    s.nap()
    sent, _ = numbers(client)
    flow = Flow(s.family, s.a, s.b, client.getsockname(), client.getpeername())
    s.forge(s.m, flow, 'client', seq=sent, **fields)
    dead(server)
    return client


@story('injection')
def injection(s):
    """Scapy's form and IP ID, and the client goes on."""
    client = forged(s, flags=raw.RST, window=8192, ip_id=1, df=False, ttl=128)
    time.sleep(0.1)
    client.sendall(s.bytes())
    dead(client)


@story('injection-not')
def injection_not(s):
    """A TTL of somewhere else, and nothing against the connection's will: one sign."""
    client = forged(s, flags=raw.RST, ttl=120)
    vanish(client)
    time.sleep(0.1)


@story('injection-not-form')
def injection_not_form(s):
    """A reset as the client's kernel would have made it, and the client goes on: one sign."""
    client = forged(s, flags=raw.RST, ttl=63)
    time.sleep(0.1)
    client.sendall(s.bytes())
    dead(client)


@story('stuck-flow')
def stuck_flow(s):
    """
    The server's host knows nothing of a connection any more, and its resets do not reach the client, which sends the
    same again and again. Two others of that port end properly.
    """
    quick = {'ipv4__tcp_rto_min_us': 20_000, 'ipv4__tcp_rto_max_ms': 1000}
    s.a.sysctl(**quick)
    listener = s.listen(s.to(PORT))
    flow = s.to(PORT)
    client, server = idle(s, listener, flow)
    for _ in range(2):
        s.visit(listener, s.to(PORT))
    vanish(server)
    s.m.nft(f'insert rule inet lab forward tcp sport {PORT} tcp flags & rst == rst drop\n')
    time.sleep(1.2)
    client.sendall(s.bytes())
    time.sleep(8)
    vanish(client)


@story('stuck-flow-not-half')
def stuck_flow_not_half(s):
    """The same, while the server aborts twenty others at that endpoint: it is not what most of its resets are of."""
    stuck_flow(s)
    s.m.nft('flush chain inet lab forward\n')
    listener = s.open[0]
    for _ in range(20):
        _, server = idle(s, listener, s.to(PORT))
        linger(server)


@story('stuck-flow-not')
def stuck_flow_not(s):
    """Ten connections of which the server's host knows no more, each told once."""
    listener = s.listen(s.to(PORT))
    pairs = [idle(s, listener, s.to(PORT)) for _ in range(10)]
    for _, server in pairs:
        vanish(server)
    time.sleep(1.2)
    for client, _ in pairs:
        client.sendall(s.bytes())
        dead(client)
        time.sleep(0.05)
