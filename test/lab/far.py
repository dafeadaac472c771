#!/usr/bin/env python3
"""
Makes of a router a long way: what it forwards passes through a tunnel device of this program, which gives it back
later, or twice. For kernels without netem.

    ip netns exec ROUTER python3 far.py --delay 50 DEVICE…      milliseconds each way; it says "ready"
"""

import argparse
import fcntl
import os
import select
import struct
import subprocess
import threading
import time

TUNSETIFF = 0x400454CA
TUN, NO_HEAD = 0x0001, 0x1000
TABLE = '77'
DEVICE = 'far0'
LARGEST = 65_536


class Far:
    """`delay` in seconds; `twice`: the address whose packets come twice, a moment apart."""

    def __init__(self, devices, delay=0, twice=None):
        self.delay, self.twice = delay, None if twice is None else bytes(int(one) for one in twice.split('.'))
        # Made in the namespace of the thread that opens it.
        self.file = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(self.file, TUNSETIFF, struct.pack('16sH', DEVICE.encode(), TUN | NO_HEAD))
        self.ip('link', 'set', DEVICE, 'up')
        self.ip('route', 'add', 'default', 'dev', DEVICE, 'table', TABLE)
        self.ip('rule', 'add', 'from', 'all', 'lookup', 'local', 'pref', '1')
        for device in devices:
            self.ip('rule', 'add', 'iif', device, 'lookup', TABLE, 'pref', '10')
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    @staticmethod
    def ip(*args):
        subprocess.run(['ip', *args], check=True)

    def carry(self):
        waiting = []
        while not self.over.is_set():
            rest = max(0, waiting[0][0] - time.monotonic()) if waiting else 0.1
            if select.select([self.file], [], [], min(rest, 0.1))[0]:
                packet = os.read(self.file, LARGEST)
                # What the kernel says on the device by itself (router solicitations) is no traffic.
                if packet[0] >> 4 == 4:
                    waiting.append((time.monotonic() + self.delay, packet))
                    if self.twice == packet[16:20]:
                        waiting.append(waiting[-1])
            while waiting and waiting[0][0] <= time.monotonic():
                os.write(self.file, waiting.pop(0)[1])

    def close(self):
        self.over.set()
        self.thread.join(2)
        os.close(self.file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--delay', type=float, default=50, metavar='MS')
    parser.add_argument('devices', nargs='+', metavar='DEVICE')
    args = parser.parse_args()
    far = Far(args.devices, args.delay / 1000)
    print('ready', flush=True)
    far.thread.join()


if __name__ == '__main__':
    main()
