"""Figures that notebooks quote: tables are written from benchmarks/results/, and figures in prose are looked up there.

In a markdown cell, what stands between `<!-- table: NAME -->` and `<!-- end -->` is the table of results/NAME.json, and
`<!-- figures: NAME NAME -->` says where the figures of the cell's prose come from. A cell that quotes a figure with its interval,
or that belongs to the README's section of scores, has to have one of them; other cells without are not looked at.
"""
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from notebooks import read, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import results  # noqa: E402

TABLE = re.compile(r'(<!-- table: (\w+) -->\n)(?:(?!<!-- table:).)*?(<!-- end -->)', re.S)
NAMED = re.compile(r'<!-- (?:table|figures): ([\w ]+) -->')
NO_FIGURES = re.compile(r'```.*?```|`[^`]*`|\]\([^)]*\)|\$[^$]*\$', re.S)  # code, addresses, formulas
FIGURE = re.compile(r'(?<![\w.])\d+\.\d+(?![\w.]*\d)')  # no version
MEASURED = re.compile(r'\d\.\d+ \([+-]?\d+\.\d+ to [+-]?\d+\.\d+')  # a figure with its interval
SCORES = '## What it scores'


def fill(source: str) -> str:
    "The source of a markdown cell with its tables as the results have them now"
    return TABLE.sub(lambda m: f'{m[1]}\n{results.table(m[2])}\n\n{m[3]}', source)


def figures_of(source: str) -> set[str]:
    "The decimal figures in a text"
    return set(FIGURE.findall(NO_FIGURES.sub(' ', source)))


def score_cells(notebook: dict) -> Iterator[tuple[dict, bool]]:
    "The markdown cells of a notebook, and whether each is in the README's section of scores"
    inside = False
    for cell in notebook['cells']:
        if cell['cell_type'] != 'markdown': continue
        if heading := re.match(r'##? .+', text(cell['source'])): inside = heading[0] == SCORES
        yield cell, inside


def unfounded(path: Path, known: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    "Cell and cure of every figure of the notebook at `path` that no results file named in its cell has; `known`: file -> its figures"
    for cell, scored in score_cells(read(path)):
        source = text(cell['source'])
        named = [name for found in NAMED.findall(source) for name in found.split()]
        if not named and not scored and not MEASURED.search(NO_FIGURES.sub(' ', source)): continue
        if unknown := set(named) - set(known):
            yield cell['id'], f'benchmarks/results/ has no {min(unknown)}.json'
            continue
        if source.count('<!-- table:') != len(TABLE.findall(source)): yield cell['id'], 'a table without its <!-- end -->'
        lost = figures_of(TABLE.sub('', source)) - set().union(*(known[name] for name in named))
        if lost: yield cell['id'], f"{', '.join(sorted(lost))}: no results file that the cell names has it; measure it, or name the file in <!-- figures: NAME -->"


def known_figures() -> dict[str, set[str]]:
    "File -> the figures in its table and its caption"
    return {name: figures_of(results.table(name).replace('`', ' ')) for name in ['scores', *results.names()]}


def incomplete() -> Iterator[tuple[str, str]]:
    "What the results files lack"
    for name in results.names():
        where, found = f'benchmarks/results/{name}.json', results.read(name)
        lost = [key for key in ('data', 'version', 'rows') if not found.get(key)]
        estimates = [[value for value in row.values() if isinstance(value, dict)] for row in found.get('rows', [])]
        counted = 'n' in found or all('n' in row or any('n' in value for value in mine) for row, mine in zip(found.get('rows', []), estimates))
        if lost: yield where, f"lacks {', '.join(lost)}"
        if not counted: yield where, 'says n neither for all rows nor for each'
        if found.get('interval') and not any('low' in value for mine in estimates for value in mine): yield where, 'says how its intervals were made, and has none'
