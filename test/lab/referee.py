"""
The kernel's own word: an instance of tracefs of this lab's own, mounted for a shell that keeps it, read as text. It
shares nothing with the program that is judged by it.
"""

import os
import re
import subprocess
import time

EVENTS = ('tcp/tcp_send_reset', 'tcp/tcp_receive_reset')
# For each CPU. The events are those of the whole machine.
BUFFER_KB = 32768
# Named as the program's own instances, by pid and start time: whoever sees it knows whether its maker still runs.
PREFIX = 'rstscope-'
KEEPER = f"""
mount -t tracefs tracefs /sys/kernel/tracing || exit 1
cd /sys/kernel/tracing/instances || exit 1
for old in {PREFIX}*; do
  [ -e "$old" ] || continue
  pid=${{old#{PREFIX}}}
  [ -e "/proc/${{pid%%-*}}" ] || rmdir "$old" 2>/dev/null
done
mkdir "$1" || exit 1
echo ready
read -r nothing
for round in 1 2 3 4 5 6 7 8 9 10; do
  rmdir "$1" 2>/dev/null && exit 0
  sleep 0.1
done
"""
HEAD = re.compile(r'^.{16,}?-\d+ +\[(\d+)\] .{5} +(\d+\.\d+): (\w+): (.*)$')
STACK = re.compile(r'^.{16,}?-\d+ +\[(\d+)\] .{5} +(\d+\.\d+): <stack trace>')
SEND = re.compile(r'skbaddr=(\S+) skaddr=(\S+) src=(\S+):(\d+) dest=(\S+):(\d+) state=(\w+) reason=(\w+)')
RECEIVE = re.compile(r'sport=(\d+) dport=(\d+) saddr=(\S+) daddr=(\S+) saddrv6=(\S+) daddrv6=(\S+)')
# What a stack means, the most telling first.
PATHS = (
    ('inet_csk_listen_stop', 'listener-closed'),
    ('tcp_diag_destroy', 'sock-destroy'),
    ('tcp_keepalive_timer', 'keepalive'),
    ('__inet_stream_connect', 'disconnect'),
    ('do_exit', 'killed'),
    ('tcp_disconnect', 'linger'),
    ('__tcp_close', 'close'),
)


class Lost(RuntimeError):
    """Events were overwritten by others before they were read: there is no truth of that repetition."""


class Referee:
    def __init__(self):
        with open('/proc/self/stat', encoding='utf8') as file:
            start = file.read().rsplit(')', 1)[1].split()[19]
        name = f'{PREFIX}{os.getpid()}-{start}'
        self.keeper = subprocess.Popen(
            ['unshare', '-m', 'sh', '-c', KEEPER, 'sh', name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        if self.keeper.stdout.readline() != b'ready\n':
            said = self.keeper.stderr.read().decode().strip()
            raise RuntimeError(f'tracefs cannot be used: {said}')
        self.at = f'/proc/{self.keeper.pid}/root/sys/kernel/tracing/instances/{name}'
        for event in EVENTS:
            fields = self.read(f'events/{event}/format')
            if event.endswith('send_reset') and 'reason' not in fields:
                self.close()
                raise RuntimeError('this kernel gives no reason with tcp_send_reset (6.10 and newer do)')
        self.write('trace_clock', 'mono')
        self.write('buffer_size_kb', str(BUFFER_KB))
        # A stack means something only where a socket resets by itself, and there may be a flood of other resets.
        self.write('events/tcp/tcp_send_reset/trigger', 'stacktrace if skbaddr == 0')

    def read(self, name):
        with open(f'{self.at}/{name}', encoding='utf8', errors='replace') as file:
            return file.read()

    def write(self, name, text):
        with open(f'{self.at}/{name}', 'w', encoding='ascii') as file:
            file.write(text)

    def start(self):
        self.write('trace', '')
        self.write('tracing_on', '1')
        for event in EVENTS:
            self.write(f'events/{event}/enable', '1')

    def stop(self):
        """All events since the start, in order of time. Losing one would make the truth untrue: that is an error."""
        for event in EVENTS:
            self.write(f'events/{event}/enable', '0')
        offset = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
        for cpu in os.listdir(f'{self.at}/per_cpu'):
            lost = re.search(r'^overrun: (\d+)', self.read(f'per_cpu/{cpu}/stats'), re.M)
            if lost is not None and lost[1] != '0':
                raise Lost(f'the kernel overwrote {lost[1]} events before they were read')
        return parse(self.read('trace'), offset)

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait(10)
        self.keeper.stdout.close()
        self.keeper.stderr.close()


def parse(text, offset):
    """`offset` takes the kernel's clock to that of captures."""
    events, open_by_cpu, stack = [], {}, None
    for line in text.split('\n'):
        if line.startswith(' => '):
            if stack is not None:
                stack.append(line[4:].split('+')[0].strip())
            continue
        found = STACK.match(line)
        if found is not None:
            stack = open_by_cpu.get(found[1], {'stack': []})['stack']
            continue
        stack = None
        found = HEAD.match(line)
        if found is None:
            continue
        event = what(found[3], found[4])
        if event is None:
            continue
        event['time'] = float(found[2]) + offset
        event['stack'] = []
        open_by_cpu[found[1]] = event
        events.append(event)
    for event in events:
        event['stack'] = [name for name in event['stack'] if not name.startswith('trace_event_raw')]
    return sorted(events, key=lambda event: event['time'])


def what(name, text):
    if name == 'tcp_send_reset':
        found = SEND.match(text)
        if found is None:
            return None
        tuple_ = (bare(found[3]), int(found[4]), bare(found[5]), int(found[6]))
        state = None if found[7] == 'UNKNOWN' else found[7]
        return {'sent': True, 'tuple': tuple_, 'state': state, 'reason': found[8], 'active': set(found[1]) == {'0'}}
    found = RECEIVE.search(text)
    if found is None:
        return None
    sport, dport, *ends = found.groups()
    here, there = (ends[0], ends[1]) if 'AF_INET ' in text else (ends[2], ends[3])
    # The tuple of the reset that it got: from the other end to this one.
    return {'sent': False, 'tuple': (bare(there), int(dport), bare(here), int(sport))}


def bare(address):
    address = address.strip('[]')
    return address[7:] if address.startswith('::ffff:') else address


def path(event):
    """What the stack of a reset says that a socket sent by itself; nothing of one that answers a segment."""
    if not event['active']:
        return None
    return next((word for function, word in PATHS if function in event['stack']), None)
