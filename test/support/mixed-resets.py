"""
Resets of five mechanisms, made by real sockets, in equal numbers:

    mixed-resets.py serve HOST PORT         listens on PORT to PORT+3 until its standard input ends; says "ready"
    mixed-resets.py go HOST PORT TIMES      makes TIMES of each against it: a closed port, SO_LINGER 0 by the server, data
                                            unread by the server, SO_LINGER 0 by the client, data after the server's close
"""

import socket
import struct
import sys
import threading
import time

AT_ONCE = struct.pack('ii', 1, 0)
CLOSED = 9


def endpoint(host):
    return socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)


def aborts(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    connection.close()


def leaves_unread(connection):
    connection.recv(1, socket.MSG_PEEK)
    connection.close()


def reads_all(connection):
    while connection.recv(4096):
        pass
    connection.close()


def closes(connection):
    connection.close()


def serve(host, port):
    for offset, manner in enumerate((aborts, leaves_unread, reads_all, closes)):
        listener = endpoint(host)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port + offset))
        listener.listen(512)
        threading.Thread(target=accept_all, args=(listener, manner), daemon=True).start()
    print('ready', flush=True)
    sys.stdin.read()


def accept_all(listener, manner):
    while True:
        connection, _ = listener.accept()
        try:
            manner(connection)
        except OSError:
            connection.close()


def dial(host, port):
    connection = endpoint(host)
    connection.settimeout(5)
    connection.connect((host, port))
    return connection


def is_refused(host, port):
    dial(host, port + CLOSED).close()


def is_aborted(host, port):
    dial(host, port).recv(1)


def is_not_read(host, port):
    connection = dial(host, port + 1)
    connection.send(b'hello')
    connection.recv(1)


def hangs_up(host, port):
    aborts(dial(host, port + 2))


def writes_late(host, port):
    connection = dial(host, port + 3)
    connection.recv(1)
    connection.send(b'late')
    # The reset has come before this end closes.
    connection.recv(1)


def go(host, port, times):
    for _ in range(times):
        for way in (is_refused, is_aborted, is_not_read, hangs_up, writes_late):
            try:
                way(host, port)
            except OSError:
                pass


if sys.argv[1] == 'serve':
    serve(sys.argv[2], int(sys.argv[3]))
else:
    go(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
