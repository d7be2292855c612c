"""Where things stand in this project: its files, its notebooks and its metadata."""
import shutil
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = 'deepconn_fa'


class Failed(Exception):
    "A check that did not hold; the message says how"


def expect(holds: bool, otherwise: str) -> None:
    "Raise Failed with the message `otherwise` unless something holds"
    if not holds: raise Failed(otherwise)


def settings(root: Path = ROOT) -> dict[str, str]:
    "The package's metadata from settings.ini"
    ini = ConfigParser(delimiters=['='])
    ini.read(root/'settings.ini', encoding='utf-8')
    return dict(ini['DEFAULT'])


def pyproject(root: Path = ROOT) -> dict:
    "The content of pyproject.toml"
    return tomllib.loads((root/'pyproject.toml').read_text(encoding='utf-8'))


def notebook_paths(root: Path = ROOT) -> list[Path]:
    "Every notebook under nbs/, checkpoints aside"
    return sorted(path for path in (root/'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in path.parts)


def modules(root: Path = ROOT) -> list[Path]:
    "The package's modules, nbdev's index aside"
    return sorted(path for path in (root/PACKAGE).rglob('*.py') if path.name != '_modidx.py')


def files(root: Path = ROOT) -> set[str]:
    "The project's files as git sees them: tracked or new, ignored ones aside"
    command = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split('\0') if name and (root/name).is_file()}


def copy_files(root: Path, copy: Path) -> set[str]:
    "Copy the project's files to the folder `copy`, and return their names"
    names = files(root)
    for name in names:
        (copy/name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root/name, copy/name)
    return names
