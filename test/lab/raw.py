"""Segments made by hand: what only a forger, a middlebox or the past can send."""

import socket
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
IPV6_HDRINCL = 36


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(family, source, target, *, seq, ack=0, flags, payload=b'', window=0, ttl=64, ip_id=0, df=True, options=b''):
    """IP and TCP. An IP ID of 0 is one of the kernel's choice."""
    here, there = (socket.inet_pton(family, end[0]) for end in (source, target))
    options += b'\0' * (-len(options) % 4)
    offset = (20 + len(options)) // 4
    ports = source[1], target[1]
    modulus = 1 << 32
    tcp = struct.pack('!HHIIBBHHH', *ports, seq % modulus, ack % modulus, offset << 4, flags, window, 0, 0) + options
    tcp += payload
    if family == socket.AF_INET:
        pseudo = here + there + struct.pack('!BBH', 0, 6, len(tcp))
        head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(tcp), ip_id, 0x4000 if df else 0, ttl, 6, 0) + here + there
    else:
        pseudo = here + there + struct.pack('!IBBBB', len(tcp), 0, 0, 0, 6)
        head = struct.pack('!IHBB', 6 << 28, len(tcp), 6, ttl) + here + there
    return head + tcp[:16] + struct.pack('!H', checksum(pseudo + tcp)) + tcp[18:]


def send(net, source, target, **fields):
    """From the namespace `net`, under the address and port `source` (whoever's they are)."""
    family = socket.AF_INET6 if ':' in source[0] else socket.AF_INET
    with net.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        sock.sendto(packet(family, source, target, **fields), (target[0], 0))
