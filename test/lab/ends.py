"""What one end of a connection does, and what its kernel says of it."""

import ctypes
import fcntl
import signal
import socket
import struct
import time

WAIT = 10
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
REPAIR_OFF_WITHOUT_PROBE = -1
RECEIVE_QUEUE, SEND_QUEUE = 1, 2
FIONREAD = 0x541B
UNACKED_AT, TCP_INFO_SIZE = 24, 104
CLOSED = 7
LINGER_0 = struct.pack('ii', 1, 0)


def take(sock, size):
    while size > 0:
        data = sock.recv(size)
        if data == b'':
            raise AssertionError('the connection ended early')
        size -= len(data)


def drain(sock):
    while sock.recv(65536) != b'':
        pass


def dead(sock):
    """Waits until the socket has been reset (or timed out)."""
    wait_for(lambda: info(sock)[0] == CLOSED, 'the socket to be reset')


def linger(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    sock.close()


def vanish(sock):
    """Closes a socket so that its peer hears nothing, as when its host loses power."""
    if sock.fileno() == -1:
        return
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError:
        pass  # A listener, or closed already: nothing is sent for either.
    sock.close()


def numbers(sock):
    """(next sequence number to send, next to receive) of an established connection."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    found = []
    for queue in SEND_QUEUE, RECEIVE_QUEUE:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        found.append(sock.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) & 0xFFFFFFFF)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_WITHOUT_PROBE)
    return tuple(found)


def info(sock):
    """(state, unacknowledged segments) by TCP_INFO."""
    data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
    return data[0], struct.unpack_from('I', data, UNACKED_AT)[0]


def settle(sock):
    """Waits until everything sent is acknowledged."""
    wait_for(lambda: info(sock)[1] == 0, 'acknowledgements')


def pending(sock):
    """Bytes that lie unread."""
    data = fcntl.ioctl(sock.fileno(), FIONREAD, b'\0' * 4)
    return struct.unpack('i', data)[0]


def wait_for(done, what, seconds=WAIT):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f'waited {seconds} s for {what}')
        time.sleep(0.005)


def disconnect(sock):
    """connect(AF_UNSPEC), which Python's own connect cannot say."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(sock.fileno(), struct.pack('H14x', socket.AF_UNSPEC), 16) != 0:
        raise OSError(ctypes.get_errno(), 'connect(AF_UNSPEC)')


def kill(child):
    child.send_signal(signal.SIGKILL)
    child.wait(5)
