"""
The network of the lab: namespaces a (a client's host), m (a router between) and b (a server's host), IPv4 and IPv6.
One process holds sockets in all of them: a thread steps into a namespace, and what it makes there stays there.

A shell keeps it all (KEEPER): it holds a pipe from this process and removes everything at its end, however that comes.
"""

import contextlib
import ctypes
import os
import re
import socket
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
NAMES = '/run/netns'
OURS = re.compile(r'^rsct(\d+)x')
ORPHANS = '/proc/sys/net/ipv4/tcp_max_orphans'
ORPHANS_LOCK = '/run/rsct-max-orphans.lock'

# Its arguments: the file that says which limit to restore, how the names of folders begin, and the namespaces.
KEEPER = f"""
read -r nothing
limit=$1; shift
if [ -s "$limit" ]; then cat "$limit" >{ORPHANS}; fi
rm -rf "$limit" "$1"*
shift
for name in "$@"; do
  for round in 1 2 3; do
    pids=$(ip netns pids "$name" 2>/dev/null) || break
    [ -n "$pids" ] || break
    kill -9 $pids 2>/dev/null
  done
  ip netns del "$name" 2>/dev/null
done
:
"""

# Nobody answers at the addresses of ghosts: what comes back to them ends at the router.
RULES_OF_ROUTER = """
table inet lab {
  set ghosts4 { type ipv4_addr; }
  set ghosts6 { type ipv6_addr; }
  set cut { type inet_service; }
  set cut_requests { type inet_service; }
  set cut_answers { type inet_service; }
  set cut_synack { type inet_service; }
  set refuse { type inet_service; }
  chain forward {
    type filter hook forward priority 0;
    ip daddr @ghosts4 drop
    ip6 daddr @ghosts6 drop
    tcp dport @cut drop
    tcp sport @cut drop
    tcp dport @cut_requests drop
    tcp sport @cut_answers drop
    tcp sport @cut_synack tcp flags & (syn | ack) == (syn | ack) drop
    tcp dport @refuse reject with tcp reset
  }
}
"""
RULES_OF_HOST = """
table inet lab {
  set refuse { type inet_service; }
  set refuse_out { type inet_service; }
  chain input {
    type filter hook input priority 0;
    tcp dport @refuse reject with tcp reset
  }
  chain output {
    type filter hook output priority 0;
    tcp dport @refuse_out reject with tcp reset
  }
}
"""
GHOSTS = {socket.AF_INET: 'ghosts4', socket.AF_INET6: 'ghosts6'}


def run(*args, stdin=None):
    done = subprocess.run(args, input=stdin, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(args)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def orphans_file(pid):
    return f'/run/rsct-max-orphans.{pid}'


class Net:
    """One network namespace. `addresses` has the address of eth0 by family."""

    def __init__(self, name, label):
        self.name, self.label = name, label
        self.home = os.open('/proc/self/ns/net', os.O_RDONLY)
        self.fd = os.open(f'{NAMES}/{name}', os.O_RDONLY)
        self.addresses = {}

    @contextlib.contextmanager
    def enter(self):
        """This thread is in the namespace."""
        setns(self.fd)
        try:
            yield
        finally:
            setns(self.home)

    def socket(self, family, kind=socket.SOCK_STREAM, protocol=0):
        with self.enter():
            return socket.socket(family, kind, protocol)

    def spawn(self, args, **options):
        with self.enter():
            return subprocess.Popen(args, stdin=subprocess.DEVNULL, **options)

    def run(self, *args, stdin=None):
        with self.enter():
            return run(*args, stdin=stdin)

    def nft(self, commands):
        self.run('nft', '-f', '-', stdin=commands)

    def sysctl(self, **settings):
        """`ipv4__tcp_timestamps=0`: the underscores that are doubled stand for a slash."""
        with self.enter():
            for name, value in settings.items():
                with open(f"/proc/sys/net/{name.replace('__', '/')}", 'w', encoding='ascii') as file:
                    file.write(str(value))

    def close(self):
        os.close(self.fd)
        os.close(self.home)


def setns(fd):
    if LIBC.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


class Lab:
    """Three namespaces joined: a - m - b. `tag` (1..250) makes the addresses of labs that run at once differ."""

    def __init__(self, count, tag, timestamps):
        sweep()
        pid = os.getpid()
        names = [f'rsct{pid}x{count}{label}' for label in 'abm']
        self.keeper = subprocess.Popen(
            ['sh', '-c', KEEPER, 'sh', orphans_file(pid), f'/tmp/rsct{pid}-', *names],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self.nets = []
        try:
            for name in names:
                run('ip', 'netns', 'add', name)
                self.nets.append(Net(name, name[-1]))
            self.a, self.b, self.m = self.nets
            self.join(tag, timestamps)
        except BaseException:
            self.close()
            raise

    def join(self, tag, timestamps):
        settings = {
            'ipv6__conf__all__disable_ipv6': 0,
            'ipv6__conf__default__disable_ipv6': 0,
            'ipv6__conf__all__accept_dad': 0,
            'ipv6__conf__default__accept_dad': 0,
            'ipv4__conf__all__rp_filter': 0,
            'ipv4__conf__default__rp_filter': 0,
        }
        for net in self.nets:
            net.sysctl(**settings)
        a, b, m = self.a, self.b, self.m
        a.sysctl(ipv4__tcp_timestamps=timestamps)
        b.sysctl(ipv4__tcp_timestamps=timestamps, ipv4__tcp_abort_on_overflow=1)
        m.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        for side, net, device in (1, a, 'eth0'), (2, b, 'eth1'):
            m.run('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', net.name)
            net.addresses = {socket.AF_INET: f'10.{tag}.{side}.2', socket.AF_INET6: f'fd00:{tag:x}:{side}::2'}
            router = f'10.{tag}.{side}.1', f'fd00:{tag:x}:{side}::1'
            routes = ''.join(f'route add default via {one}\n' for one in router)
            m.run('ip', '-batch', '-', stdin=up('lo') + address(*router, device))
            net.run('ip', '-batch', '-', stdin=up('lo') + address(*net.addresses.values(), 'eth0') + routes)
        self.ghosts = {socket.AF_INET: f'10.{tag}.1.99', socket.AF_INET6: f'fd00:{tag:x}:1::99'}
        self.loop = {socket.AF_INET: f'127.{tag}.0.1', socket.AF_INET6: f'fd00:{tag:x}:3::1'}
        b.run('ip', 'addr', 'add', f'{self.loop[socket.AF_INET6]}/128', 'dev', 'lo', 'nodad')
        m.nft(RULES_OF_ROUTER)
        for family, ghost in self.ghosts.items():
            m.nft(f'add element inet lab {GHOSTS[family]} {{ {ghost} }}\n')
        b.nft(RULES_OF_HOST)
        a.nft(RULES_OF_HOST)

    def close(self):
        """The keeper does it, as it would if this process were killed."""
        for net in self.nets:
            net.close()
        self.keeper.stdin.close()
        self.keeper.wait(20)


def up(device):
    return f'link set {device} up\n'


def address(four, six, device):
    return f'{up(device)}addr add {four}/24 dev {device}\naddr add {six}/64 dev {device} nodad\n'


def sweep():
    """Removes the namespaces of makers that are no more."""
    names = os.listdir(NAMES) if os.path.isdir(NAMES) else []
    for name in names:
        found = OURS.match(name)
        if found is None or os.path.exists(f'/proc/{found[1]}'):
            continue
        for pid in subprocess.run(['ip', 'netns', 'pids', name], capture_output=True, text=True).stdout.split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), 9)
        subprocess.run(['ip', 'netns', 'del', name], capture_output=True)
