"""
The truth of each reset of a capture: which scenario made it, what the kernel said of it, and whether that is what the
committed table expects. Whatever does not fit is an error of the run.
"""

import csv
import json
import os

import capture
import referee

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'truth.tsv')
# The kernel tells of a reset that a socket sends by itself after it is on the wire, of an answer before.
NEAR = 0.1
# Two clocks, read one after the other.
CLOCKS = 0.002


def table():
    with open(TABLE, encoding='utf8') as file:
        rows = csv.DictReader((line for line in file if not line.startswith('#')), delimiter='\t')
        return {(row['scenario'], row['role']): row for row in rows}


def resets(path):
    _, records = capture.records(path)
    found = []
    for frame, (seconds, _, data) in enumerate(records, 1):
        seg = capture.segment(data)
        if seg is not None and seg['flags'] & capture.RST:
            found.append({'frame': frame, 'time': seconds, **seg})
    return found


def nearest(packets, events):
    """Pairs each event with one packet of its tuple, the nearest pairs first: {index of packet: event}."""
    pairs = sorted(
        (abs(packet['time'] - event['time']), i, j)
        for i, packet in enumerate(packets)
        for j, event in enumerate(events)
        if same(packet['tuple'], event['tuple']) and abs(packet['time'] - event['time']) < NEAR
    )
    found, used = {}, set()
    for _, i, j in pairs:
        if i not in found and j not in used:
            found[i] = events[j]
            used.add(j)
    return found


def first(packets, events):
    """A socket takes one reset, the first that it may: indices of those."""
    found = set()
    for event in events:
        for i, packet in enumerate(packets):
            late = event['time'] - packet['time']
            if i not in found and packet['tuple'] == event['tuple'] and -CLOCKS < late < NEAR:
                found.add(i)
                break
    return found


def same(packet, event):
    """A listener's event has the listener's own addresses: nobody at the other end."""
    return packet == event or (event[3] == 0 and packet[:2] == event[:2])


def assign(packets, scenes, errors):
    """Gives each packet its scene and what was expected of it; None where nobody expected it."""
    owners = {key: scene for scene in scenes for key in scene.expected}
    for packet in packets:
        scene = packet['scene'] = owners.get(packet['tuple'])
        flags = capture.letters(packet['flags'])
        waiting = [] if scene is None else scene.expected[packet['tuple']]
        while waiting and waiting[0].count >= waiting[0].least and not waiting[0].takes(flags):
            waiting.pop(0)
        if waiting and waiting[0].takes(flags):
            packet['expected'] = waiting[0]
            waiting[0].count += 1
        else:
            packet['expected'] = None
            whose = whose_ports(packet['tuple'], scenes)
            errors.append(f'{whose}: nobody expected frame {packet["frame"]}, {packet["tuple"]} {flags}')
    for scene in scenes:
        for key, waiting in scene.expected.items():
            for expected in waiting:
                if expected.count < expected.least:
                    errors.append(f'{scene.name}: {expected.count} resets of role {expected.role} on {key}')


def whose_ports(tuple_, scenes):
    ports = {tuple_[1], tuple_[3]}
    found = [s.name for s in scenes for f in s.flows if ports & {f.client_end[1], f.server_end[1]}]
    return found[0] if found else 'nobody'


def rows(path, scenes, events, errors):
    """The truth of all resets of the capture at `path`."""
    packets = resets(path)
    assign(packets, scenes, errors)
    sends = nearest(packets, [event for event in events if event['sent']])
    receives = first(packets, [event for event in events if not event['sent']])
    wanted = table()
    found = []
    for i, packet in enumerate(packets):
        if packet['expected'] is None:
            continue
        role = packet['expected'].role
        name = packet['scene'].name
        row = wanted.get((name, role))
        if row is None:
            errors.append(f'{name}: no row for the role {role} in truth.tsv')
            continue
        event = sends.get(i)
        kernel = None
        if event is not None:
            kernel = {key: event[key] for key in ('reason', 'state', 'active', 'stack')}
            kernel['path'] = referee.path(event)
        received = i in receives
        problem = mismatch(row, kernel, received)
        if problem:
            errors.append(f'{name}: frame {packet["frame"]}, role {role}: {problem}')
        source, sport, target, dport = packet['tuple']
        found.append({
            'frame': packet['frame'],
            'time': packet['time'],
            'src': source,
            'sport': sport,
            'dst': target,
            'dport': dport,
            'seq': packet['seq'],
            'ack': packet['ack'],
            'flags': capture.letters(packet['flags']),
            'scenario': name,
            'role': role,
            'reset_by': packet['expected'].sender,
            'kernel': kernel,
            'received': received,
            'cause': row['cause'],
            'packets': row['packets'].split(','),
        })
    return found


def mismatch(row, kernel, received):
    """What is not as the table has it, or None."""
    reasons = row['reason'].split('|')
    said = '-' if kernel is None else kernel['reason']
    if said not in reasons:
        return f'the kernel said {said}, the table {row["reason"]}'
    functions = [] if row['stack'] == '-' else row['stack'].split('+')
    # Now and then the kernel gives no stack with what a timer sent. Only TCP_STATE means nothing without one.
    if kernel is not None and kernel['stack'] == [] and said != 'TCP_STATE':
        functions = []
    absent = [name for name in functions if kernel is None or name not in kernel['stack']]
    if absent:
        stack = None if kernel is None else kernel['stack']
        return f'{", ".join(absent)} is not in its stack: {stack}'
    if row['received'] != '-' and received != (row['received'] == 'yes'):
        return f'{"a" if received else "no"} socket took it, the table says {row["received"]}'
    return None


def save(path, rows_):
    """One row a line."""
    with open(path, 'w', encoding='utf8') as file:
        lines = ',\n'.join(json.dumps(row) for row in rows_)
        file.write(f'[\n{lines}\n]\n' if rows_ else '[]\n')
