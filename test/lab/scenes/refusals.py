"""A SYN is answered by a reset: nobody listens, or a packet filter says so."""

from ends import dead
from scene import MANY, scenario


@scenario('closed-port')
def closed_port(s):
    flow = s.flow()
    s.expect(flow, 'server', 'refusal')
    s.refused(flow)


@scenario('closed-port-client')
def closed_port_of_a(s):
    """The same the other way: the capture is at the client."""
    flow = s.flow('b', 'a')
    s.expect(flow, 'server', 'refusal')
    s.refused(flow)


@scenario('closed-port-lo', device='lo')
def closed_port_lo(s):
    flow = s.flow('b', 'b')
    s.expect(flow, 'server', 'refusal')
    s.refused(flow)


@scenario('reject-syn')
def reject_syn(s):
    """The host's own packet filter; somebody listens behind it."""
    flow = s.flow()
    s.listen(flow)
    s.expect(flow, 'server', 'reject')
    s.rule(s.lab.b, 'refuse', flow)
    s.refused(flow)


@scenario('reject-syn-served')
def reject_syn_served(s):
    """The same at a port that was seen to answer a moment ago."""
    first = s.flow()
    listener = s.listen(first)
    client = s.dial(first)
    server = s.accept(listener)
    s.chat(client, server)
    s.finish(client, server)
    flow = s.flow(like=first)
    s.expect(flow, 'server', 'reject')
    s.rule(s.lab.b, 'refuse', flow)
    s.refused(flow)


@scenario('reject-syn-router')
def reject_syn_router(s):
    """A firewall on the way; its reset bears the server's address and comes from nearer."""
    flow = s.flow('b', 'a')
    s.listen(flow)
    s.expect(flow, 'server', 'reject')
    s.rule(s.lab.m, 'refuse', flow)
    s.refused(flow)


@scenario('reject-established')
def reject_established(s):
    """The server's host refuses what belongs to a connection; its socket lives on and speaks."""
    rejected(s, s.flow(), s.lab.b)


@scenario('reject-established-router')
def reject_established_router(s):
    """A firewall on the way does it; the client is at the capture, and the server hears nothing of it."""
    rejected(s, s.flow('b', 'a'), s.lab.m)


def rejected(s, flow, where):
    client, server = s.pair(flow)
    s.expect(flow, 'server', 'reject', most=MANY)
    s.expect(flow, 'client', 'answer', most=MANY)
    s.chat(client, server)
    s.nap()
    s.rule(where, 'refuse', flow)
    client.sendall(s.bytes())
    dead(client)
    s.nap(0.25, 0.35)
    server.sendall(s.bytes())
    s.nap(0.1, 0.2)


@scenario('reject-output', device='lo')
def reject_output(s):
    """This host's own filter refuses what goes out: the reset is on loopback, from the address that was dialled."""
    flow = s.flow('b', 'a')
    s.expect(flow, 'server', 'reject')
    s.rule(s.lab.b, 'refuse_out', flow)
    s.refused(flow)
