"""Hands setuptools the package's metadata, from settings.ini and README.md."""
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
ini = ConfigParser(delimiters=['='])
ini.read(ROOT/'settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']

def lines(key):
    "The non-empty lines of the setting `key`"
    return [line.strip() for line in cfg[key].splitlines() if line.strip()]

def absolute(readme):
    "The README with the addresses of this version's files on GitHub in place of relative links and pictures, as PyPI has only the text"
    repository = cfg['git_url'].removeprefix('https://github.com/')
    def address(m):
        place = 'raw.githubusercontent.com' if m[2].endswith(('.png', '.svg')) else 'github.com'
        return f"{m[1]}https://{place}/{repository}/{'' if place.startswith('raw') else 'blob/'}v{cfg['version']}/{m[2]}"
    return re.sub(r'(\]\(|src=")(?![a-z]+:|#)([^)"]+)', address, readme)

EXTRA = '_requirements'

class WithoutIndex(build_py):
    "Leaves nbdev's index of names, a third of the code, out of the wheel: nothing reads it at run time"
    def find_package_modules(self, package, package_dir): return [found for found in super().find_package_modules(package, package_dir) if found[1] != '_modidx']

setup(
    cmdclass={'build_py': WithoutIndex},
    version=cfg['version'],
    description=cfg['description'],
    long_description=absolute((ROOT/'README.md').read_text(encoding='utf-8')),
    long_description_content_type='text/markdown',
    python_requires=f">={cfg['min_python']}",
    install_requires=lines('requirements'),
    extras_require={key.removesuffix(EXTRA): lines(key) for key in cfg if key.endswith(EXTRA)},
    entry_points={'console_scripts': lines('console_scripts')},
)
