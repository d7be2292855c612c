"""Measure keypoint heads, losses and settings on one labelled set of photos, beside the mean shape and plain fastai.

    python benchmarks/hands.py LABELS --folds 4                     `default` alone, cross-validated
    python benchmarks/hands.py LABELS [--spec face68] [--points 0,8,16] [--train 51] [--valid 9] [--only dsnt tanh] [--seeds 1 2 3] [--epochs 60] [--save NAME] [--out FILE.csv]

LABELS is a label file or a folder that holds one. A column `split` in it is kept; else the first `--train` photos by name train, the
next `--valid` ones validate and all others are the test. Every candidate is `hands.recipe()` with some fields set otherwise. Given is
the mean L1 error of a coordinate on a canvas of 384 x 288 over the test photos, as the mean over the seeds, with a 95 % interval that
comes from drawing photos (or groups of them) anew; it does not cover the choice among candidates. Seconds are of one thread's CPU time.
`--frames FOLDER` pastes every photo, 60 to 100 px wide, into a photo of FOLDER of 640 x 480 px: points that are small in the frame.
`--unlabelled PATH` adds `default` that also learns from a video or photos without labels.
`--mobilenet FILE` gives the weights of the candidates with MobileNetV2, which no package brings. With `--folds`, photos whose names
differ in a number only (a_1.jpg, a_2.jpg) are in one fold. `--save NAME` writes the table to results/NAME.json.
"""
import argparse
import shlex
import time
import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from fastai.callback.schedule import Learner  # with `fit_one_cycle`
from fastai.data.block import DataBlock
from fastai.data.transforms import ColReader, Normalize
from fastai.layers import SigmoidRange
from fastai.losses import L1LossFlat
from fastai.torch_core import set_seed
from fastai.vision.augment import Resize, ResizeMethod, aug_transforms
from fastai.vision.data import ImageBlock, PointBlock
from fastai.vision.learner import create_head
from PIL import Image
from torch import nn

from deepconn_fa import hands
from deepconn_fa.backbones import create_backbone, layer_groups, normalization
from deepconn_fa.blocks import split_by_column
from deepconn_fa.callbacks import BnFreeze
from deepconn_fa.crossval import cross_validate
from deepconn_fa.keypoints import points_of, spec_of
from deepconn_fa.labels import read_labels, usable_points
from deepconn_fa.loader import split_loaders
from deepconn_fa.manifest import groups_of
from deepconn_fa.metrics import bootstrap, canvas_scales
from deepconn_fa.points import PointTarget
from deepconn_fa.recipe import Phase
from deepconn_fa.sight import Sight
from ratings import theme_of
from results import add_outputs, as_text, bounds, save

CANVAS = (384, 288)
ERROR = 'mean L1 error of a coordinate on a canvas of 384 x 288 px'
LAST = '... and shifted, or a second look'  # as `default` does
VIEWS = {'photo alone, each point alone': (False, ()), '... points together': (True, ()), '... and mirror image': (True, ('flip',)), '... and aligned': (True, ('flip', 'align', 'zoom')),
         LAST: (True, ('flip', 'shift', 'zoom'))}

GENTLE = (3e-4, 1e-4, 3e-4)   # at 0.001, every hidden unit of the linear heads dies in five of six trainings, which then say the mean shape

HEAD = hands.recipe().head_args

def phases(epochs, lr=(1e-3, 3e-4, 3e-3), **fields): return dict(phases=(Phase(epochs=epochs, lr=lr, **fields),))
def head(name, **args): return dict(head=name, head_args=args)
def augment(**args): return dict(augment=hands.TURNED | args)

CANDIDATES = {
    'dsnt': {}, 'tanh': head('tanh') | phases(60, GENTLE), 'tanh wing': head('tanh', loss='wing') | phases(60, GENTLE),
    'dsnt wing': head('dsnt', **HEAD, loss='wing'), 'dsnt soft_wing': head('dsnt', **HEAD, loss='soft_wing'),
    'simcc': head('simcc'), 'rle': head('rle') | phases(60, GENTLE),
    'no offset': dict(label_offset=False), '100 epochs': phases(100), '150 epochs': phases(150), '30 epochs': phases(30),
    '256x192': dict(canvas=(256, 192)), 'before': dict(canvas=(192, 144), head_args=hands.DSNT), 'elastic': augment(elastic=.15, warp=.05), 'turned more': augment(rotate=25., scale=.25, stretch=.1, shift=.1),
    'weak light': augment(brightness=.1, contrast=.15, saturation=.15), 'blur and noise': augment(blur=.7, noise=.02),
    'thorough': {field: getattr(hands.recipe('thorough'), field) for field in ('canvas', 'augment', 'phases')},
    'mobilenet_v2': dict(arch='mobilenet_v2'), 'no zoom': dict(tta=('flip', 'align')),
    'frozen body': phases(60, frozen=2), 'late half of the body': phases(60, frozen=1), 'batch 16': dict(batch_size=16),
}


def read(args) -> tuple[pd.DataFrame, object]:
    "The labelled photos with their split"
    points = args.points and [int(p) if p.isdigit() else p for p in args.points.split(',')]
    manifest, spec = read_labels(args.labels, spec=args.spec, points=points, progress=False)
    manifest = usable_points(manifest, spec).sort_values('path').reset_index(drop=True)
    if 'split' not in manifest or (manifest.split == '').all():
        ends = args.train, args.train + args.valid
        manifest['split'] = ['train' if i < ends[0] else 'valid' if i < ends[1] else 'test' for i in range(len(manifest))]
    manifest.attrs['spec'] = spec.to_dict()
    return manifest, spec


def into_frames(manifest, spec, frames: Path, home: Path) -> pd.DataFrame:
    "The photos, small, in large frames, and their points there"
    rng, backgrounds, size = np.random.default_rng(0), sorted(frames.rglob('*.jpg')), np.array([640, 480])
    points, manifest = points_of(manifest, spec), manifest.assign(width=size[0], height=size[1])
    for i, path in enumerate(manifest.path):
        photo = Image.open(path).convert('RGB')
        scale = rng.uniform(60, 100) / photo.width
        photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
        frame, at = Image.open(backgrounds[i % len(backgrounds)]).convert('RGB').resize(tuple(size)), rng.integers(0, size - photo.size)
        frame.paste(photo, tuple(at))
        frame.save(home/f'{i:04}.png')
        points[i] = (points[i] + .5) * scale - .5 + at
    manifest['path'], manifest[list(spec.columns)] = [str(home/f'{i:04}.png') for i in range(len(manifest))], points.reshape(len(manifest), -1)
    return manifest


def errors(found, rows, spec) -> np.ndarray:
    "(photos,): mean L1 error of a photo's coordinates on the canvas of 384 x 288"
    scale = canvas_scales(rows[['width', 'height']].to_numpy(), CANVAS, 'squish')
    return np.nanmean(np.abs(found[..., :2] - points_of(rows, spec)) * np.asarray(scale).reshape(len(rows), 1, -1), (1, 2))


def distances(found, rows, spec) -> np.ndarray:
    "(photos,): mean distance of a photo's points from where they are, in pixels of the photo"
    return np.nanmean(np.linalg.norm(found[..., :2] - points_of(rows, spec), axis=2), 1)


def ours(manifest, spec, args, fields, seed):
    "Train one candidate: {views: points of the test photos}, seconds, and error of the training photos"
    learn = hands.learner(manifest, weights=args.mobilenet if fields.get('arch') == 'mobilenet_v2' else args.weights, seed=seed, **fields)
    start = time.process_time()
    learn.fit_recipe(say=None)
    seconds, found = time.process_time() - start, {}
    for name, (pose, tta) in VIEWS.items():
        learn.recipe, learn.model[1].pose = learn.recipe.replace(tta=tta), pose and learn.recipe.head_args.get('pose', False)
        predicted = learn.predict_splits()
        found[name] = predicted['test'][0]
        if name == '... points together': train = errors(predicted['train'][0], split_loaders(learn.dls)['train'].items, spec).mean()
    return found, seconds, train


def plain_fastai(manifest, spec, args, epochs, seed):
    "fastai as its documentation has it: `PointBlock`, `y_range`, L1, its head and its augmentation; batch norm in eval mode once the body is trained"
    set_seed(seed)
    block = DataBlock((ImageBlock, PointBlock), get_x=ColReader('path'), get_y=lambda row: torch.tensor(points_of(row.to_frame().T, spec)[0] + .5).float(),
                      splitter=split_by_column, item_tfms=Resize(CANVAS, ResizeMethod.Squish), batch_tfms=[*aug_transforms(), Normalize.from_stats(*normalization('mobilenet_v2'))])
    dls = block.dataloaders(manifest, bs=8)
    body = create_backbone('mobilenet_v2', args.mobilenet)
    model = nn.Sequential(body, nn.Sequential(create_head(body.n_features, 2 * spec.n), SigmoidRange(-1, 1)))
    learn = Learner(dls, model, splitter=layer_groups, loss_func=L1LossFlat())
    start = time.process_time()
    with learn.no_bar(), learn.no_logging():
        learn.freeze()
        learn.fit_one_cycle(epochs[0], 1e-3)
        if epochs[1]:
            learn.add_cb(BnFreeze())
            learn.unfreeze()
            learn.fit_one_cycle(epochs[1], slice(1e-4, 1e-3))
        seconds = time.process_time() - start
        test = split_loaders(dls)['test']
        found = learn.get_preds(dl=test)[0].as_subclass(torch.Tensor).view(test.n, -1, 2).numpy()
    sizes = test.items[['width', 'height']].to_numpy()
    return {'photo alone, each point alone': (found + 1) / 2 * sizes[:, None] - .5}, seconds, np.nan


def cross_validated(manifest, spec, args) -> list[dict]:
    "`default` and the mean shape, each photo by training on photos of other groups"
    target, sight = PointTarget(spec, metric_canvas=CANVAS), Sight(canvas=CANVAS)
    manifest = manifest.assign(split='', group=manifest.path.map(theme_of))
    fields = dict(phases=(replace(hands.recipe().phases[0], epochs=args.epochs),)) if args.epochs else {}
    table = cross_validate(lambda rows: hands.learner(rows, weights=args.weights, seed=args.seeds[0], **fields), manifest, target, folds=args.folds, valid=0, say=print)
    shapes = target.fold_baseline(table, sight)
    error, shape = (errors(points, table, spec) for points in (target.answers_in(table), target.mean_points(table, sight, shapes)))
    def estimate(error): return bounds(bootstrap(np.mean, error, groups=groups_of(table).to_numpy()))
    figures, near = target.measure(table, sight, shapes), 'points within a tenth of the size'
    return [{'': 'mean shape', 'error, px': estimate(shape), 'less than mean shape': None, near: bounds(figures['baseline_pck'])},
            {'': '`default`', 'error, px': estimate(error), 'less than mean shape': estimate(shape - error), near: bounds(figures['pck'])}]


def main():
    "Run the candidates and print the table"
    warnings.filterwarnings('ignore')
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('labels')
    parser.add_argument('--weights', default='imagenet')
    parser.add_argument('--mobilenet', default='imagenet', metavar='FILE')
    parser.add_argument('--frames', type=Path, metavar='FOLDER')
    parser.add_argument('--unlabelled', metavar='PATH')
    parser.add_argument('--spec')
    parser.add_argument('--points')
    parser.add_argument('--train', type=int, default=51)
    parser.add_argument('--valid', type=int, default=9)
    parser.add_argument('--only', nargs='+', choices=(*CANDIDATES, 'fastai'), default=('dsnt', 'tanh', 'simcc', 'rle', 'fastai'))
    parser.add_argument('--folds', type=int)
    parser.add_argument('--epochs', type=int, help='so many for every candidate but fastai')
    parser.add_argument('--seeds', nargs='+', type=int, default=(1, 2, 3))
    add_outputs(parser, 'results/NAME.json', 'the error of every test photo; runs that it holds already are not repeated')
    args = parser.parse_args()
    torch.set_num_threads(1)

    if args.folds and args.unlabelled: parser.error('--unlabelled is for a split, not for --folds')

    manifest, spec = read(args)
    home = TemporaryDirectory()
    if args.frames: manifest = into_frames(manifest, spec, args.frames, Path(home.name))
    about = dict(data=args.data, digits=2, interval='bootstrap over photos or groups, 1,000 draws; differences paired')
    options = ''.join(f' --{name} {value}' for name in ('spec', 'points', 'folds') if (value := getattr(args, name)))
    options += ' --frames FOLDER' * bool(args.frames) + ' --unlabelled PATH' * bool(args.unlabelled) + ' --mobilenet FILE' * (args.mobilenet != 'imagenet')
    if args.folds:
        table = cross_validated(manifest, spec, args)
        print(as_text(table, 2))
        if args.save:
            save(args.save, table, **about, n=len(manifest), groups=manifest.path.map(theme_of).nunique(), command=f'python benchmarks/hands.py LABELS{options}',
                 design=f'{spec_of(spec).n} points, {args.folds} folds, photos of one thing in one fold; {ERROR}')
        return
    rows = manifest[manifest.split == 'test']
    own, alike = spec_of(spec), len(rows[['width', 'height']].drop_duplicates()) == 1
    print(manifest.split.value_counts().to_dict(), flush=True)
    wanted = {name: fields for name, fields in CANDIDATES.items() if name in args.only}
    if args.unlabelled: wanted['with unlabelled frames'] = dict(unlabelled=args.unlabelled)
    if args.epochs: wanted = {f'{name}, {args.epochs} epochs': fields | dict(phases=(replace(fields.get('phases', hands.recipe().phases)[0], epochs=args.epochs),)) for name, fields in wanted.items()}
    if 'fastai' in args.only: wanted |= {'fastai, 60 frozen': (60, 0), 'fastai, 20 frozen and 100': (20, 100)}
    kept = pd.read_csv(args.out) if args.out and args.out.exists() else pd.DataFrame(columns=['candidate', 'seed'])
    for seed in args.seeds:
        for name, fields in wanted.items():
            if ((kept.candidate == name) & (kept.seed == seed)).any(): continue
            found, seconds, train = (plain_fastai if isinstance(fields, tuple) else ours)(manifest, spec, args, fields, seed)
            found = {views: (errors(points, rows, own), distances(points, rows, own)) for views, points in found.items()}
            for views, (error, distance) in found.items():
                row = pd.DataFrame(dict(candidate=name, seed=seed, views=views, seconds=seconds, train=train, path=rows.path.map(lambda p: Path(p).name), error=error, distance=distance))
                kept = pd.concat([kept, row], ignore_index=True)
            if args.out: kept.to_csv(args.out, index=False)
            print(f'{name}, seed {seed}: ' + ', '.join(f'{views} {error.mean():.2f}' for views, (error, _) in found.items()) + f' ({seconds:.0f} s, train {train:.2f})', flush=True)

    groups = groups_of(rows).to_numpy()
    share = np.nanmean(points_of(manifest[manifest.split == 'train'], own) / manifest.loc[manifest.split == 'train', ['width', 'height']].to_numpy()[:, None], 0)
    def estimate(error): return bounds(bootstrap(np.mean, error, groups=groups))
    photos = [Path(p).name for p in rows.path]
    parts = {which: part for which, part in kept.groupby(['candidate', 'views'], sort=False)}
    off, apart = ({which: part.groupby('path')[what].mean()[photos].to_numpy() for which, part in parts.items()} for what in ('error', 'distance'))
    def on_photo(distance): return {'distance on the photo, px': estimate(distance)} if alike else {}   # else, its pixels are of many sizes
    mean_shape = share * rows[['width', 'height']].to_numpy()[:, None]
    shape = errors(mean_shape, rows, own)
    default, table = off.get(('dsnt', LAST)), [{'': 'mean shape', 'error, px': estimate(shape), **on_photo(distances(mean_shape, rows, own))}]
    for (name, views), error in off.items():
        part = parts[name, views]
        of_seeds = part.groupby('seed')[['seconds', 'train']].first().mean()
        table.append({'': f"{'`default`' if name == 'dsnt' else name}: {views}", 'error, px': estimate(error), **on_photo(apart[name, views]), 'less than mean shape': estimate(shape - error),
                      'more than `default`': estimate(error - default) if default is not None and error is not default else None, 'seeds': part.seed.nunique(),
                      'error of training photos': None if np.isnan(of_seeds.train) else of_seeds.train, 'CPU seconds': round(of_seeds.seconds)})
    print(f'\nn = {len(rows)} test photos')
    print(as_text(table, 2))
    if args.save:
        design = f"{own.n} points, {(manifest.split == 'train').sum()} training photos{', pasted small into frames of 640 x 480 px' * bool(args.frames)}; {ERROR}"
        command = f"python benchmarks/hands.py LABELS --only {shlex.join(args.only)} --seeds {' '.join(map(str, args.seeds))}{options}"
        save(args.save, table, **about, n=len(rows), design=design, command=command)


if __name__ == '__main__': main()
