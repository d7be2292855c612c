"""Check the package as its users get it: the wheel that the sdist builds, in a fresh environment that holds nothing but what it asks for.

    python tools/package.py                      sdist and wheel, imports, train -> save -> predict, tutorials
    python tools/package.py --environment DIR    in an environment that is there, and holds what the package asks for

The tutorials run as Colab runs them: the notebook alone in an empty folder, top to bottom, beside the installed wheel.
The last line counts what held: "N passed, N failed".
"""
import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from project import PACKAGE, ROOT, Failed, expect
from release import build

IMPORT_ALL = '''
import importlib, pathlib, pkgutil, sys
import {package}
home = pathlib.Path({package}.__file__).parent
assert pathlib.Path(sys.prefix) in home.parents, f'{{home}} is not what the wheel installed'
names = [module.name for module in pkgutil.iter_modules([str(home)])]
for name in names: importlib.import_module(f'{package}.{{name}}')
assert 'nbdev' not in sys.modules
'''
CUT_OFF = '''
import os, socket
def end(*args):
    os.write(2, b'the network was asked for')
    os._exit(7)
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = end
'''


class Environment:
    "A virtual environment, fresh unless there is one in `prefix`, and a folder outside the repository to work in"
    def __init__(self, folder: Path, prefix: Path | None = None):
        self.prefix, self.home = prefix or folder/'env', folder/'home'
        if not prefix: venv.create(self.prefix, with_pip=True)
        self.home.mkdir()
        self.bin = self.prefix/('Scripts' if os.name == 'nt' else 'bin')
        self.variables = {key: value for key, value in os.environ.items() if key not in ('PYTHONPATH', 'VIRTUAL_ENV')}
        self.variables |= dict(PATH=f"{self.bin}{os.pathsep}{os.environ['PATH']}", XDG_CACHE_HOME=str(folder/'cache'))

    def run(self, *words: str, expect: int = 0, **variables: str) -> str:
        "Run a command of the environment, and return what it wrote; Failed where it does not exit with `expect`"
        done = subprocess.run([self.bin/words[0], *words[1:]], cwd=self.home, env=self.variables | variables, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != expect:
            raise Failed(f'{" ".join(words)}: exit code {done.returncode}, not {expect}\n{done.stdout[-4000:]}')
        return done.stdout

    def pip(self, *words: str) -> None:
        "Install something, with pip's cache where there is one; modules are compiled when they are imported, which most are not"
        self.variables.pop('XDG_CACHE_HOME')
        self.run('python', '-m', 'pip', 'install', '--quiet', '--no-compile', '--disable-pip-version-check', *words)
        self.variables['XDG_CACHE_HOME'] = str(self.home.parent/'cache')


def install(environment: Environment) -> None:
    "Build the wheel, and install it in place of whatever version is there"
    _, wheel = build(environment.home.parent)
    environment.run('python', '-m', 'pip', 'uninstall', '--quiet', '--yes', PACKAGE)
    environment.pip(str(wheel))


def imports(environment: Environment) -> None:
    "Import every module; importing prints nothing"
    written = environment.run('python', '-W', 'ignore', '-c', IMPORT_ALL.format(package=PACKAGE))
    expect(not written, f'importing the modules printed: {written}')


def without_nbdev(environment: Environment) -> None:
    "`nbdev_test` without nbdev says what to install"
    expect("pip install -e '.[dev]'" in environment.run('nbdev_test', expect=2), 'nbdev_test does not say what to install')


def walk(environment: Environment) -> None:
    "Photos -> check -> train from pretrained weights -> save -> predict, with the command line alone; a command that asks for the network ends"
    (environment.home/'cut_off').mkdir()
    (environment.home/'cut_off'/'sitecustomize.py').write_text(CUT_OFF, encoding='utf-8')
    offline = partial(environment.run, PYTHONPATH=str(environment.home/'cut_off'))
    offline('python', '-c', 'import socket; socket.create_connection(("127.0.0.1", 9))', expect=7)
    offline('deepconn', '--help')
    offline('deepconn', 'samples', 'couples', 'photos', '-n', '60', '--seed', '1')
    offline('deepconn', 'check', 'photos')
    offline('deepconn', 'train', 'couples', 'photos', '--out', 'run', '--arch', 'efficientnet_lite0', '--size', '64')
    run = environment.home/'run'
    wanted = ('model.safetensors', 'manifest.csv', 'history.csv', 'metrics.json', 'config.json', 'report.html', 'model_card.md')
    missing = [name for name in wanted if not (run/name).is_file()]
    expect(not missing, f'the run folder lacks {", ".join(missing)}')
    accuracies = [found['accuracy'] for found in json.loads((run/'metrics.json').read_text(encoding='utf-8')).values()]
    complete = all({'value', 'low', 'high', 'n'} <= found.keys() for found in accuracies)
    expect(complete, 'metrics.json has an accuracy without its interval or n')
    offline('deepconn', 'predict', 'run/model.safetensors', 'photos', '--out', 'predictions.csv')
    with open(environment.home/'predictions.csv', newline='', encoding='utf-8') as file: rows = list(csv.DictReader(file))
    expect(len(rows) == 60, f'60 photos, {len(rows)} predictions')
    columns = {'path', 'label', 'prob_happy', 'prob_unhappy', 'problem'}
    expect(columns <= rows[0].keys(), f'the predictions lack the columns {", ".join(columns - rows[0].keys())}')
    off = [row['path'] for row in rows if abs(float(row['prob_happy']) + float(row['prob_unhappy']) - 1) > 1e-3]
    expect(not off, f'probabilities that do not sum to 1: {off[:3]}')


def tutorial(environment: Environment, path: Path) -> None:
    "Run one notebook from top to bottom, alone in an empty folder"
    folder = environment.home/path.stem
    folder.mkdir()
    environment.run('jupyter-execute', '--timeout=900', '--kernel_name=python3', str(shutil.copy(path, folder)), OMP_NUM_THREADS='1')


def report(name: str, check: Callable[[], object]) -> bool:
    "Run one check, print how it went and how long it took, and return whether it held"
    start, problem = time.time(), None
    try: check()
    except Failed as e: problem = e
    print(f'{"failed" if problem else "passed"}  {name}  ({time.time() - start:.0f} s)' + (f'\n{problem}' if problem else ''), flush=True)
    return problem is None


def main() -> int:
    "Run all checks"
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--environment', type=Path, metavar='DIR', help='a virtual environment with the requirements of the package, to save time; default: a fresh one')
    given = parser.parse_args().environment
    tutorials = sorted((ROOT/'nbs'/'tutorials').glob('*.ipynb'))
    with tempfile.TemporaryDirectory() as tmp:
        environment = Environment(Path(tmp).resolve(), given and given.resolve())
        results = [report('the wheel installs', lambda: install(environment))]
        if results[0]:
            results += [report('every module can be imported', lambda: imports(environment)),
                        report('nbdev_test without nbdev says what to install', lambda: without_nbdev(environment)),
                        report('train, save, predict', lambda: walk(environment)),
                        report('a kernel, as every notebook server has one', lambda: environment.pip('ipykernel', 'nbclient'))]
            with ThreadPoolExecutor(os.cpu_count()) as pool:  # each in its own process, with one thread
                results += pool.map(lambda path: report(f'tutorial {path.stem}', lambda: tutorial(environment, path)), tutorials)
    print(f'{sum(results)} passed, {len(results) - sum(results)} failed')
    return not all(results)


if __name__ == '__main__': sys.exit(main())
