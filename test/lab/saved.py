"""
pcapng as the stories keep it: made of tcpdump's files without a word of the machine, and what `rstscope live -w` saved
without the addresses that this machine has beyond the lab's.
"""

import gzip
import json
import struct

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
NAME, HARDWARE, SYSTEM = 2, 2, 3
MARK = b'rstscope host: '
LAB = '10.20.', '127.', 'fd00:14:', '::1'


def padded(data):
    return data + b'\0' * (-len(data) % 4)


def block(kind, body):
    size = 12 + len(body)
    return struct.pack('<II', kind, size) + body + struct.pack('<I', size)


def option(code, value):
    return struct.pack('<HH', code, len(value)) + padded(value)


def from_tcpdump(path, device):
    """The bytes of a pcapng of one interface, of a little-endian classic capture in microseconds."""
    with open(path, 'rb') as file:
        data = file.read()
    snap, link = struct.unpack_from('<II', data, 16)
    name = option(NAME, device.encode()) + option(0, b'')
    parts = [
        block(SECTION, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1)),
        block(INTERFACE, struct.pack('<HHI', link, 0, snap) + name),
    ]
    at = 24
    while at < len(data):
        seconds, micros, length, whole = struct.unpack_from('<IIII', data, at)
        stamp = seconds * 1_000_000 + micros
        head = struct.pack('<IIIII', 0, stamp >> 32, stamp & 0xFFFFFFFF, length, whole)
        parts.append(block(PACKET, head + padded(data[at + 16 : at + 16 + length])))
        at += 16 + length
    return b''.join(parts)


def blocks(data):
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from('<II', data, at)
        yield kind, data[at + 8 : at + size - 4]
        at += size


def options(data):
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from('<HH', data, at)
        if code == 0:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4


def of_the_lab(value):
    if not value.startswith(MARK):
        return value
    said = json.loads(value[len(MARK) :])
    local = [one for one in said['local'] if one.startswith(LAB)]
    return MARK + json.dumps({**said, 'local': local}, separators=(',', ':')).encode()


def from_live(path):
    """The bytes of what `live -w` saved, without this machine."""
    with open(path, 'rb') as file:
        data = file.read()
    parts = []
    for kind, body in blocks(data):
        if kind == SECTION:
            said = [(code, of_the_lab(v)) for code, v in options(body[16:]) if code not in (HARDWARE, SYSTEM)]
            body = body[:16] + b''.join(option(*one) for one in said) + option(0, b'')
        parts.append(block(kind, body))
    return b''.join(parts)


def write(path, data):
    if path.endswith('.gz'):
        data = gzip.compress(data, 9, mtime=0)
    with open(path, 'wb') as file:
        file.write(data)
