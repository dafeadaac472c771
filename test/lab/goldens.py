"""Small captures, one a scenario, out of one repetition: NAME.pcap and NAME.truth.json."""

import json
import os
import tempfile

import capture
import truth

# Of what programs say: the captures are to be small.
BIGGEST = 400


def record(args, chosen, perform):
    with tempfile.TemporaryDirectory() as folder:
        args.out, args.rep = folder, 1
        if args.timestamps == 'both':
            args.timestamps = '1'
        code = perform(args, chosen)
        if code != 0:
            return code
        for ending in '1', '1-lo':
            slice_up(os.path.join(folder, ending), args.goldens)
    return 0


def slice_up(source, target):
    header, records = capture.records(os.path.join(source, 'all.pcap'))
    with open(os.path.join(source, 'truth.json'), encoding='utf8') as file:
        rows = {row['frame']: row for row in json.load(file)}
    with open(os.path.join(source, 'run.json'), encoding='utf8') as file:
        flows = json.load(file)['flows']
    owners = {}
    for name, tuples in flows.items():
        for one, oport, other, other_port in tuples:
            owners[one, oport, other, other_port] = owners[other, other_port, one, oport] = name
    parts = {}
    for frame, (_, record, data) in enumerate(records, 1):
        segment = capture.segment(data)
        name = None if segment is None else owners.get(segment['tuple'])
        if name is None:
            continue
        held, truths = parts.setdefault(name, ([], []))
        held.append(record)
        if frame in rows:
            truths.append({**rows[frame], 'frame': len(held)})
    for name, (held, truths) in parts.items():
        with open(os.path.join(target, f'lab-{name}.pcap'), 'wb') as file:
            file.write(header + b''.join(held))
        truth.save(os.path.join(target, f'lab-{name}.truth.json'), truths)
