"""Cross-validate the recipes of a task for classes on a folder of photos, beside simple baselines and plain fastai, on the same folds.

    python benchmarks/classes.py PHOTOS [--task couples] [--only default probe ...] [--weights FILE] [--repeats 5] [--save NAME] [--out FILE.csv]

Each repeat predicts every photo by networks that have not seen it; photos that look nearly the same are kept in one fold. The table gives
the AUC, or for more than two classes the accuracy per class on average, as the mean over the repeats, and how much more that is than the
strongest of the simple baselines (or `--against`), both with a 95 % interval: a bootstrap over groups of photos, paired for the
difference. CPU seconds are those of one repeat. `--arch` and `--weights` are of `finetuned`, `mobilenet`, `fastai` and `spp`; the others take the recipe's body.
`--save NAME` writes the table to results/NAME.json.
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

from deepconn_fa import couples, emotions, objects
from deepconn_fa.backbones import create_backbone, layer_groups, normalization
from deepconn_fa.blocks import split_by_column
from deepconn_fa.classes import ClassTarget
from deepconn_fa.crossval import cross_validate
from deepconn_fa.loader import split_loaders
from deepconn_fa.manifest import check_labels, groups_of, scan, usable
from deepconn_fa.metrics import drawn_auc
from deepconn_fa.recipe import Phase
from results import add_outputs, as_text, drawn_bounds, save

TASKS = {'couples': couples, 'emotions': emotions, 'objects': objects}
NAMES = {'default': '`default`', 'probe': '`probe`', 'probe288': '`probe` at 288 px', 'lite0': 'EfficientNet-Lite0, last layer', 'mobilenet': 'MobileNetV2, last layer, 288 px',
         'finetuned': '`finetuned`', 'fastai': 'plain fastai', 'spp': 'head `spp_pmt`',
         'one_rate': '`finetuned`, every layer at one rate', 'layerwise': '`finetuned`, every layer, rates fall by 10 towards the early ones'}
BASELINES = ('probe', 'probe288', 'lite0', 'mobilenet')


class PlainFastai(Learner):
    "A Learner as fastai's documentation makes it, with the names that `cross_validate` calls"
    def fit_simple_probe(self): return {'test': (np.full((self.dls[2].n, len(self.dls.vocab)), np.nan), None)}

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


def candidates(task, arch: str, weights: str) -> dict[str, Callable]:
    "What makes a Learner of a manifest, for each name in NAMES"
    def by(name, **settings): return lambda manifest: task.learner(manifest, name, **settings)
    late = (Phase(epochs=3, lr=1e-3, frozen=2), *couples.recipe('finetuned').phases)
    return {
        'default': by('default'), 'probe': by('probe'), 'probe288': by('probe', canvas=(288, 288), tta=('flip',)),
        'lite0': by('probe', arch='efficientnet_lite0', canvas=(224, 224), tta=('flip',)),
        'mobilenet': by('probe', arch='mobilenet_v2', weights=weights, canvas=(288, 288), tta=('flip',)),
        'finetuned': by('finetuned', arch=arch, weights=weights), 'fastai': plain_fastai(arch, weights),
        # every layer trained, at one rate, and at rates that fall towards the early ones
        'one_rate': by('finetuned', arch=arch, weights=weights, phases=(Phase(epochs=12, lr=1e-4),)),
        'layerwise': by('finetuned', arch=arch, weights=weights, phases=(Phase(epochs=12, lr=(1e-5, 1e-4, 1e-3)),)),
        # DeepConnection's head in place of the linear one: first the head alone, then as `finetuned`
        'spp': by('finetuned', weights=weights, arch=arch, head='spp_pmt', head_args={'levels': (4, 2, 1)}, start_at_probe=False, alpha=1., phases=late),
    }


def drawn_score(weights: np.ndarray, truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    "(draws,): the AUC of two classes; the mean accuracy per class of more"
    if answers.shape[1] == 2: return drawn_auc(weights, truth == 1, answers[:, 1])
    right = (answers.argmax(1) == truth)[:, None] * (parts := np.eye(answers.shape[1])[truth])
    with np.errstate(invalid='ignore'): return np.nanmean(weights @ right / (weights @ parts), axis=1)


def drawn_right(weights: np.ndarray, truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    "(draws,): the accuracy"
    return weights @ (answers.argmax(1) == truth) / weights.sum(1)


def table_of(found: dict, seconds: dict, truth: np.ndarray, groups: np.ndarray, against: str | None) -> list[dict]:
    "Figures of each candidate, and how much more its score is than that of the strongest simple baseline"
    def mean(w, name, score=drawn_score): return np.mean([score(w, truth, answers) for answers in found[name]], 0)
    all_once, metric = np.ones((1, len(truth))), 'AUC' if found[min(found)][0].shape[1] == 2 else 'accuracy per class'
    base = against or max((name for name in found if name in BASELINES), key=lambda name: mean(all_once, name)[0])
    return [{'': NAMES[name], metric: drawn_bounds(lambda w: mean(w, name), groups), f'more than {NAMES[base]}': None if name == base else drawn_bounds(lambda w: mean(w, name) - mean(w, base), groups),
             'accuracy': drawn_bounds(lambda w: mean(w, name, drawn_right), groups), 'CPU seconds': round(seconds[name])} for name in found]


def main():
    "Run the candidates and print the table"
    warnings.filterwarnings('ignore')
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('photos')
    parser.add_argument('--task', choices=TASKS, default='couples')
    parser.add_argument('--weights', default='imagenet', help='imagenet, or a file with a torchvision state dict')
    parser.add_argument('--arch', default='mobilenet_v2')
    parser.add_argument('--folds', type=int, default=5)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--ungrouped', action='store_true', help='let near-duplicates fall into different folds, as a figure without that care would')
    parser.add_argument('--only', nargs='+', choices=NAMES, default=('default', 'probe', 'probe288', 'lite0'))
    parser.add_argument('--against', choices=NAMES)
    add_outputs(parser, 'results/NAME.json', 'every out-of-fold probability')
    args = parser.parse_args()
    if not {*args.only} & {args.against or '', *(() if args.against else BASELINES)}: parser.error(f'nothing to compare with: add {args.against or " or ".join(BASELINES)} to --only')

    manifest = usable(check_labels(scan(args.photos, duplicates=not args.ungrouped))).reset_index(drop=True)
    groups, classes = groups_of(manifest).to_numpy(), sorted(manifest.label.unique())
    truth, making = np.searchsorted(classes, manifest.label), candidates(TASKS[args.task], args.arch, args.weights)
    print(f'{len(manifest)} photos, {len(set(groups))} groups of photos that look nearly the same', flush=True)
    found, seconds, tables = {}, {}, []
    for name in args.only:
        start = time.process_time()
        for repeat in range(args.repeats):
            table = cross_validate(making[name], manifest, folds=args.folds, valid=.15 if name in ('finetuned', 'one_rate', 'layerwise', 'fastai', 'spp') else 0, seed=repeat)
            found.setdefault(name, []).append(table[[f'prob_{c}' for c in classes]].to_numpy())
            tables.append(table.assign(candidate=name, repeat=repeat))
            seconds.setdefault(name, time.process_time() - start)  # of the first: later ones find features of frozen bodies computed
        print(f'{name}: {seconds[name]:.0f} s of CPU', flush=True)
        if args.out: pd.concat(tables).to_csv(args.out, index=False)

    rows = table_of(found, seconds, truth, groups, args.against)
    print(as_text(rows))
    if args.save:
        command = f"python benchmarks/classes.py PHOTOS --task {args.task} --only {' '.join(args.only)} --repeats {args.repeats}" + f' --against {args.against}' * bool(args.against) + ' --weights FILE' * (args.weights != 'imagenet')
        save(args.save, rows, data=args.data, n=len(manifest), groups=len(set(groups)), command=command, interval='bootstrap over groups of photos, 2,000 draws; differences paired',
             design=f'{args.repeats} repeat{"s" * (args.repeats > 1)} of {args.folds} folds; photos that look nearly the same in one fold')


if __name__ == '__main__': main()
