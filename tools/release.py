"""Build a release and check it.

    python tools/release.py           check the repository, build sdist and wheel in dist/, with the tag's text in notes.md
    python tools/release.py --tag     the same, and tag the commit

The tests are not run here: `bash .ci/run` does that. A pushed tag is published by .github/workflows/release.yaml.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from project import PACKAGE, ROOT, Failed, copy_files, expect, files, settings

INDEX = f'{PACKAGE}/_modidx.py'  # nbdev's index of names, which setup.py leaves out
LARGEST = 1_000_000  # bytes of the wheel
RELATIVE = re.compile(r'(?:\]\(|src=")(?![a-z]+:|#)([^)"]+)')  # links of a description that lead nowhere on PyPI


def git(*words: str) -> str:
    "What git prints; nothing where it fails"
    return subprocess.run(['git', *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def notes(version: str, changelog: str) -> str:
    "The changelog's section of `version`; Failed where the first section is another one, or says that it is not released"
    title, text = re.search(r'^## ([^\n]+)\n(.*?)(?=^## |\Z)', changelog, re.M | re.S).groups()
    expect(title.split()[0] == version, f'CHANGELOG.md begins with {title}, and the version in settings.ini is {version}')
    expect('not released' not in title, f'CHANGELOG.md says "{title}": write the date instead')
    return text.strip()


def check_sdist(sdist: Path, names: set[str]) -> None:
    "Failed unless the source distribution holds all of the repository's files `names`, the index and those about git aside"
    held = {name.partition('/')[2] for name in tarfile.open(sdist).getnames()}
    missing = sorted(name for name in names - held - {INDEX} if not name.startswith('.git'))
    expect(not missing, f'{sdist.name} lacks {", ".join(missing)}')


def check_wheel(wheel: Path, names: set[str]) -> None:
    "Failed unless the wheel holds the package's files, nothing else, is small, and its description can be read anywhere"
    archive = zipfile.ZipFile(wheel)
    held = set(archive.namelist())
    missing = sorted(name for name in names - held - {INDEX} if name.startswith(f'{PACKAGE}/'))
    foreign = sorted(name for name in held if not name.startswith(PACKAGE) or name == INDEX)
    expect(not missing, f'{wheel.name} lacks {", ".join(missing)}')
    expect(not foreign, f'{wheel.name} holds {", ".join(foreign)}')
    relative = [link for name in held if name.endswith('.dist-info/METADATA') for link in RELATIVE.findall(archive.read(name).decode())]
    expect(not relative, f'the description of {wheel.name} has relative links: {", ".join(relative)}')
    expect((size := wheel.stat().st_size) < LARGEST, f'{wheel.name} has {size:,} bytes, not less than {LARGEST:,}')


def build(folder: Path, *options: str) -> tuple[Path, Path]:
    "Build sdist and, from it, wheel of a copy of the repository's files, so that no left-over of an earlier build gets in; check both"
    copy_files(ROOT, folder/'source')
    done = subprocess.run([sys.executable, '-m', 'build', *options, '--outdir', folder/'dist', folder/'source'], capture_output=True, text=True)
    expect(not done.returncode, f'nothing was built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}')
    sdist, wheel = next((folder/'dist').glob('*.tar.gz')), next((folder/'dist').glob('*.whl'))
    check_sdist(sdist, files())
    check_wheel(wheel, files())
    return sdist, wheel


def check_repository(tag: str) -> None:
    "Failed unless everything is committed and prepared, and the tag is free or this commit's"
    expect(not git('status', '--porcelain'), 'there are changes that are not committed')
    expect(git('rev-list', '-n', '1', tag) in ('', git('rev-parse', 'HEAD')), f'{tag} is another commit: write a new version into settings.ini')
    expect(not subprocess.call([sys.executable, ROOT/'tools'/'prepare.py', '--check']), 'the repository is not prepared')


def release(out: Path, options: list[str]) -> tuple[str, str]:
    "Check, and write sdist, wheel and the tag's text into `out`; the tag and its text"
    version = settings()['version']
    tag, text = f'v{version}', notes(version, (ROOT/'CHANGELOG.md').read_text(encoding='utf-8'))
    check_repository(tag)
    with tempfile.TemporaryDirectory() as tmp:
        out.mkdir(exist_ok=True)
        built = [Path(shutil.copy(path, out)) for path in build(Path(tmp), *options)]
    if find_spec('twine'): expect(not subprocess.call([sys.executable, '-m', 'twine', 'check', '--strict', *built]), 'twine objects')
    else: print('twine is not installed, so the description was not checked')
    for path in built: print(f'{path.name}: {path.stat().st_size:,} bytes')
    (out/'notes.md').write_text(text + '\n', encoding='utf-8')
    return tag, f'{PACKAGE} {version}\n\n{text}'


def main() -> int:
    "Read the command line and do as it says"
    parser = argparse.ArgumentParser(description='Check the repository, build sdist and wheel, print the text of the tag.')
    parser.add_argument('--out', type=Path, default=ROOT/'dist')
    parser.add_argument('--no-isolation', action='store_true', help='build with the setuptools that is installed')
    parser.add_argument('--tag', action='store_true', help='tag the commit')
    args = parser.parse_args()
    try: tag, text = release(args.out, ['--no-isolation'] * args.no_isolation)
    except Failed as e:
        print(e)
        return 1
    print(f'\n{tag}\n{text}')
    return subprocess.call(['git', 'tag', '--annotate', tag, '--message', text], cwd=ROOT) if args.tag else 0


if __name__ == '__main__': sys.exit(main())
