"""Reads the package's metadata from settings.ini and hands it to setuptools; nothing else is decided here."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ini = ConfigParser(delimiters=['='])
ini.read(Path(__file__).parent/'settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']

def lines(key):
    "The non-empty lines of the setting `key`"
    return [line.strip() for line in cfg[key].splitlines() if line.strip()]

EXTRA = '_requirements'

setup(
    version=cfg['version'],
    description=cfg['description'],
    python_requires=f">={cfg['min_python']}",
    install_requires=lines('requirements'),
    extras_require={key.removesuffix(EXTRA): lines(key) for key in cfg if key.endswith(EXTRA)},
    entry_points={'console_scripts': lines('console_scripts')},
)
