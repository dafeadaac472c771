"""The scenarios, by what they have in common. Each module registers its own."""

import importlib

MODULES = ('aborts', 'memory', 'refusals', 'handshakes', 'closing', 'silent', 'third_parties', 'programs')


def load():
    for name in MODULES:
        importlib.import_module(f'scenes.{name}')
