"""Does an hour of video fit into flat memory, and does a minute take less than one?

    python benchmarks/video.py [--save NAME]           memory
    python benchmarks/video.py --speed [--save NAME]   frames/s

Peak memory of `predict_video` and `write_video` on a minute and on an hour of rendered video (90,000 frames of 160 x 90), with a
network that costs next to nothing. An hour takes about half an hour. Speed is that of untrained networks on a minute of 640 x 480.
"""
import argparse
import json
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from predict import peak, stand_in

RATE, MINUTES = 25, (1, 60)


def render(path, minutes, size=(90, 160), rate=RATE, loop=250):
    "Encode `loop` frames once, and write their packets over and over"
    with av.open(str(path), 'w') as out:
        video = out.add_stream('libx264', rate=rate, options=dict(preset='ultrafast', bf='0'))
        video.height, video.width, video.pix_fmt, video.gop_size = *size, 'yuv420p', 50
        yy, xx = np.mgrid[:size[0], :size[1]]
        frames = [np.stack([(xx + 3 * i) % 256, (2 * yy + i) % 256, (xx + yy) % 256], -1).astype(np.uint8) for i in range(loop)]
        packets = [(bytes(p), p.is_keyframe) for f in [*map(av.VideoFrame.from_ndarray, frames), None] for p in video.encode(f)]
        for i in range(minutes * 60 * rate):
            data, key = packets[i % loop]
            packet = av.Packet(data)
            packet.stream, packet.time_base, packet.pts, packet.dts, packet.duration, packet.is_keyframe = video, Fraction(1, rate), i, i, 1, key
            out.mux(packet)


def measure(path: Path) -> None:
    "Predict and draw one video, and print what that took as JSON"
    import torch
    from torch import nn

    from deepconn_fa.classes import ClassTarget
    from deepconn_fa.inference import Predictor
    from deepconn_fa.sight import Sight
    from deepconn_fa.target import Model
    from deepconn_fa.video import predict_video, write_video

    class Mean(nn.Module):
        def forward(self, x): return torch.stack([x[:, 0].mean((1, 2)), x[:, 2].mean((1, 2))], 1)
    predictor = Predictor(Model(nn.Sequential(nn.Identity(), Mean()), ClassTarget(('a', 'b')), Sight(canvas=(32, 32))), device='cpu')
    found, begin = {'before, MB': round(peak())}, time.time()
    table = predict_video(predictor, path, smooth=.5, progress=False)
    found |= {'peak with answers, MB': round(peak()), 'answers, s': round(time.time() - begin)}
    write_video(path, path.with_name('drawn.mp4'), table, target=predictor.target, progress=False)
    print(json.dumps({'': f'{len(table):,} frames'} | found | {'peak with drawing, MB': round(peak()), 'answers and drawing, s': round(time.time() - begin)}))


def measure_speed(name: str) -> None:
    "Predict a minute of video with networks of two sizes, as bundle and as ONNX file"
    from deepconn_fa.export import export_onnx
    from deepconn_fa.inference import Predictor
    from deepconn_fa.video import predict_video
    rows = []
    with TemporaryDirectory() as folder:
        render(clip := Path(folder)/'clip.mp4', 1, size=(480, 640))
        for arch, side in (('efficientnet_lite0', 224), ('efficientnet_lite2', 260)):
            bundle = stand_in(Path(folder), arch, side)
            for way, file in (('torch', bundle), ('ONNX', export_onnx(bundle, Path(folder)/f'{arch}.onnx'))):
                predictor, begin = Predictor(file, device='cpu'), time.perf_counter()
                n = len(predict_video(predictor, clip, progress=False))
                rows.append({'': f'{arch}, {side} px', 'runtime': way, 'frames/s': n / (time.perf_counter() - begin)})
                print(rows[-1], flush=True)
    if name:
        from results import save
        save(name, rows, data='Rendered video of 640 x 480 px, 25 frames/s', n=60 * RATE, digits=1, interval='', design='Answers without drawing', command='python benchmarks/video.py --speed')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--speed', action='store_true')
    parser.add_argument('--save', metavar='NAME')
    given, rows = parser.parse_args(), []
    if given.speed: return measure_speed(given.save)
    with TemporaryDirectory() as folder:
        for minutes in MINUTES:
            file = Path(folder)/f'{minutes}.mp4'
            render(file, minutes)
            rows.append(json.loads(subprocess.run([sys.executable, __file__, '--work', file], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]))
            print(rows[-1], flush=True)
    if given.save:
        from results import save
        save(given.save, rows, data='Rendered video of 160 x 90 px, 25 frames/s, and a network that costs next to nothing', n=MINUTES[-1] * 60 * RATE, digits=0,
             design='A minute and an hour, each in a process of its own', interval='', command='python benchmarks/video.py')


if __name__ == '__main__':
    if sys.argv[1:2] == ['--work']: measure(Path(sys.argv[2]))
    else: main()
