"""How fast do photos become answers: torch, ONNX, ONNX in eight bits, and fastai's own `get_preds`?

    python benchmarks/predict.py [RUN] [--photos 1000] [--side 4000x3000] [--save NAME]    photos/s, seconds to the first answer, peak memory
    python benchmarks/predict.py [RUN] --memory 20000 [--save NAME]          peak memory of that many small photos, beside a tenth of them

RUN is a folder that `deepconn train` left; without one, an untrained EfficientNet-Lite2 for two classes stands in. Each way runs
in a process of its own, on the same rendered photos, whose JPEG is decoded anew each time. The first answer is that of a cold
process to one photo, imports included. Memory is the largest resident set, without the two processes that read photos for fastai.
"""
import argparse
import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

WAYS = {'torch': 'torch', 'onnx': 'ONNX', 'int8': 'ONNX, eight bits', 'fastai': "fastai's `get_preds`"}


def render(folder: Path, n: int, size: tuple[int, int]) -> None:
    "Save `n` photos of `size` (width, height); the first thousand are drawn, the others are links to them"
    from PIL import Image

    from deepconn_fa.synth import draw_couple
    folder.mkdir()
    for i in range(min(n, 1000)): draw_couple(i % 2 == 0, i, size=(240, 320))[0].resize(size, Image.Resampling.BILINEAR).save(folder/f'{i:05}.jpg', quality=90)
    for i in range(1000, n): (folder/f'{i:05}.jpg').hardlink_to(folder/f'{i % 1000:05}.jpg')


def stand_in(folder: Path, arch: str = 'efficientnet_lite2', side: int = 260) -> Path:
    "A bundle of an untrained network"
    import torch

    from deepconn_fa.backbones import create_network
    from deepconn_fa.bundle import save_bundle
    torch.manual_seed(0)
    network = create_network(arch, 'linear', 2, canvas=(side, side), weights='imagenet', head_args={})
    return save_bundle(folder/'model.safetensors', network.eval(), dict(task='couples', classes=['happy', 'unhappy'], activation='softmax', arch=arch, head='linear',
                                                                         canvas=[side, side], resize='squish', mean=[.5] * 3, std=[.5] * 3))


def peak() -> float:
    "The largest resident set so far, in MB; getrusage's would count that of the process which started this one"
    status = Path('/proc/self/status')
    if status.exists(): return int(re.search(r'VmHWM:\s*(\d+)', status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def by_fastai(file: Path, photos: list[Path]):
    "What fastai's own loader and `get_preds` make of the same network and photos"
    import fastai.callback.progress  # noqa: F401  gives Learners their `no_bar`
    import torch
    from fastai.data.block import DataBlock
    from fastai.learner import Learner
    from fastai.vision.augment import Resize
    from fastai.vision.data import ImageBlock

    from deepconn_fa.bundle import load_bundle
    from deepconn_fa.target import Model
    model = Model.of(load_bundle(file))
    dls = DataBlock(ImageBlock, item_tfms=Resize(model.sight.canvas[::-1], method='squish')).dataloaders(photos[:8], bs=4, num_workers=2)
    learn = Learner(dls, model.network, loss_func=torch.nn.CrossEntropyLoss())
    with learn.no_bar(): return learn.get_preds(dl=dls.test_dl(photos, bs=64, num_workers=2))[0]


def work(way: str, file: Path, folder: Path, most: int) -> None:
    "Answer photos in this process, and print figures"
    begin, first, photos = time.time(), None, sorted(folder.glob('*.jpg'))[:most]
    if way == 'fastai': answers = by_fastai(file, photos)
    else:
        from deepconn_fa.inference import Predictor
        predictor = Predictor(file, device='cpu')
        predictor.predict(photos[0], progress=False)
        first, begin = time.time() - begin, time.time()
        answers = predictor.predict(photos, progress=False)
    seconds = time.time() - begin
    print(json.dumps(dict(way=way, photos=len(answers), seconds=seconds, first=first, peak=peak())))


def asked(way: str, file: Path, folder: Path, most: int) -> dict:
    "The figures of a process of its own"
    done = subprocess.run([sys.executable, '-W', 'ignore', __file__, '--work', way, str(file), str(folder), str(most)], capture_output=True, text=True)
    if done.returncode: sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run', nargs='?', type=Path)
    parser.add_argument('--photos', type=int, default=1000)
    parser.add_argument('--side', default='4000x3000')
    parser.add_argument('--memory', type=int)
    parser.add_argument('--save', metavar='NAME')
    given = parser.parse_args()
    from deepconn_fa.export import export_onnx
    from deepconn_fa.predictions import model_file
    with TemporaryDirectory() as tmp:
        folder = Path(tmp)/'photos'
        render(folder, given.memory or given.photos, (320, 240) if given.memory else tuple(map(int, given.side.split('x'))))
        file = model_file(given.run) if given.run else stand_in(Path(tmp))
        files = dict(torch=file, fastai=file, onnx=export_onnx(file, Path(tmp)/'model.onnx', photos=folder))
        if given.memory:
            rows = []
            for most in (given.memory // 10, given.memory):
                found = asked('onnx', files['onnx'], folder, most)
                print(f'{most:6} photos: {found["peak"]:.0f} MB, {found["photos"] / found["seconds"]:.1f} photos/s', flush=True)
                rows.append({'': f'{most:,} photos', 'peak, MB': round(found['peak']), 'photos/s': found['photos'] / found['seconds']})
            if given.save:
                from results import save
                save(given.save, rows, data='Rendered JPEGs of 320 x 240 px, a thousand of them under many names', n=given.memory, digits=1, interval='',
                     design='ONNX, each row in a process of its own', command=f'python benchmarks/predict.py --memory {given.memory}')
            return
        rows = []
        files['int8'] = export_onnx(file, Path(tmp)/'model-int8.onnx', int8=True, photos=folder)
        for way in WAYS:
            found = asked(way, files[way], folder, given.photos)
            first = '' if found['first'] is None else f', first answer after {found["first"]:.1f} s'
            print(f'{way:7} {found["photos"] / found["seconds"]:6.1f} photos/s{first}, peak {found["peak"]:.0f} MB', flush=True)
            rows.append({'': WAYS[way], 'photos/s': found['photos'] / found['seconds'], 'first answer of a cold process, s': found['first'], 'peak, MB': round(found['peak'])})
        if given.save:
            from results import save
            save(given.save, rows, data=f'Rendered JPEGs of {given.side} px' + ', EfficientNet-Lite2 at 260 px' * (given.run is None), n=given.photos, digits=1, design='Each way in a process of its own, one run', command='python benchmarks/predict.py')


if __name__ == '__main__':
    if sys.argv[1:2] == ['--work']: work(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
    else: main()
