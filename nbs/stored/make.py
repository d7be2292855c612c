"""Make this folder anew. It must be run with version 0.3.0 of deepconn_fa, in an empty folder: `python make.py`

What lies here was made by 0.3.0 on 2 CPU cores with torch 2.14: 80_runs.ipynb tests that newer versions read it and still get the same figures.
"""
import contextlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import deepconn_fa
from deepconn_fa.backbones import OWN, SmallCNN
from deepconn_fa.runs import predict, train

NARROW = dict(weights=None, arch='narrow_cnn', batch_size=4, precision='fp32')  # some processors would take bf16
RUNS = {
    'classes': dict(task='objects', photos='textures', recipe='scratch', canvas=(32, 32), epochs=4, **NARROW),
    'one_logit': dict(task='emotions', photos='textures', recipe='scratch', canvas=(32, 32), epochs=2, loss='bce', **NARROW),
    'points': dict(task='hands', photos='dots', recipe='scratch', canvas=(32, 24), epochs=3, head_args=dict(width=8, margin=2, sigma=1.), **NARROW),
    'folds': dict(task='couples', photos='textures', recipe='scratch', canvas=(32, 32), epochs=2, folds=2, **NARROW),
}
KEPT = [('config.json', 'manifest.csv', 'answers.csv', 'metrics.json', 'history.csv', 'suspects.csv', 'predictions.csv', 'model.safetensors',
         'probe.safetensors'),
        ('config.json', 'manifest.csv', 'checkpoint.safetensors')]  # of a finished run, and of one that was killed


def draw_textures(folder: Path, n: int) -> None:
    "Save photos of 16 x 16 pixels: noise of two strengths, in four grey levels"
    for i in range(n):
        kind, noise = ('calm', 40) if i % 2 else ('rough', 90), np.random.RandomState(i).normal(size=(16, 16))
        (folder/kind[0]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(((128 + kind[1] * noise).clip(0, 255) // 64 * 64).astype('uint8')).save(folder/kind[0]/f'{i:02}.png')


def draw_dots(folder: Path, n: int) -> None:
    "Save photos of 24 x 32 pixels, each with a light dot and a dark one, and where these are"
    (folder/'photos').mkdir(parents=True)
    rows = []
    for i in range(n):
        random = np.random.RandomState(100 + i)
        pixels = 128 + 20 * random.randint(-2, 3, size=(8, 6)).repeat(4, 0).repeat(4, 1)
        (x, u), (y, v) = random.randint(3, 21, 2), (random.randint(3, 14), random.randint(18, 29))
        pixels[y - 2:y + 3, x - 2:x + 3], pixels[v - 2:v + 3, u - 2:u + 3] = 255, 0
        Image.fromarray(pixels.astype('uint8')).save(folder/'photos'/f'{i:02}.png')
        rows.append(dict(file=f'photos/{i:02}.png', side='right' if i % 3 else 'left', left_dot_x=x, left_dot_y=y, right_dot_x=u, right_dot_y=v))
    pd.DataFrame(rows).to_csv(folder/'keypoints.csv', index=False)


def break_off(line: str) -> None:
    "What Ctrl-C does when the second epoch has been told"
    if line.split()[:2] == ['1', '2']: raise KeyboardInterrupt


def main() -> None:
    if deepconn_fa.__version__ != '0.3.0': sys.exit(f'this is deepconn_fa {deepconn_fa.__version__}, not 0.3.0')
    OWN['narrow_cnn'] = lambda: SmallCNN((4, 8, 8, 8))
    draw_textures(Path('textures'), 24)
    draw_dots(Path('dots'), 16)
    for name, settings in RUNS.items():
        train(out=name, **settings)
        predict(name, 'dots/photos' if name == 'points' else 'textures').to_csv(Path(name)/'predictions.csv', index=False)
    with contextlib.suppress(KeyboardInterrupt): train(out='broken_off', say=break_off, report=False, **RUNS['classes'])
    for run in (*RUNS, 'broken_off'):
        for file in Path(run).iterdir():
            if file.is_dir(): shutil.rmtree(file)
            elif file.name not in KEPT[run == 'broken_off'] or file.name == 'probe.safetensors' and run != 'classes': file.unlink()
            elif file.suffix in ('.csv', '.json'): file.write_text(file.read_text().replace(f'{Path.cwd()}/', ''))  # 0.3.0 writes absolute paths


if __name__ == '__main__': main()
