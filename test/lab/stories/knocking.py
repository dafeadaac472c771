"""Clients at doors that are closed: the same door again and again, and many doors."""

import socket
import time

from ends import info, linger, wait_for
from story import TAG, story

DEAD = 7211


@story('knocking-client', 'a')
def knocking_client(s):
    """Six refusals, one every half second."""
    s.refused_every([s.to(DEAD) for _ in range(6)], 0.5)


@story('knocking-client-not', 'a')
def knocking_client_not(s):
    """Three refusals."""
    s.refused_every([s.to(DEAD) for _ in range(3)], 0.5)


@story('knocking-client-not-one')
def knocking_client_not_one(s):
    """Four refusals of four clients."""
    clients = s.addresses(s.a, 1, 11, 4)
    s.refused_every([s.to(DEAD, client_ip=one) for one in clients], 0.5)


@story('knocking-client-slowing', 'a')
def knocking_client_slowing(s):
    """One that waits longer each time: no steady interval."""
    for wait in 0.2, 0.4, 0.8, 1.6, 0:
        s.refused(s.to(DEAD))
        time.sleep(wait)


@story('knocking-client-six', 'a')
def knocking_client_six(s):
    """The same over IPv6."""
    s.family = socket.AF_INET6
    ends = s.a.addresses[s.family], s.b.addresses[s.family]
    s.refused_every([s.to(DEAD, *ends) for _ in range(5)], 0.5)


def nmap(s, *args):
    s.a.run('nmap', '-n', '-Pn', '-T4', '--max-retries', '1', *args)


def open_ports(s, *ports, ip=None):
    return [s.listen(s.to(port, server_ip=ip)) for port in ports]


@story('scan')
def scan(s):
    """nmap -sS: 22 ports, two of which are open."""
    open_ports(s, 22, 443)
    nmap(s, '-sS', '-p', '20-25,79-83,110,111,135,139,143,389,443,445,993,995,3306', s.b_ip)


@story('scan-connect')
def scan_connect(s):
    """nmap -sT."""
    open_ports(s, 22, 443)
    nmap(s, '-sT', '-p', '20-25,79-83,110,111,135,139,143,389,443,445,993,995,3306', s.b_ip)


@story('scan-ack')
def scan_ack(s):
    """nmap -sA: what no filter keeps away is answered by a reset, from open ports too."""
    open_ports(s, 22, 443)
    nmap(s, '-sA', '-p', '20-25,79-83,110,111,135,139,143,389,443,445,993,995,3306', s.b_ip)


@story('scan-hosts')
def scan_hosts(s):
    """nmap -sS: one port of 30 addresses, two of which are open."""
    hosts = s.addresses(s.b, 2, 101, 30)
    for one in hosts[4], hosts[20]:
        open_ports(s, 22, ip=one)
    nmap(s, '-sS', '-p', '22', f'10.{TAG}.2.101-130')


@story('scan-not')
def scan_not(s):
    """A monitor's TCP check of 30 endpoints, all open: SYN, SYN-ACK, ACK, RST."""
    listeners = open_ports(s, *range(8001, 8031))
    for port, listener in zip(range(8001, 8031), listeners):
        linger(s.dial(s.to(port)))
        s.accept(listener)
        time.sleep(0.02)


@story('scan-not-few')
def scan_not_few(s):
    """nmap -sS of 14 closed ports: one too few."""
    nmap(s, '-sS', '-p', '7001-7014', s.b_ip)


@story('scan-not-ports')
def scan_not_ports(s):
    """Refused at ten ports."""
    for port in range(9001, 9011):
        s.refused(s.to(port))
        time.sleep(0.02)


@story('health-check')
def health_check(s):
    """Five checks, one every half second, that send nothing."""
    checks(s, b'', quick=True)


@story('health-check-half')
def health_check_half(s):
    """As HAProxy does it: the reset stands for the third segment."""
    checks(s, b'', quick=False)


@story('health-check-not')
def health_check_not(s):
    """The same with a request in each."""
    checks(s, b'PING\r\n', quick=True)


@story('health-check-not-fast')
def health_check_not_fast(s):
    """Thirty a second are no checks."""
    checks(s, b'', quick=True, count=40, pause=0.03)


def checks(s, request, quick, count=5, pause=0.5):
    listener = s.listen(s.to(5432), backlog=64)
    for _ in range(count):
        client = s.client(s.to(5432))
        # Without it a client delays the third segment.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, int(quick))
        client.connect((s.b_ip, 5432))
        if request:
            server = s.accept(listener)
            client.sendall(request)
            wait_for(lambda: info(client)[1] == 0, 'acknowledgements')
            server.recv(100)
        linger(client)
        time.sleep(pause)
