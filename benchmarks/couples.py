"""Cross-validate the recipes of `couples` on a folder of photos, beside plain fastai, on the same folds.

    python benchmarks/couples.py PHOTOS [--only probe default finetuned fastai spp] [--weights FILE] [--arch mobilenet_v2] [--repeats 2] [--out FILE.csv]

Each repeat predicts every photo by networks that have not seen it. Photos that look nearly the same are kept in one fold
(`--ungrouped` lets them fall apart, as a figure without that care would). The table gives the AUC as the mean over the repeats,
and how much more that is than the AUC of `--against`, both with a 95 % interval: a bootstrap over groups of photos, paired for
the difference. `--arch` and `--weights` are of `finetuned`, `fastai` and `spp`; the others take the recipe's body.
"""
import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from fastai.callback.schedule import Learner  # with `fine_tune`
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.transforms import ColReader, Normalize
from fastai.metrics import accuracy
from fastai.torch_core import set_seed
from fastai.vision.augment import Resize, ResizeMethod, aug_transforms
from fastai.vision.data import ImageBlock
from fastai.vision.learner import create_head
from torch import nn

from deepconn_fa import couples
from deepconn_fa.backbones import create_backbone, layer_groups, normalization
from deepconn_fa.blocks import split_by_column
from deepconn_fa.classes import ClassTarget
from deepconn_fa.crossval import cross_validate
from deepconn_fa.loader import split_loaders
from deepconn_fa.manifest import check_labels, groups_of, scan, usable
from deepconn_fa.metrics import auc, bootstrap
from deepconn_fa.recipe import Phase


class PlainFastai(Learner):
    "A Learner as fastai's documentation makes it, with the names that `cross_validate` calls"
    def fit_probe(self): return {'test': (np.full((self.dls[2].n, len(self.dls.vocab)), np.nan), None)}

    def fit_recipe(self, say=None):
        with self.no_bar(), self.no_logging(): self.fine_tune(5, freeze_epochs=3)

    def predict_splits(self):
        with self.no_bar(): return {'test': (self.get_preds(dl=split_loaders(self.dls)['test'])[0].numpy(), None)}


def plain_fastai(arch: str, weights: str) -> Callable:
    "Makes `vision_learner` without its cut, which does not know every body: 224 px, fastai's head, augmentation and layer groups"
    def make(manifest):
        block = DataBlock((ImageBlock, CategoryBlock), get_x=ColReader('path'), get_y=ColReader('label'), splitter=split_by_column,
                          item_tfms=Resize(224, ResizeMethod.Squish), batch_tfms=[*aug_transforms(), Normalize.from_stats(*normalization(arch))])
        set_seed(42)
        dls = block.dataloaders(manifest[manifest.split != ''].reset_index(drop=True), bs=16)
        body = create_backbone(arch, weights)
        learn = PlainFastai(dls, nn.Sequential(body, create_head(body.n_features, len(dls.vocab))), splitter=layer_groups, metrics=accuracy)
        learn.target = ClassTarget(tuple(dls.vocab))
        return learn
    return make


def by_recipe(name: str, **settings) -> Callable:
    "Makes a Learner by a recipe of `couples`"
    return lambda manifest: couples.learner(manifest, name, **settings)


def with_spp(levels: tuple[int, ...], arch: str, weights: str) -> Callable:
    "Makes a Learner with DeepConnection's head in place of the linear one: first the head alone, then as `finetuned`"
    phases = (Phase(epochs=3, lr=1e-3, frozen=2), *couples.recipe('finetuned').phases)
    return lambda manifest: couples.learner(manifest, 'finetuned', weights=weights, arch=arch, head='spp_pmt', head_args={'levels': levels},
                                            start_at_probe=False, alpha=1., phases=phases)


def main():
    "Run the candidates and print the table"
    warnings.filterwarnings('ignore')
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('photos')
    parser.add_argument('--weights', default='imagenet', help='imagenet, or a file with a torchvision state dict')
    parser.add_argument('--arch', default='mobilenet_v2')
    parser.add_argument('--folds', type=int, default=5)
    parser.add_argument('--repeats', type=int, default=2)
    parser.add_argument('--ungrouped', action='store_true', help='let near-duplicates fall into different folds')
    parser.add_argument('--only', nargs='+', choices=('probe', 'default', 'finetuned', 'fastai', 'spp'), default=('probe', 'default', 'finetuned', 'fastai'))
    parser.add_argument('--against', default='probe', help='a candidate that is among them')
    parser.add_argument('--out', help='CSV with every out-of-fold probability')
    args = parser.parse_args()

    manifest = usable(check_labels(scan(args.photos, duplicates=not args.ungrouped))).reset_index(drop=True)
    groups = groups_of(manifest)
    print(f'{len(manifest)} photos, {len(set(groups))} groups of photos that look nearly the same')
    arch, weights = args.arch, args.weights
    candidates = {
        'probe': {'probe': by_recipe('probe')}, 'default': {'default': by_recipe('default')},
        'finetuned': {'finetuned': by_recipe('finetuned', arch=arch, weights=weights), 'its probe': None},
        'fastai': {'plain fastai': plain_fastai(arch, weights)},
        'spp': {f'head spp_pmt {levels}': with_spp(levels, arch, weights) for levels in ((4, 2, 1), (8, 4, 2, 1))},
    }
    candidates = {name: make for kind in args.only for name, make in candidates[kind].items()}
    if args.against not in candidates: parser.error(f'--against {args.against}: choose from {", ".join(candidates)}')

    second = sorted(manifest.label.unique())[1]
    positive = (manifest.label == second).to_numpy()
    score, seconds, tables = {name: [] for name in candidates}, {}, []
    for name, make in candidates.items():
        if make is None: continue
        start = time.process_time()
        for repeat in range(args.repeats):
            table = cross_validate(make, manifest, folds=args.folds, valid=0 if name in ('probe', 'default') else .15, seed=repeat)
            score[name].append(table[f'prob_{second}'].to_numpy())
            if name == 'finetuned': score['its probe'].append(table[f'probe_{second}'].to_numpy())
            tables.append(table.assign(candidate=name, repeat=repeat))
        seconds[name] = (time.process_time() - start) / args.repeats / args.folds
        print(f'{name}: {seconds[name]:.0f} s of CPU a fold', flush=True)
        if args.out: pd.concat(tables).to_csv(args.out, index=False)

    def mean_auc(y, *scores): return np.mean([auc(y, s) for s in scores])
    def say(e, sign=''): return f"{e['value']:{sign}.3f} ({e['low']:{sign}.3f} to {e['high']:{sign}.3f})"
    base, rows, drawing = score[args.against], [], dict(groups=groups, draws=2000)
    for name, scores in score.items():
        more = bootstrap(lambda y, *s: mean_auc(y, *s[:len(s)//2]) - mean_auc(y, *s[len(s)//2:]), positive, *scores, *base, **drawing)
        right = bootstrap(lambda y, *s: np.mean([((x > .5) == y).mean() for x in s]), positive, *scores, **drawing)
        rows.append({'candidate': name, 'AUC': say(bootstrap(mean_auc, positive, *scores, **drawing)), f'more than {args.against}': say(more, '+'),
                     'accuracy': say(right), 'CPU seconds a fold': f'{seconds[name]:.0f}' if name in seconds else ''})
    print(f'\nn = {len(manifest)}, {args.folds} folds, {args.repeats} repeats')
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == '__main__': main()
