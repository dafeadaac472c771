"""The stories, by what they are about. Each module registers its own."""

import importlib

MODULES = 'services', 'knocking', 'floods', 'programs', 'middle'


def load():
    for name in MODULES:
        importlib.import_module(f'stories.{name}')
