"""Do sets hold the truth as often as they say, and does a model notice photos that are none of its business?

    python benchmarks/certainty.py coverage RUN [RUN ...] [--draws 200]
    python benchmarks/certainty.py unlike RUN PHOTOS [PHOTOS ...] [--most 100]
    python benchmarks/certainty.py distances PHOTOS PHOTOS [PHOTOS ...] [--arch efficientnet_lite2] [--canvas 260]
    python benchmarks/certainty.py cost RUN PHOTOS [--most 200]

RUN is a folder that `deepconn train ... --folds 5` left (for `coverage`, one with many test photos will do). `coverage` deals its answers to unseen photos into two halves, groups whole,
so often, makes sets of one half by the other and counts: the share of sets that hold the truth (of photos, and with each group
counting alike, which is what is promised), their mean size, and the share of photos with an opinion. `--by photo` leaves out
the correction for groups. `unlike` asks the run's model about photos of other kinds: the AUROC of their distance from the
training photos against that of held-out photos of its own kind, and the share of opinions that are withheld for it.
`distances` compares ways to measure that distance, each set of photos against all others, a fifth held out at a time.
`cost` times predictions with and without, in turns. `--save NAME` writes the table of the first three to results/NAME.json.
"""
import argparse
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageOps
from sklearn.covariance import ledoit_wolf

from deepconn_fa.backbones import create_backbone
from deepconn_fa.bundle import load_bundle
from deepconn_fa.certainty import UNLIKE, Certainty
from deepconn_fa.folders import find_files
from deepconn_fa.inference import Predictor
from deepconn_fa.manifest import answer_groups, groups_of, scan
from deepconn_fa.metrics import auc_estimate
from deepconn_fa.novelty import Novelty
from deepconn_fa.photos import SUFFIXES, open_photo
from deepconn_fa.results import read_run
from deepconn_fa.sight import Sight
from deepconn_fa.target import DISTANCE, Model
from results import bounds, in_words, save


def photos_in(folder: str, most: int) -> list[Path]:
    "At most so many photos, evenly over the folder"
    found = [f for f in find_files(Path(folder)) if f.suffix.lower() in SUFFIXES]
    return found[::max(len(found) // most, 1)][:most]


def coverage(runs: list[str], draws: int, by: str) -> pd.DataFrame:
    "Coverage of sets over random halves of the answers to photos that the network has not seen"
    rows = []
    for name in runs:
        run = read_run(name)
        answers = run.target.measurable(run.rows).reset_index(drop=True)
        groups = answer_groups(answers)
        judge = answers if by == 'group' else answers.drop(columns=['group', 'duplicates'], errors='ignore')
        number, found, rng = np.unique(groups, return_inverse=True)[1], [], np.random.default_rng(0)
        for level in (.9, .95):
            for _ in range(draws):
                half = (rng.permutation(number.max() + 1) < (number.max() + 1) / 2)[number]
                judged = Certainty.of(run.target, judge[half]).judge_rows(run.target, answers[~half], level)
                alike = judged.covered.groupby(groups[~half]).mean().mean()
                found.append(dict(level=level, covered=judged.covered.mean(), by_group=alike, size=judged['size'].mean(), opinions=(judged.opinion != '').mean()))
        mean = pd.DataFrame(found).groupby('level').mean()
        rows.append(mean.assign(run=Path(name).name, n=answers.path.nunique(), groups=number.max() + 1))
    return pd.concat(rows).reset_index().set_index(['run', 'level'])


def made(paths: list[Path]) -> dict[str, list[Image.Image]]:
    "Photos of nothing, and of something upside down"
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (320, 320, 3), dtype=np.uint8)) for _ in range(40)]
    blank = [Image.new('RGB', (320, 320), tuple(int(v) for v in rng.integers(0, 256, 3))) for _ in range(40)]
    return {'noise': noise, 'blank': blank, 'its own photos, upside down': [ImageOps.flip(ImageOps.mirror(open_photo(p, (640, 640)))) for p in paths]}


def unlike(name: str, folders: list[str], most: int) -> pd.DataFrame:
    "How well a model's distance tells photos of other kinds from held-out ones of its own"
    run, predictor = read_run(name), Predictor(Path(name)/'model.safetensors')
    own = run.answers[run.answers.split == 'out_of_fold'].drop_duplicates('path')
    held, rows = own[DISTANCE].to_numpy(), []
    others = {Path(folder).name: photos_in(folder, most) for folder in folders} | made([Path(p) for p in own.path[:most]])
    for kind, photos in others.items():
        said = predictor.predict(photos, progress=False)
        said = said[said.problem == '']
        e = auc_estimate(np.r_[np.zeros(len(held)), np.ones(len(said))], np.r_[predictor.model.certainty.unlike(held), said.unlike])
        rows.append({'asked about': kind, 'n': len(said), 'AUROC': bounds(e), 'withheld': (said.unlike > UNLIKE).mean(), 'opinions': (said.opinion != '').mean()})
    return pd.DataFrame(rows).set_index('asked about')


def _standardised(x): return lambda a: (a - x.mean(0)) / (x.std(0) + 1e-6)
def _unit(x): return x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-12)
def _nearest(a, b, k): return np.sort(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0), 1)[:, :k].mean(1)


def _mahalanobis(x, y):
    "In 64 directions, and the rest as if it were noise"
    scale = _standardised(x)
    _, s, v = np.linalg.svd(scale(x), full_matrices=False)
    s, v = s[:64] / np.sqrt(len(x)), v[:64]
    rest = max((x.shape[1] - (s**2).sum()) / (x.shape[1] - len(s)), 1e-3)
    def far(a):
        inside = scale(a) @ v.T
        return (inside**2 / s**2).sum(1) + np.maximum((scale(a)**2).sum(1) - (inside**2).sum(1), 0) / rest
    return far


def _relative(x, y):
    "Ren et al. 2021: to the nearest class, less to all; shrunk by Ledoit and Wolf"
    scale = _standardised(x)
    v = np.linalg.svd(scale(x), full_matrices=False)[2][:64]
    at = scale(x) @ v.T
    middles = np.stack([at[y == c].mean(0) for c in np.unique(y)])
    within, over = (np.linalg.inv(ledoit_wolf(z, assume_centered=True)[0]) for z in (at - middles[np.searchsorted(np.unique(y), y)], at - at.mean(0)))
    def square(z, m): return np.einsum('ij,jk,ik->i', z, m, z)
    return lambda a: np.min([square(scale(a) @ v.T - m, within) for m in middles], 0) - square(scale(a) @ v.T - at.mean(0), over)


def _cosine(k, root=False, spread=False):
    def fit(x, y):
        turn = np.sqrt if root else lambda z: z
        weight = 1 / (turn(np.maximum(x, 0)).std(0) + .1 * turn(np.maximum(x, 0)).std(0).mean()) if spread else 1.
        def place(a): return _unit(turn(np.maximum(a, 0)) * weight)
        return lambda a: _nearest(place(a), place(x), k)
    return fit


ABOUT = {
    'coverage': dict(data='Answers to photos that the network had not seen', design='Dealt into halves many times, one half judged by the other; means over the draws'),
    'unlike': dict(data='Photos of other kinds than those that the model knows', design='AUROC of `unlike` against held-out photos of its own kind, and the share of opinions that are withheld for it',
                   interval='bootstrap over photos'),
    'distances': dict(data='Sets of photos', n='as many of each as `--most` says', design='A fifth of a set held out at a time: the AUROC of photos of another set against held-out ones'),
}

WAYS = {
    'Mahalanobis in 64 directions, and the rest': _mahalanobis,
    'relative Mahalanobis (class-wise less all)': _relative,
    'five nearest, standardised features': lambda x, y: (lambda a: _nearest(_standardised(x)(a), _standardised(x)(x), 5)),
    'five nearest, cosine': _cosine(5),
    'nearest, cosine': _cosine(1),
    'nearest, cosine of roots': _cosine(1, root=True),
    'nearest, cosine of roots by their deviation': _cosine(1, root=True, spread=True),
    'the same, with lengths': lambda x, y: Novelty.fit(x).distances,
}


def distances(folders: list[str], arch: str, canvas: int, most: int) -> pd.DataFrame:
    "AUROC of photos of each folder against held-out photos of another, for every way to measure the distance"
    body = create_backbone(arch, 'imagenet', layers=3).eval()
    model = Model(torch.nn.Sequential(body), None, Sight(canvas=(canvas, canvas), mean=tuple(body.mean), std=tuple(body.std)))
    sets = {}
    for folder in folders:
        table = scan(folder, progress=False)
        table = table[table.problem == ''].iloc[::max(len(table) // most, 1)]
        sets[Path(folder).name] = model.features(list(table.path), flip=False), np.unique(table.label.fillna(''), return_inverse=True)[1], np.unique(groups_of(table), return_inverse=True)[1]
    found = {}
    for way, fit in WAYS.items():
        for ours, (x, y, group) in sets.items():
            fold, held, others = np.random.default_rng(0).permutation(group.max() + 1)[group] % 5, np.zeros(len(x)), dict.fromkeys(sets, 0.)
            for f in range(5):
                far = fit(x[fold != f].astype(float), y[fold != f])
                held[fold == f] = far(x[fold == f].astype(float))
                for other, (z, _, _) in sets.items(): others[other] = others[other] + far(z.astype(float)) / 5
            for other in sets:
                if other != ours: found[way, f'{ours}: {other}'] = auc_estimate(np.r_[np.zeros(len(x)), np.ones(len(others[other]))], np.r_[held, others[other]], draws=2)['value']
    table = pd.Series(found).unstack(0)[list(WAYS)]
    return pd.concat([table, table.mean().to_frame('mean of all').T])


def cost(name: str, folder: str, most: int) -> str:
    "Seconds with and without, in turns, the fastest of five"
    bundle, photos, least = load_bundle(Path(name)/'model.safetensors'), photos_in(folder, most), {}
    model = bundle.as_model()
    predictors = {'with': Predictor(model), 'without': Predictor(replace(model, certainty=None))}
    for _ in range(5):
        for which, predictor in predictors.items():
            began = time.perf_counter()
            predictor.predict(photos, progress=False)
            least[which] = min(least.get(which, np.inf), time.perf_counter() - began)
    return f'{len(photos)} photos: {least["with"]:.2f} s with certainty, {least["without"]:.2f} s without: {100 * (least["with"] / least["without"] - 1):+.1f} %'


def main():
    "Run one of the four"
    warnings.filterwarnings('ignore')
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=['coverage', 'unlike', 'distances', 'cost'])
    parser.add_argument('paths', nargs='+')
    parser.add_argument('--draws', type=int, default=200)
    parser.add_argument('--by', choices=['group', 'photo'], default='group')
    parser.add_argument('--most', type=int, default=100, help='photos of each folder')
    parser.add_argument('--arch', default='efficientnet_lite2')
    parser.add_argument('--canvas', type=int, default=260)
    parser.add_argument('--save', metavar='NAME')
    given = parser.parse_args()
    pd.set_option('display.width', 200, 'display.max_columns', 20, 'display.max_rows', 100)
    first, *rest = given.paths
    if given.what == 'cost': return print(cost(first, rest[0], given.most))
    if given.what == 'coverage': table = coverage(given.paths, given.draws, given.by)
    elif given.what == 'unlike': table = unlike(first, rest, given.most)
    else: table = distances(given.paths, given.arch, given.canvas, given.most).T
    print(table.map(in_words).to_string())
    if given.save: save(given.save, table.reset_index().to_dict('records'), **ABOUT[given.what], command=f'python benchmarks/certainty.py {given.what} ' + ' '.join(Path(p).name for p in given.paths))


if __name__ == '__main__': main()
