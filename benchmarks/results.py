"""The measured figures: results/ holds a small JSON file for each benchmark, from which the tables of README and notebooks are written."""
import argparse
import json
import os
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

RESULTS = Path(__file__).parent/'results'
HEADLINES = {  # File: photos, and the row of the default recipe
    'people': ('web photos: happy or sad people', '`default`'),
    'scenes': ('scenes: positive or negative', '`default`'),
    'objects': ('20 kinds of objects', '`default`'),
    'ratings_valence': ('scenes: how pleasant', '`default`'),
    'ratings_arousal': ('scenes: how exciting', '`default`'),
    'faces': ('faces: 12 points, from 51 photos', '`default`: ... and shifted, or a second look'),
    'faces_small': ('... small in large frames', '`default`: ... and a second look'),
    'mouse': ('a running mouse: 17 points, from 51 frames', '`default`: ... and shifted, or a second look'),
    'hands_real': ('hands: 21 points, from 24 photos', '`default`'),
}


def machine() -> str:
    "What the figures were measured on"
    import torch

    from deepconn_fa.callbacks import fast_precision
    bf16 = fast_precision(torch.device('cpu')) == 'bf16'
    return f"{os.cpu_count()} CPU cores {'with' if bf16 else 'without'} bfloat16, {torch.get_num_threads()} in use"


def bounds(estimate: dict) -> dict:
    "An estimate without its n, which the file tells for all"
    return {key: estimate[key] for key in ('value', 'low', 'high')}


def drawn_bounds(figure: Callable, groups: Sequence) -> dict:
    "An estimate of `figure`, which takes weights (draws, rows), by 2,000 draws of groups"
    from deepconn_fa.metrics import bootstrap_figures
    return bounds(bootstrap_figures(lambda w: dict(figure=figure(w)), len(groups), groups=groups, draws=2000)['figure'])


def rounded(found):
    "Numbers without the digits that mean nothing"
    if isinstance(found, dict): return {key: rounded(value) for key, value in found.items()}
    return round(float(found), 6) if hasattr(found, '__float__') and not isinstance(found, (bool, int)) else found


def save(
    name: str,  # Of the file
    rows: list[dict],  # The table's rows: column -> text, number, or estimate {value, low, high}; `n` in an estimate where the rows differ in it
    **about,  # `data`, `n`, `design`, `interval` ('' where it makes no sense) and `command`; where there is reason, `note` and `digits` behind the point
) -> Path:
    "Write results/NAME.json"
    from deepconn_fa import __version__
    about = dict(version=__version__, date=date.today().isoformat(), level=.95) | about
    if 'machine' not in about: about['machine'] = machine()
    head = json.dumps(about, ensure_ascii=False, indent=1).removesuffix('\n}')
    lines = ',\n  '.join(json.dumps(rounded(row), ensure_ascii=False) for row in rows)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS/f'{name}.json').write_text(f'{head},\n "rows": [\n  {lines}\n ]\n}}\n', encoding='utf-8')
    return RESULTS/f'{name}.json'


def add_outputs(parser: argparse.ArgumentParser, file: str, table: str) -> None:
    "Let a benchmark take --save, --data and --out; `file` of results/ and `table` are what they write, in words"
    parser.add_argument('--save', metavar='NAME', help=f'write {file}')
    parser.add_argument('--data', default='', help='for the file: what photos these are')
    parser.add_argument('--out', type=Path, help=f'CSV with {table}')


def in_words(value, column: str = '', digits: int = 3) -> str:
    "A cell of the table; what is `more than` something has its sign"
    if value is None: return ''
    if isinstance(value, float): value = dict(value=value)
    if not isinstance(value, dict): return str(value)
    said = {key: f"{round(value[key], digits) + 0.:{'+' * column.startswith('more than ')}.{digits}f}" for key in ('value', 'low', 'high') if key in value}
    beside = ([f"{said['low']} to {said['high']}"] if 'low' in said else []) + ([f"n = {value['n']}"] if 'n' in value else [])
    return said['value'] + (f" ({', '.join(beside)})" if beside else '')


def as_text(rows: list[dict], digits: int = 3) -> str:
    "Rows as a table for the terminal"
    import pandas as pd
    return pd.DataFrame([{key: in_words(value, key, digits) for key, value in row.items()} for row in rows]).to_string(index=False)


def read(name: str) -> dict:
    "The content of results/NAME.json"
    return json.loads((RESULTS/f'{name}.json').read_text(encoding='utf-8'))


def markdown_table(rows: list[dict], digits: int = 3) -> str:
    "Rows as a table in markdown"
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[in_words(row.get(column), column, digits).replace('|', r'\|') for column in columns] for row in rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in [columns, ['---'] * len(columns), *cells])


def caption(found: dict) -> str:
    "What a file says about its table, in a few sentences"
    n = f"; n = {found['n']}" if 'n' in found else ''  # else the rows tell it
    groups = f", {found['groups']} groups" if found.get('groups', found.get('n')) != found.get('n') else ''
    intervals = 'No interval was computed' if 'interval' not in found else found['interval'] and f"{100 * found['level']:.0f} % intervals: {found['interval']}"
    made = f"Version {found['version']}" + (f", {found['machine']}" if found.get('machine') else '') + (f": `{found['command']}`" if 'command' in found else '')
    return '. '.join(filter(None, [found['data'] + n + groups, found.get('design'), intervals, found.get('note'), made])) + '.'


def table(name: str) -> str:
    "The table of results/NAME.json in markdown, with its caption; `scores`: the headlines"
    if name == 'scores': return scores()
    found = read(name)
    return f"{markdown_table(found['rows'], found.get('digits', 3))}\n\n*{caption(found)}*"


def scores() -> str:
    "What each file of HEADLINES says of the default recipe, beside the simple baseline with which it compares"
    rows = []
    for name, (photos, default) in HEADLINES.items():
        found = read(name)
        by_name, say = {row['']: row for row in found['rows']}, partial(in_words, digits=found.get('digits', 3))
        ours = by_name[default]
        figure = next(column for column, value in ours.items() if isinstance(value, dict))
        difference = next(column for column in ours if column.startswith(('more than ', 'less than ')))
        base = by_name[difference[len('more than '):]]
        less = ' less' * (difference.startswith('less than ') and ours[difference] is not None)
        rows.append({'photos': photos, 'n': found['n'], 'figure': figure, '`default`': say(ours[figure]),
                     'simple baseline': f"{say(base[figure])}, {base[''].partition(':')[0]}", 'difference': say(ours[difference], difference) + less})
    return markdown_table(rows)


def names() -> list[str]:
    "The files in results/"
    return sorted(path.stem for path in RESULTS.glob('*.json'))
