"""Cross-validate `ratings.recipe()` on rated photos, beside a ridge on the top layer, EfficientNet-Lite0 and plain fastai, on the same folds.

    python benchmarks/ratings.py TABLE --columns valence,arousal [--theme] [--only fastai default lite0 probe] [--seeds 1] [--out FILE.csv]

Every photo is predicted by a network that has not seen it. The table gives Spearman's correlation of each rating and the difference to
the ridge with a 95 % interval: a paired bootstrap over photos, or over groups. `--theme` keeps photos whose names differ in a number only
(Dog_1.jpg, Dog_2.jpg, ...) in one fold.
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
from deepconn_fa.metrics import bootstrap_figures, drawn_spearman, format_estimate

ARCH = 'efficientnet_lite0'


class PlainFastai(Learner):
    "A Learner as fastai's documentation makes it, with the names that `cross_validate` calls"
    def fit_probe(self): return None

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


def main():
    "Run the candidates and print the table"
    warnings.filterwarnings('ignore')
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('table')
    parser.add_argument('--columns', default=None)
    parser.add_argument('--folds', type=int, default=5)
    parser.add_argument('--seeds', type=int, default=1)
    parser.add_argument('--theme', action='store_true', help='keep photos of one theme in one fold')
    parser.add_argument('--only', nargs='+', choices=('fastai', 'default', 'lite0', 'probe'), default=('default', 'probe', 'fastai'))
    parser.add_argument('--out', help='CSV with every out-of-fold answer')
    args = parser.parse_args()

    manifest, target = ratings.RatingTarget().read(args.table, columns=args.columns)
    if args.theme: manifest['group'] = manifest.path.map(theme_of)
    def recipe(*name, **fields): return lambda rows: ratings.learner(rows, *name, **target.again(), **fields)
    candidates = {'ridge, top layer': recipe('probe', body_args={}), 'default': recipe('default'), 'lite0': recipe('default', arch='efficientnet_lite0', canvas=(224, 224)), 'probe': recipe('probe'), 'fastai': plain_fastai(target)}
    found, seconds, tables = {}, {}, []
    for name in ('ridge, top layer', *args.only):
        start = time.process_time()
        for seed in range(args.seeds):
            table = cross_validate(candidates[name], manifest, target, folds=args.folds, valid=0, seed=42 + seed)
            found.setdefault(name, []).append(table)
            tables.append(table.assign(candidate=name, seed=seed))
        seconds[name] = (time.process_time() - start) / args.seeds
        print(f'{name}: {seconds[name]:.0f} s of CPU', flush=True)
        if args.out: pd.concat(tables).to_csv(args.out, index=False)

    base = found['ridge, top layer']
    groups = answer_groups(base[0])
    print(f'\nn = {len(base[0])}, {len(set(groups))} groups, {args.folds} folds, {args.seeds} seeds')
    for k, column in enumerate(target.names):
        truth, rows = base[0][column].to_numpy(float), []
        def mean_of(w, tables): return np.mean([drawn_spearman(w, target.answers_in(t)[:, k], truth) for t in tables], 0)
        for name, tables in found.items():
            e = bootstrap_figures(lambda w: dict(value=mean_of(w, tables), more=mean_of(w, tables) - mean_of(w, base)), len(truth), groups=groups, draws=2000)
            mae = np.mean([np.abs(target.answers_in(t)[:, k] - truth).mean() for t in tables])
            rows.append({'candidate': name, 'Spearman': format_estimate(e['value']), 'more than the ridge': format_estimate(e['more']), 'mean absolute error': f'{mae:.3f}', 'CPU seconds': f'{seconds[name]:.0f}'})
        print(f'\n{column}\n{pd.DataFrame(rows).to_string(index=False)}')


if __name__ == '__main__': main()
