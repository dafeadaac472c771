"""Real servers with private configurations: nginx and Redis refusing, aborting, timing out, being killed."""

import os
import signal
import socket
import time

from ends import dead, drain, info, kill, take, wait_for
from scene import MANY, scenario

TCP_QUICKACK = 12
CLOSE_WAIT = 8
LISTEN = '0A'

NGINX = """
daemon off;
master_process off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {options}
  server {{
    listen {end};
    location / {{ return 200 "hello\\n"; }}
    location /drop {{ return 444; }}
  }}
}}
"""


def end_text(end):
    return f'[{end[0]}]:{end[1]}' if ':' in end[0] else f'{end[0]}:{end[1]}'


def listening(child, port):
    """Waits until the program listens, without knocking."""

    def there():
        if child.poll() is not None:
            raise AssertionError(f'{child.args[0]} ended with {child.returncode}')
        for table in 'tcp', 'tcp6':
            with open(f'/proc/{child.pid}/net/{table}', encoding='ascii') as file:
                for line in file.read().split('\n')[1:]:
                    fields = line.split()
                    if fields and fields[3] == LISTEN and int(fields[1].split(':')[1], 16) == port:
                        return True
        return False

    wait_for(there, f'{child.args[0]} to listen')


def nginx(s, flow, options):
    folder = s.home()
    file = os.path.join(folder, 'nginx.conf')
    with open(file, 'w', encoding='ascii') as out:
        out.write(NGINX.format(folder=folder, end=end_text(flow.server_end), options=options))
    child = s.spawn(flow.server, 'nginx', '-e', f'{folder}/error.log', '-c', file)
    listening(child, flow.server_end[1])
    return child


def request(path, *lines):
    return '\r\n'.join((f'GET {path} HTTP/1.1', 'Host: lab', *lines, '', '')).encode()


@scenario('nginx-drop-body')
def nginx_drop_body(s):
    """`return 444` while most of the request's body lies unread."""
    flow = s.flow()
    nginx(s, flow, '')
    client = s.dial(flow)
    s.expect(flow, 'server', 'abort')
    s.nap()
    head = b'POST /drop HTTP/1.1\r\nHost: lab\r\nContent-Length: 9000\r\n\r\n'
    client.sendall(head + s.bytes(9000))
    dead(client)


@scenario('nginx-drop')
def nginx_drop(s):
    """`return 444` with reset_timedout_connection; then nginx is stopped, and the next client is refused."""
    flow = s.flow()
    child = nginx(s, flow, 'reset_timedout_connection on;')
    client = s.dial(flow)
    s.expect(flow, 'server', 'abort')
    s.nap()
    client.sendall(request('/drop'))
    dead(client)
    child.terminate()
    child.wait(5)
    after = s.flow(like=flow)
    s.expect(after, 'server', 'refusal')
    s.refused(after)


@scenario('nginx-timeout')
def nginx_timeout(s):
    """Half a request, and client_header_timeout with reset_timedout_connection."""
    flow = s.flow()
    nginx(s, flow, 'reset_timedout_connection on; client_header_timeout 1s;')
    client = s.dial(flow)
    s.expect(flow, 'server', 'abort')
    client.sendall(b'GET / HTTP/1.1\r\nHost: lab\r\n')
    dead(client)


@scenario('nginx-keepalive')
def nginx_keepalive(s):
    """The keep-alive race: nginx closes the idle connection, and a request meets its FIN."""
    flow = s.flow()
    nginx(s, flow, 'keepalive_timeout 1s;')
    client = s.dial(flow)
    s.expect(flow, 'server', 'late', most=MANY)
    client.sendall(request('/'))
    wait_for(lambda: info(client)[0] == CLOSE_WAIT, 'the FIN')
    client.sendall(request('/'))
    dead(client)


def redis(s, flow, *options):
    fixed = ['--port', str(flow.server_end[1]), '--bind', flow.server_end[0], '--dir', s.home(), '--save', '']
    child = s.spawn(flow.server, 'redis-server', *fixed, '--protected-mode', 'no', *options)
    listening(child, flow.server_end[1])
    return child


def ping(sock):
    sock.sendall(b'PING\r\n')
    take(sock, len(b'+PONG\r\n'))


@scenario('redis-client-kill')
def redis_client_kill(s):
    """An operator's CLIENT KILL is a FIN; the client's next command meets a reset."""
    flow = s.flow()
    redis(s, flow)
    client = s.dial(flow)
    ping(client)
    admin = s.dial(s.flow(like=flow))
    s.expect(flow, 'server', 'late', most=MANY)
    admin.sendall(f'CLIENT KILL ADDR {end_text(flow.client_end)}\r\n'.encode())
    wait_for(lambda: info(client)[0] == CLOSE_WAIT, 'the FIN')
    client.sendall(b'PING\r\n')
    dead(client)
    admin.shutdown(socket.SHUT_WR)
    drain(admin)


@scenario('redis-timeout')
def redis_timeout(s):
    """Redis closes an idle client; its next command meets a reset."""
    flow = s.flow()
    redis(s, flow, '--timeout', '1')
    client = s.dial(flow)
    ping(client)
    s.expect(flow, 'server', 'late', most=MANY)
    wait_for(lambda: info(client)[0] == CLOSE_WAIT, 'the FIN')
    client.sendall(b'PING\r\n')
    dead(client)


@scenario('redis-maxclients')
def redis_maxclients(s):
    """One client too many is told so and closed, its first command unread."""
    flow = s.flow()
    redis(s, flow, '--maxclients', '1')
    ping(s.dial(flow))
    more = s.flow(like=flow)
    s.expect(more, 'server', 'abort')
    client = s.client(more)
    # So that the command comes with the third segment, before Redis can close.
    client.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 0)
    client.connect(more.server_end)
    client.sendall(b'PING\r\n')
    dead(client)


@scenario('redis-killed')
def redis_killed(s):
    """Stuck and then killed: a command unread, a client that waits to be accepted, and one that comes too late."""
    flow = s.flow()
    child = redis(s, flow)
    client = s.dial(flow)
    ping(client)
    child.send_signal(signal.SIGSTOP)
    s.expect(flow, 'server', 'abort')
    client.sendall(b'PING\r\n')
    waiting = s.flow(like=flow)
    s.expect(waiting, 'server', 'waiting')
    second = s.dial(waiting)
    time.sleep(0.1)
    kill(child)
    dead(client)
    dead(second)
    after = s.flow(like=flow)
    s.expect(after, 'server', 'refusal')
    s.refused(after)
