"""Bring the repository into the form in which it is committed: tables of figures, clean, export, README, lint.

    python tools/prepare.py           write the tables of figures, clean the notebooks, export the package, write README.md, lint
    python tools/prepare.py --run     execute the notebooks first and store their outputs
    python tools/prepare.py --check   change nothing; fail where a run would change or object to something

Exit codes: 0 nothing to mend; 1 something to mend, each with its file and the cure; 2 the words were off, or nbdev is absent.
"""
import argparse
import contextlib
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from figures import fill
from lint import GENERATED, Problem, lint
from notebooks import directives, read, relative_to, text, to_markdown
from project import PACKAGE, ROOT, copy_files, modules, notebook_paths, settings

try: from nbdev.clean import nbdev_clean
except ImportError: sys.exit("prepare.py needs the tools of this project: pip install -e '.[dev]'")
from fastcore.nbio import read_nb, write_nb
from nbdev.config import set_version
from nbdev.doclinks import nbdev_export

RUN = 'run python tools/prepare.py'
NOTE = '<!-- Written by tools/prepare.py from nbs/index.ipynb: edit that notebook. -->\n\n'
IMAGES = Path('docs')/'images'


def execute() -> int:
    "Run every notebook as a test, tutorials too, and store its outputs; the exit code of nbdev's command"
    return subprocess.call([sys.executable, '-c', 'from nbdev.test import nbdev_test; nbdev_test(save=True, ignore_fname="")'])


def write_tables() -> None:
    "Write the tables that come from benchmarks/results/ into the notebooks"
    for path in notebook_paths(Path.cwd()):
        notebook = read_nb(path)
        cells = [(cell, fill(text(cell.source))) for cell in notebook.cells if cell.cell_type == 'markdown']
        if all(text(cell.source) == filled for cell, filled in cells): continue
        for cell, filled in cells: cell.source = filled
        write_nb(notebook, path)


def clean() -> None:
    "Strip from the notebooks what differs between two runs of the same code"
    nbdev_clean(fname='nbs')
    for path in notebook_paths(Path.cwd()):
        notebook = read_nb(path)
        for cell in notebook.cells:
            if 'outputs' not in cell: continue
            cell.outputs = [output for output in cell.outputs if output.get('name') != 'stderr']  # progress bars, warnings with paths
        write_nb(notebook, path)


def export() -> None:
    "Write the package's modules and version, and delete generated modules whose notebook is gone"
    root = Path.cwd()
    set_version(root/PACKAGE, settings(root)['version'])
    nbdev_export(path=str(root/'nbs'))
    exported = {found['default_exp'] for path in notebook_paths(root) for cell in read(path)['cells']
                if 'default_exp' in (found := directives(cell))}
    for path in modules(root):
        if path.stem not in exported and GENERATED.search(path.read_text(encoding='utf-8')): path.unlink()


def write_readme() -> None:
    "Write README.md and its images from the executed nbs/index.ipynb"
    for old in IMAGES.glob('index-*'): old.unlink()

    def store(body: bytes, suffix: str) -> str:
        IMAGES.mkdir(parents=True, exist_ok=True)
        path = IMAGES/f'index-{len(list(IMAGES.glob("index-*"))) + 1}{suffix}'
        path.write_bytes(body)
        return path.as_posix()

    body = to_markdown(read(Path('nbs/index.ipynb')), store, relative_to('nbs'))
    Path('README.md').write_text(NOTE + body, encoding='utf-8')


def prepare(root: Path) -> list[Problem]:
    "Write tables, clean, export and write README.md in the project at `root`, in that order, and return what is left to mend"
    with contextlib.chdir(root), warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)  # nbdev only warns where it cannot read or export a notebook
        for step in (write_tables, clean, export, write_readme):
            try: step()
            except (OSError, ValueError, UserWarning) as e: return [Problem(step.__name__, str(e)), *lint(root)]
    return lint(root)


def drift(root: Path, copy: Path, names: set[str]) -> Iterator[Problem]:
    "How the prepared `copy` differs from the project at `root`, of which it had the files `names`"
    after = {path.relative_to(copy).as_posix() for path in copy.rglob('*') if path.is_file() and '__pycache__' not in path.parts}
    for name in sorted(names | after):
        if name not in after: yield Problem(name, f'is left over, nothing writes it any more; {RUN}, which deletes it')
        elif name not in names: yield Problem(name, f'is missing; {RUN}, which writes it')
        elif (root/name).read_bytes() != (copy/name).read_bytes(): yield Problem(name, f'is not what prepare writes; {RUN}')


def check(root: Path) -> list[Problem]:
    "What `prepare` would change or object to, found out in a copy"
    with tempfile.TemporaryDirectory() as tmp:
        copy = Path(tmp).resolve()/root.name
        names = copy_files(root, copy)
        problems = prepare(copy)
        return [*drift(root, copy, names), *problems]


def main() -> int:
    "Read the command line, do as it says and print what is left to mend"
    parser = argparse.ArgumentParser(description='Tables of figures, clean, export, README, lint, in that order.')
    how = parser.add_mutually_exclusive_group()
    how.add_argument('--run', action='store_true', help='execute the notebooks first and store their outputs')
    how.add_argument('--check', action='store_true', help='change nothing; fail where a run would change or object to something')
    args = parser.parse_args()
    with contextlib.chdir(ROOT):
        if args.run and execute(): return 1
        problems = check(ROOT) if args.check else prepare(ROOT)
    for problem in problems: print(problem)
    print(f'{len(problems)} to mend' if problems else 'nothing to mend')
    return bool(problems)


if __name__ == '__main__': sys.exit(main())
