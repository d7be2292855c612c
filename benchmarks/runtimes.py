"""How fast is the network alone: torch with few or many photos at once, ONNX Runtime, OpenVINO?

    pip install openvino
    python benchmarks/runtimes.py [RUN] [--save NAME]      photos/s and seconds to open the file

RUN as in predict.py. Nothing is decoded. The ways take turns, and each counts with its median.
"""
import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from predict import stand_in
from results import save

PHOTOS, TURNS = 32, 9


def open_all(bundle: Path, file: Path) -> dict[str, tuple[float, Callable]]:
    "{way: seconds that opening took, and what answers pixels (n, 3, h, w)}"
    import onnxruntime
    import openvino
    import torch

    from deepconn_fa.inference import Predictor

    core = openvino.Core()

    def with_torch(size):
        backend = Predictor(bundle, device='cpu').backend

        def answer(pixels):
            with torch.inference_mode(): return np.concatenate([backend.answer(part)[0].numpy() for part in torch.from_numpy(pixels).split(size)])
        return answer

    def onnx():
        session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
        return lambda pixels: session.run(None, {'pixels': pixels})[0]

    def side_by_side():
        backend = Predictor(file, device='cpu').backend
        return lambda pixels: backend.look(pixels)[0]

    def at_once():
        compiled = core.compile_model(file, 'CPU', {'PERFORMANCE_HINT': 'LATENCY'})
        return lambda pixels: compiled({'pixels': pixels})[0]

    def one_by_one():
        compiled = core.compile_model(file, 'CPU', {'PERFORMANCE_HINT': 'THROUGHPUT'})
        queue, answers = openvino.AsyncInferQueue(compiled), {}
        queue.set_callback(lambda request, i: answers.update({i: request.get_output_tensor(0).data.copy()}))

        def answer(pixels):
            for i in range(len(pixels)): queue.start_async({'pixels': pixels[i:i + 1]}, i)
            queue.wait_all()
            return np.concatenate([answers[i] for i in range(len(pixels))])
        return answer

    opened = {}
    ways = {f'torch, {size} photos at once': partial(with_torch, size) for size in (2, 4, 6, 8, 16, 32)}
    ways |= {'ONNX Runtime': onnx, 'ONNX Runtime, photos side by side': side_by_side, 'OpenVINO': at_once, 'OpenVINO, photos one by one, side by side': one_by_one}
    for name, way in ways.items():
        begin = time.perf_counter()
        answer = way()
        opened[name] = time.perf_counter() - begin, answer
    return opened


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run', nargs='?', type=Path)
    parser.add_argument('--save', metavar='NAME')
    given = parser.parse_args()
    from deepconn_fa.export import export_onnx
    from deepconn_fa.inference import Predictor
    from deepconn_fa.predictions import model_file
    with TemporaryDirectory() as tmp:
        bundle = model_file(given.run) if given.run else stand_in(Path(tmp))
        file = export_onnx(bundle, Path(tmp)/'model.onnx')
        opened = open_all(bundle, file)
        pixels = np.random.default_rng(0).integers(0, 256, (PHOTOS, 3, *Predictor(file).sight.canvas), dtype=np.uint8)
    first = {name: answer(pixels) for name, (_, answer) in opened.items()}
    seconds = {name: [] for name in opened}
    for _ in range(TURNS):
        for name, (_, answer) in opened.items():
            begin = time.perf_counter()
            answer(pixels)
            seconds[name].append(time.perf_counter() - begin)
    rows = [{'': name, 'photos/s': PHOTOS / statistics.median(seconds[name]), 'opening, s': opened[name][0],
             'largest difference of a logit': f'{np.abs(first[name] - first["ONNX Runtime"]).max():.0e}' if name != 'ONNX Runtime' else None} for name in opened]
    for row in rows: print(*row.values(), sep='\t')
    if given.save:
        save(given.save, rows, data='Random pixels' + f', EfficientNet-Lite2 at {pixels.shape[2]} px' * (given.run is None), n=PHOTOS, digits=1, interval='',
             design=f'The network alone, {PHOTOS} photos, median of {TURNS} turns', command='python benchmarks/runtimes.py')


if __name__ == '__main__': main()
