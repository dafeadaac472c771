#!/usr/bin/env python3
"""
Every mechanism of a TCP reset, made for real by a real kernel in network namespaces, with the kernel's word on each.

    python3 test/lab/lab.py --out DIR [--only a,b] [--rep N] [--seed S] [--family 4|6|both] [--timestamps 0|1|both]
    python3 test/lab/lab.py --goldens test/pcaps     small captures of each scenario, with their truths
    python3 test/lab/lab.py --findings test/pcaps    small captures that findings follow from, or must not (story.py)
    python3 test/lab/lab.py --check                  says why no lab can be made here, or nothing
    python3 test/lab/lab.py --list                   the scenarios

Each repetition N makes the folders DIR/N (all TCP at the server's eth0) and DIR/N-lo (its loopback), with all.pcap,
resets.pcap and control.pcap (what the guides' filters would have recorded), truth.json (one row for each reset of
all.pcap, in order) and run.json. Exit 1: something was not as truth.tsv has it; 2: no lab can be made.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True

import capture
import ends
import goldens
import net
import referee
import scene as scenes_of
import stories
import story
import truth
from scenes import load

LONGEST = 40
# Of a repetition, when somebody else's flood of resets overran the trace.
ATTEMPTS = 4
# For what runs beside, to begin.
READY = 20
# What a scenario may use.
PORTS = 24
DEVICES = {'eth0': '', 'lo': '-lo'}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', metavar='DIR')
    parser.add_argument('--goldens', metavar='DIR')
    parser.add_argument('--findings', metavar='DIR')
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--only', metavar='A,B', help='only these scenarios, or stories')
    parser.add_argument('--rep', type=int, default=1, metavar='N')
    parser.add_argument('--seed', type=int, default=None, metavar='S')
    parser.add_argument('--family', choices=('4', '6', 'both'), default='both')
    parser.add_argument('--timestamps', choices=('0', '1', 'both'), default='both')
    parser.add_argument('--beside', metavar='COMMAND', help='run this in the namespace of b while it all happens')
    return parser.parse_args()


def problem():
    """Why no lab can be made here, or None."""
    tools = ('ip', 'nft', 'tcpdump', 'unshare', 'ss', 'nmap', 'nginx', 'redis-server')
    absent = [tool for tool in tools if shutil.which(tool) is None]
    if absent:
        return f'needs {", ".join(absent)}'
    if os.geteuid() != 0:
        return 'needs root'
    try:
        referee.Referee().close()
    except (RuntimeError, OSError) as error:
        return str(error)
    return None


def play(one, function, start, failures):
    """One scenario, in a thread of its own. The delay keeps all from beginning at once."""
    try:
        time.sleep(start)
        function(one)
    except Exception:
        failures.append(f'{one.name}: {traceback.format_exc()}')


def repetition(number, chosen, args, judge):
    """Gives back errors."""
    seed = args.seed + number
    dice = random.Random(seed)
    timestamps = {'0': 0, '1': 1}.get(args.timestamps, dice.randint(0, 1))
    lab = net.Lab(number, dice.randint(1, 250), timestamps)
    stage, failures = [], []
    try:
        ports = dice.sample(range(10_000, 60_000), PORTS * len(chosen))
        for i, name in enumerate(chosen):
            version = dice.choice('46') if args.family == 'both' else args.family
            family = scenes_of.socket.AF_INET if version == '4' else scenes_of.socket.AF_INET6
            mine = ports[PORTS * i : PORTS * (i + 1)]
            one = scenes_of.Scene(name, lab, family, mine, dice.random(), args.biggest)
            stage.append((one, dice.uniform(0, 1)))
        folders = {device: os.path.join(args.out, f'{number}{ending}') for device, ending in DEVICES.items()}
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        watched = {d: capture.Tcpdump(lab.b, d, os.path.join(f, 'all.pcap')) for d, f in folders.items()}
        judge.start()
        with beside(lab, args, folders['eth0']):
            acts = []
            for one, start in stage:
                function, _ = scenes_of.SCENARIOS[one.name]
                acts.append(threading.Thread(target=play, args=(one, function, start, failures), daemon=True))
                acts[-1].start()
            end = time.monotonic() + LONGEST
            for act, (one, _) in zip(acts, stage):
                act.join(max(0, end - time.monotonic()))
                if act.is_alive():
                    failures.append(f'{one.name}: still not at its end after {LONGEST} s')
        for tcpdump in watched.values():
            tcpdump.stop()
        events = judge.stop()
        said = {'seed': seed, 'timestamps': timestamps}
        return failures + [e for d, f in folders.items() for e in write(f, d, stage, events, said)]
    finally:
        for one, _ in stage:
            one.end()
        lab.close()


@contextlib.contextmanager
def beside(lab, args, folder):
    """
    A program that is to be judged, running in b; what it says is kept beside the capture. It is ready when it says
    something on standard error.
    """
    if args.beside is None:
        yield
        return
    with open(os.path.join(folder, 'beside.out'), 'wb') as out, open(os.path.join(folder, 'beside.err'), 'wb') as err:
        child = lab.b.spawn(['sh', '-c', f'exec {args.beside}'], stdout=out, stderr=err)
        began = time.monotonic()
        # It says something when it listens, or it never does.
        while os.fstat(out.fileno()).st_size + os.fstat(err.fileno()).st_size == 0 and time.monotonic() < began + READY:
            time.sleep(0.05)
        time.sleep(1)
        yield
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        child.wait(15)


def write(folder, device, stage, events, said):
    """Everything of one capture; gives back errors."""
    mine = [one for one, _ in stage if scenes_of.SCENARIOS[one.name][1] == device]
    errors = []
    whole = os.path.join(folder, 'all.pcap')
    capture.view(whole, os.path.join(folder, 'resets.pcap'), capture.RESETS)
    capture.view(whole, os.path.join(folder, 'control.pcap'), capture.CONTROL)
    rows = truth.rows(whole, mine, events, errors)
    flows = {one.name: [[*flow.client_end, *flow.server_end] for flow in one.flows] for one in mine}
    truth.save(os.path.join(folder, 'truth.json'), rows)
    with open(os.path.join(folder, 'run.json'), 'w', encoding='utf8') as file:
        json.dump({**said, 'device': device, 'flows': flows}, file, indent=1)
        file.write('\n')
    return errors


def main():
    args = options()
    load()
    if args.list:
        print('\n'.join(scenes_of.SCENARIOS))
        return 0
    why = problem()
    if args.check:
        print(why or '', end='\n' if why else '')
        return 0
    if why is not None:
        print(f'no lab can be made: {why}', file=sys.stderr)
        return 2
    if args.findings is not None:
        stories.load()
        return story.record(args.findings, args.only and args.only.split(','))
    chosen = list(scenes_of.SCENARIOS) if args.only is None else args.only.split(',')
    unknown = [name for name in chosen if name not in scenes_of.SCENARIOS]
    if unknown or (args.out is None) == (args.goldens is None):
        print(f'unknown: {", ".join(unknown)}' if unknown else 'either --out or --goldens', file=sys.stderr)
        return 2
    args.seed = random.randrange(1_000_000) if args.seed is None else args.seed
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda *_: sys.exit(130))
    args.biggest = scenes_of.BIGGEST if args.goldens is None else goldens.BIGGEST
    if args.goldens is not None:
        return goldens.record(args, chosen, perform)
    return perform(args, chosen)


def whole_repetition(number, chosen, args, judge):
    for _ in range(ATTEMPTS - 1):
        try:
            return repetition(number, chosen, args, judge)
        except referee.Lost as lost:
            print(f'{number}: again, for {lost}', file=sys.stderr)
    return repetition(number, chosen, args, judge)


def perform(args, chosen):
    judge = referee.Referee()
    failed = False
    try:
        for number in range(1, args.rep + 1):
            began = time.monotonic()
            errors = whole_repetition(number, chosen, args, judge)
            for error in errors:
                print(error, file=sys.stderr)
            failed = failed or bool(errors)
            print(f'{number}: {len(chosen)} scenarios, {len(errors)} errors, {time.monotonic() - began:.1f} s, '
                  f'seed {args.seed}', file=sys.stderr)
    finally:
        judge.close()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
