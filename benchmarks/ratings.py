"""Cross-validate `ratings.recipe()` on rated photos, beside linear baselines, EfficientNet-Lite0 and plain fastai, on the same folds.

    python benchmarks/ratings.py TABLE --columns valence,arousal [--theme] [--only default probe ridge ...] [--seeds 1] [--save NAME] [--out FILE.csv]

Every photo is predicted by a network that has not seen it. The table of each rating gives Spearman's correlation and how much more that
is than `--against`, both with a 95 % interval: a paired bootstrap over photos, or over groups. `--theme` keeps photos whose names differ in
a number only (Dog_1.jpg, Dog_2.jpg, ...) in one fold. `--save NAME` writes results/NAME_RATING.json.
"""
import argparse
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from fastai.callback.schedule import Learner  # with `fine_tune`
from fastai.data.block import DataBlock
from fastai.data.transforms import Normalize
from fastai.losses import MSELossFlat
from fastai.torch_core import set_seed
from fastai.vision.augment import Resize, ResizeMethod, aug_transforms
from fastai.vision.data import ImageBlock, RegressionBlock
from fastai.vision.learner import create_head
from torch import nn

from deepconn_fa import ratings
from deepconn_fa.backbones import create_backbone, layer_groups, normalization
from deepconn_fa.blocks import split_by_column
from deepconn_fa.crossval import cross_validate
from deepconn_fa.loader import split_loaders
from deepconn_fa.manifest import answer_groups
from deepconn_fa.metrics import drawn_spearman
from results import add_outputs, as_text, drawn_bounds, save

ARCH = 'efficientnet_lite0'
NAMES = {'default': '`default`', 'lite0': '`default` with EfficientNet-Lite0, 224 px', 'probe': '`probe`: ridge, last three stages', 'ridge': 'ridge, last layer',
         'ridge0': 'ridge, last layer of EfficientNet-Lite0, 224 px', 'fastai': 'plain fastai on EfficientNet-Lite0'}


class PlainFastai(Learner):
    "A Learner as fastai's documentation makes it, with the names that `cross_validate` calls"
    def fit_simple_probe(self): return None

    def fit_recipe(self, say=None):
        with self.no_bar(), self.no_logging(): self.fine_tune(5, freeze_epochs=3)

    def predict_splits(self):
        with self.no_bar(): z, truth = self.get_preds(dl=split_loaders(self.dls)['test'])
        return {'test': (self.target.activate(z).numpy(), truth.numpy())}

    def answers(self, predictions, probe=None):
        rows = self.dls[2].items.reset_index(drop=True)
        return pd.concat([rows, self.target.table(predictions['test'][0])], axis=1)

    def evaluate(self, predictions, probe=None): return {'test': self.target.measure(self.answers(predictions))}


def plain_fastai(target: ratings.RatingTarget) -> Callable:
    "`RegressionBlock` on standardised ratings, 224 px, fastai's head, augmentation and layer groups, `fine_tune(5, freeze_epochs=3)`"
    def make(manifest):
        rows = manifest[manifest.split != ''].reset_index(drop=True)
        mine = target.fitted(rows[rows.split == 'train'])
        block = DataBlock((ImageBlock, RegressionBlock(len(target.names))), get_x=lambda row: row['path'], get_y=lambda row: mine.standardised(row[mine.columns].to_numpy(float)).tolist(),
                          splitter=split_by_column, item_tfms=Resize(224, ResizeMethod.Squish), batch_tfms=[*aug_transforms(), Normalize.from_stats(*normalization(ARCH))])
        set_seed(42)
        dls = block.dataloaders(rows, bs=16)
        body = create_backbone(ARCH, 'imagenet')
        learn = PlainFastai(dls, nn.Sequential(body, create_head(body.n_features, len(target.names))), splitter=layer_groups, loss_func=MSELossFlat())
        learn.target = mine
        return learn
    return make


def theme_of(path: str) -> str: return re.sub(r'[ _-]*\d+$', '', Path(path).stem).lower()


def table_of(found: dict, seconds: dict, truth: np.ndarray, groups: np.ndarray, against: str) -> list[dict]:
    "Spearman's correlation of each candidate's answers, [(n,) of each seed], and how much more that is than the one of `against`"
    def mean(w, name): return np.mean([drawn_spearman(w, answers, truth) for answers in found[name]], 0)
    return [{'': NAMES[name], "Spearman's correlation": drawn_bounds(lambda w: mean(w, name), groups),
             f'more than {NAMES[against]}': None if name == against else drawn_bounds(lambda w: mean(w, name) - mean(w, against), groups),
             'mean absolute error': np.mean([np.abs(answers - truth).mean() for answers in found[name]]), 'CPU seconds': round(seconds[name])} for name in found]


def main():
    "Run the candidates and print the table"
    warnings.filterwarnings('ignore')
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('table')
    parser.add_argument('--columns', default=None)
    parser.add_argument('--folds', type=int, default=5)
    parser.add_argument('--seeds', type=int, default=1)
    parser.add_argument('--theme', action='store_true', help='keep photos of one theme in one fold')
    parser.add_argument('--only', nargs='+', choices=NAMES, default=('default', 'probe', 'ridge'))
    parser.add_argument('--against', choices=NAMES, default='probe')
    add_outputs(parser, 'results/NAME_RATING.json', 'every out-of-fold answer')
    args = parser.parse_args()
    if args.against not in args.only: parser.error(f'--against {args.against}: choose from {", ".join(args.only)}')

    manifest, target = ratings.RatingTarget().read(args.table, columns=args.columns)
    if args.theme: manifest['group'] = manifest.path.map(theme_of)
    lite0 = dict(arch='efficientnet_lite0', canvas=(224, 224))
    def by(name, **fields): return lambda rows: ratings.learner(rows, name, **target.again(), **fields)
    candidates = {'default': by('default'), 'lite0': by('default', **lite0), 'probe': by('probe'), 'ridge': by('probe', body_args={}),
                  'ridge0': by('probe', body_args={}, **lite0), 'fastai': plain_fastai(target)}
    found, seconds, tables = {}, {}, []
    for name in args.only:
        start = time.process_time()
        for seed in range(args.seeds):
            tables.append(cross_validate(candidates[name], manifest, target, folds=args.folds, valid=0, seed=42 + seed).assign(candidate=name, seed=seed))
            found.setdefault(name, []).append(target.answers_in(tables[-1]))
        seconds[name] = (time.process_time() - start) / args.seeds
        print(f'{name}: {seconds[name]:.0f} s of CPU', flush=True)
        if args.out: pd.concat(tables).to_csv(args.out, index=False)

    groups = answer_groups(tables[0])
    about = dict(n=len(tables[0]), groups=len(set(groups)), design=f'{args.folds} folds, {args.seeds} seed' + 's' * (args.seeds > 1) + ', photos of one theme in one fold' * args.theme,
                 interval='bootstrap over photos or groups, 2,000 draws; differences paired', command=f"python benchmarks/ratings.py TABLE --only {' '.join(args.only)}" + ' --theme' * args.theme)
    for k, column in enumerate(target.names):
        rows = table_of({name: [a[:, k] for a in answers] for name, answers in found.items()}, seconds, tables[0][column].to_numpy(float), groups, args.against)
        print(f'\n{as_text(rows)}')
        if args.save: save(f'{args.save}_{column}', rows, data=f'{column.capitalize()} of {args.data}', **about)


if __name__ == '__main__': main()
