"""Reads the package's metadata from settings.ini and hands it to setuptools."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ini = ConfigParser(delimiters=['='])
ini.read(Path(__file__).parent/'settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']

def lines(key):
    "The non-empty lines of the setting `key`"
    return [line.strip() for line in cfg[key].splitlines() if line.strip()]

EXTRA = '_requirements'

class WithoutIndex(build_py):
    "Leaves nbdev's index of names, a third of the code, out of the wheel: nothing reads it at run time"
    def find_package_modules(self, package, package_dir): return [found for found in super().find_package_modules(package, package_dir) if found[1] != '_modidx']

setup(
    cmdclass={'build_py': WithoutIndex},
    version=cfg['version'],
    description=cfg['description'],
    python_requires=f">={cfg['min_python']}",
    install_requires=lines('requirements'),
    extras_require={key.removesuffix(EXTRA): lines(key) for key in cfg if key.endswith(EXTRA)},
    entry_points={'console_scripts': lines('console_scripts')},
)
