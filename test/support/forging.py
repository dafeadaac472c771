"""
A connection's three parties, one a run: a server, a client that speaks by a script, and a device between both that
forges resets. What the client says first is a word that says what shall happen:

  ECHO   the server answers, the client closes: no reset
  SABRT  the server aborts (SO_LINGER 0): its reset goes the whole way
  CABRT  the client aborts
  FRGC   the device resets the client in the server's name; FRGS the server in the client's; FRGB both

The device sends below the IP layer, as no rule of its own host's would let it, and prints what it forged, a JSON line
each: the end that it was sent to and the numbers in it.
"""

import json
import select
import socket
import struct
import sys
import time

RST, ACK = 4, 16
LINGER = struct.pack('ii', 1, 0)


def serve(*ports):
    listeners = []
    for port in ports:
        listener = socket.create_server(('::', int(port)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
        listeners.append(listener)
    print('ready', flush=True)
    open_ones = {}
    while True:
        for one in select.select([*listeners, *open_ones], [], [])[0]:
            if one in listeners:
                open_ones[one.accept()[0]] = True
                continue
            try:
                word = one.recv(100)
                if word.startswith(b'SABRT'):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
                    word = b''
                elif word:
                    # After the device, which is at it.
                    time.sleep(0.03 if word.startswith(b'FRG') else 0)
                    one.send(word)
            except OSError:
                word = b''
            if not word:
                del open_ones[one]
                one.close()


def talk(address, port, *words):
    for word in words:
        sock = socket.create_connection((address, int(port)), timeout=3)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.send(word.encode())
            if word == 'CABRT':
                sock.recv(100)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            elif word.startswith('FRG'):
                sock.settimeout(0.15)
                sock.recv(100)
                sock.settimeout(0.05)
                sock.send(b'more')
                sock.recv(100)
            else:
                sock.settimeout(0.15)
                while sock.recv(100) and word != 'ECHO':
                    pass
        except OSError:
            pass
        sock.close()
        time.sleep(0.005)


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def forge(client_device, server_device):
    """Listens on both devices, since a NAT may stand between them; each end is reset by what is seen on its side."""
    sides = {}
    for device, end in ((client_device, 'client'), (server_device, 'server')):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((device, 0))
        sides[sock] = end
    print('ready', flush=True)
    while True:
        for sock in select.select(list(sides), [], [])[0]:
            frame = sock.recv(65536)
            segment = segment_of(frame)
            if segment is None:
                continue
            kind, ip, there, tcp, payload = segment
            word = payload[:4]
            end = sides[sock]
            wanted = {b'FRGC': ('client',), b'FRGS': ('server',), b'FRGB': ('client', 'server')}.get(word, ())
            # The answer bears the same word: only what the client says counts, and that goes to a service.
            _, service = struct.unpack('!HH', tcp[:4])
            if end not in wanted or service > 9999:
                continue
            source, target = struct.unpack('!HH', tcp[:4])
            seq, ack = struct.unpack('!II', tcp[4:12])
            behind = (seq + len(payload)) % 2**32
            if end == 'client':
                macs, ends = frame[6:12] + frame[:6], (there, ip)
                ports, numbers, flags = (target, source), (ack, behind), RST | ACK
            else:
                macs, ends = frame[:12], (ip, there)
                ports, numbers, flags = (source, target), (behind, 0), RST
            sock.send(macs + kind + packet(ends, ports, numbers, flags))
            print(json.dumps({'to': end, 'seq': numbers[0], 'ack': numbers[1] or None}), flush=True)


def segment_of(frame):
    kind = frame[12:14]
    if kind == b'\x08\x00' and frame[23] == 6:
        head = (frame[14] & 15) * 4
        total = struct.unpack('!H', frame[16:18])[0]
        ip, there, tcp = frame[26:30], frame[30:34], frame[14 + head:14 + total]
    elif kind == b'\x86\xdd' and frame[20] == 6:
        length = struct.unpack('!H', frame[18:20])[0]
        ip, there, tcp = frame[22:38], frame[38:54], frame[54:54 + length]
    else:
        return None
    return kind, ip, there, tcp, tcp[(tcp[12] >> 4) * 4:]


def packet(ends, ports, numbers, flags):
    tcp = struct.pack('!HHIIBBHHH', *ports, *numbers, 5 << 4, flags, 512 if flags & ACK else 0, 0, 0)
    here, there = ends
    if len(here) == 4:
        pseudo = here + there + struct.pack('!BBH', 0, 6, len(tcp))
        head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(tcp), 4711, 0, 61, 6, 0) + here + there
        head = head[:10] + struct.pack('!H', checksum(head)) + head[12:]
    else:
        pseudo = here + there + struct.pack('!IBBBB', len(tcp), 0, 0, 0, 6)
        head = struct.pack('!IHBB', 6 << 28, len(tcp), 6, 61) + here + there
    return head + tcp[:16] + struct.pack('!H', checksum(pseudo + tcp)) + tcp[18:]


if __name__ == '__main__':
    globals()[sys.argv[1]](*sys.argv[2:])
