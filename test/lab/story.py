"""
A story is what many resets have in common: each makes one or more captures, from which a finding must follow, or which
are so near to it that a careless rule would find it too. What each must lead to stands in findings.tsv.

    python3 test/lab/lab.py --findings test/pcaps [--only NAME,…]
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import capture
import net
import saved
import scene

STORIES = {}
REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(REPOSITORY, 'bin', 'rstscope.js')
# With all headers and options.
SNAP = 128
LISTENS = 20
PYTHON = '/usr/bin/python3'
TAG = 20
FIRST_PORT = 40_001


def story(name, at='b', *, live=False, snap=SNAP, packed=False, timestamps=1):
    """
    Makes the capture finding-NAME on eth0 of the host `at`; `at` may be {name: host} for several of one run. `live`:
    recorded by rstscope, with what the kernel says.
    """

    def register(function):
        places = at if isinstance(at, dict) else {name: at}
        STORIES[name] = {'tell': function, 'places': places, 'live': live, 'snap': snap, 'packed': packed,
                         'timestamps': timestamps}
        return function

    return register


class Story(scene.Scene):
    """A scene with ports as people know them, over IPv4."""

    def __init__(self, name, lab):
        super().__init__(name, lab, socket.AF_INET, [], seed=name, biggest=60)
        self.next_port = FIRST_PORT
        # What is to be closed at the end beside sockets and programs.
        self.ends = []
        self.a, self.b, self.m = lab.a, lab.b, lab.m
        self.a_ip, self.b_ip = (one.addresses[self.family] for one in (self.a, self.b))

    def to(self, port, client_ip=None, server_ip=None, client_port=None):
        """A connection of a, or of another of its addresses, to b."""
        if client_port is None:
            client_port = self.next_port
            self.next_port += 1
        ends = (client_ip or self.a_ip, client_port), (server_ip or self.b_ip, port)
        return scene.Flow(self.family, self.a, self.b, *ends)

    def addresses(self, host, subnet, first, count):
        """More addresses of a (subnet 1) or b (2)."""
        found = [f'10.{TAG}.{subnet}.{first + i}' for i in range(count)]
        lines = ''.join(f'addr add {one}/24 dev eth0\n' for one in found)
        host.run('ip', '-batch', '-', stdin=lines)
        return found

    def visit(self, listener, flow):
        """A connection in good order: a request, an answer, an end."""
        client = self.dial(flow)
        server = self.accept(listener)
        self.chat(client, server)
        self.finish(client, server)

    def refused_every(self, flows, seconds):
        """Knocks, from start to start, without drifting."""
        began = time.monotonic()
        for i, flow in enumerate(flows):
            time.sleep(max(0, began + i * seconds - time.monotonic()))
            self.refused(flow)

    def end(self):
        for one in self.ends:
            one.close()
        super().end()

    def program(self, host, name, code):
        """A Python program of that name, which says that it is ready."""
        file = os.path.join(self.home(), f'{name}.py')
        with open(file, 'w', encoding='ascii') as out:
            out.write(code)
        child = host.spawn([PYTHON, file], stdout=subprocess.PIPE)
        self.children.append(child)
        child.stdout.readline()
        return child


class LiveRecorder:
    """`rstscope live -w`; it listens when this returns."""

    def __init__(self, host, device, file):
        args = ['node', PROGRAM, 'live', '-i', device, '--context', 'full', '-d', '0', '-w', file, '--ndjson']
        # Its words are read from a file: a pipe that nobody reads would stop it.
        self.said = tempfile.TemporaryFile('w+')
        self.child = host.spawn(args, stdout=subprocess.DEVNULL, stderr=self.said)
        end = time.monotonic() + LISTENS
        while 'listening on' not in self.words():
            if self.child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f'rstscope does not listen: {self.words()}')
            time.sleep(0.05)
        time.sleep(0.7)

    def words(self):
        self.said.seek(0)
        return self.said.read()

    def stop(self):
        time.sleep(1)
        self.child.send_signal(signal.SIGINT)
        if self.child.wait(20) != 0:
            raise RuntimeError(f'rstscope ended with {self.child.returncode}: {self.words()}')


def play(name, target):
    """One story and its captures; gives back errors."""
    one = STORIES[name]
    lab = net.Lab(1, TAG, one['timestamps'])
    told = Story(name, lab)
    hosts = {'a': lab.a, 'b': lab.b, 'm': lab.m}
    try:
        with tempfile.TemporaryDirectory() as folder:
            running = {}
            for capture_name, host in one['places'].items():
                file = os.path.join(folder, f'{capture_name}.{"pcapng" if one["live"] else "pcap"}')
                device = 'eth0'
                if one['live']:
                    running[capture_name] = LiveRecorder(hosts[host], device, file), file
                else:
                    running[capture_name] = capture.Tcpdump(hosts[host], device, file, one['snap']), file
            one['tell'](told)
            for capture_name, (recorder, file) in running.items():
                recorder.stop()
                data = saved.from_live(file) if one['live'] else saved.from_tcpdump(file, 'eth0')
                ending = '.pcapng.gz' if one['packed'] else '.pcapng'
                saved.write(os.path.join(target, f'finding-{capture_name}{ending}'), data)
        return []
    except Exception:
        return [f'{name}: {traceback.format_exc()}']
    finally:
        told.end()
        lab.close()


def record(target, only):
    if os.path.realpath(sys.executable) != os.path.realpath(PYTHON):
        # What is saved names the program that ran: not one out of somebody's home.
        os.execv(PYTHON, [PYTHON, *sys.argv])
    names = list(STORIES) if only is None else [name for name in STORIES if name in only]
    failed = False
    for name in names:
        began = time.monotonic()
        errors = play(name, target)
        failed = failed or bool(errors)
        print(f'{name}: {time.monotonic() - began:.1f} s{"".join(chr(10) + e for e in errors)}', file=sys.stderr)
    return 1 if failed else 0
