"""What tcpdump recorded: starting it, the views that the guides' filters give of it, and reading its files."""

import signal
import socket
import struct
import subprocess
import time

RESETS = 'tcp[tcpflags] & (tcp-rst) == (tcp-rst) or (ip6[6] == 6 and ip6[53] & 4 != 0)'
CONTROL = 'tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0 or (ip6[6] == 6 and ip6[53] & 7 != 0)'
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
LETTERS = ((FIN, 'F'), (SYN, 'S'), (RST, 'R'), (PSH, 'P'), (URG, 'U'), (64, 'E'), (128, 'W'))


class Tcpdump:
    """All TCP of one device; it listens when this returns."""

    def __init__(self, net, device, file, snap=0):
        # It gives up root unless told to keep it, and then may not write everywhere.
        fixed = ['tcpdump', '-Z', 'root', '--immediate-mode', '-U', '-B', '32768', '-s', str(snap), '-nn']
        self.child = net.spawn([*fixed, '-i', device, '-w', file, 'tcp'], stderr=subprocess.PIPE, text=True)
        said = self.child.stderr.readline()
        while said != '' and 'listening on' not in said:
            said = self.child.stderr.readline()
        if said == '':
            raise RuntimeError('tcpdump does not listen')

    def counts(self):
        self.child.send_signal(signal.SIGUSR1)
        return self.child.stderr.readline()

    def stop(self):
        time.sleep(0.2)
        # The signal that ends it leaves unread what is in its ring; the other has it say how far it is.
        before, now = None, self.counts()
        while now != before:
            time.sleep(0.05)
            before, now = now, self.counts()
        self.child.send_signal(signal.SIGINT)
        said = self.child.stderr.read()
        self.child.wait(5)
        self.child.stderr.close()
        if '\n0 packets dropped by kernel' not in f'\n{said}':
            raise RuntimeError(f'the capture is not whole: {said.strip()}')


def view(source, target, expression):
    """What tcpdump with this filter would have recorded."""
    done = subprocess.run(
        ['tcpdump', '-Z', 'root', '-r', source, '-w', target, expression], capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f'tcpdump -r {source}: {done.stderr.strip()}')


def records(path):
    """(header of the file, [(seconds, bytes as in the file with the record's header, frame)])."""
    with open(path, 'rb') as file:
        data = file.read()
    magic, *_, link = struct.unpack_from('<IHHiIII', data)
    if magic != 0xA1B2C3D4 or link != 1:
        raise RuntimeError(f'{path}: not a little-endian Ethernet capture')
    found, at = [], 24
    while at < len(data):
        seconds, micros, length, _ = struct.unpack_from('<IIII', data, at)
        found.append((seconds + micros / 1e6, data[at : at + 16 + length], data[at + 16 : at + 16 + length]))
        at += 16 + length
    return data[:24], found


def segment(frame):
    """The TCP segment of an Ethernet frame, or None."""
    kind = struct.unpack_from('!H', frame, 12)[0]
    if kind == 0x0800 and frame[23] == 6:
        ip = 14
        source, target = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
        tcp = ip + (frame[14] & 15) * 4
        end = ip + struct.unpack_from('!H', frame, 16)[0]
    elif kind == 0x86DD and frame[20] == 6:
        source = socket.inet_ntop(socket.AF_INET6, frame[22:38])
        target = socket.inet_ntop(socket.AF_INET6, frame[38:54])
        tcp, end = 54, 54 + struct.unpack_from('!H', frame, 18)[0]
    else:
        return None
    sport, dport, seq, ack, offset, flags = struct.unpack_from('!HHIIBB', frame, tcp)
    return {
        'tuple': (source, sport, target, dport),
        'seq': seq,
        'ack': ack if flags & ACK else None,
        'flags': flags,
        'length': end - tcp - (offset >> 4) * 4,
    }


def letters(flags):
    """As tcpdump writes them."""
    return ''.join(letter for bit, letter in LETTERS if flags & bit) + ('.' if flags & ACK else '')
