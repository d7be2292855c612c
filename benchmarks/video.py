"""Does an hour of video fit into flat memory?

    python benchmarks/video.py

Peak memory of `predict_video` and `write_video` on a minute and on an hour of rendered video (90,000 frames of 160 x 90), with a
network that costs next to nothing. An hour takes about half an hour.
"""
import resource, subprocess, sys, time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np


def render(path, minutes, size=(90, 160), rate=25, loop=250):
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


def measure(path, draw):
    import torch
    from torch import nn

    from deepconn_fa.classes import ClassTarget
    from deepconn_fa.inference import Predictor
    from deepconn_fa.sight import Sight
    from deepconn_fa.target import Model
    from deepconn_fa.video import predict_video, write_video

    class Mean(nn.Module):
        def forward(self, x): return torch.stack([x[:, 0].mean((1, 2)), x[:, 2].mean((1, 2))], 1)
    def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    predictor, start = Predictor(Model(nn.Sequential(nn.Identity(), Mean()), ClassTarget(('a', 'b')), Sight(canvas=(32, 32))), device='cpu'), peak()
    begin = time.time()
    table = predict_video(predictor, path, smooth=.5, progress=False)
    print(f'{len(table):6} frames: {start:.0f} MB before, peak {peak():.0f} MB after predicting ({time.time() - begin:.0f} s; the table itself {table.memory_usage(deep=True).sum() / 2**20:.0f} MB)', flush=True)
    if draw:
        write_video(path, Path(path).with_name('drawn.mp4'), table, target=predictor.target, progress=False)
        print(f'       peak {peak():.0f} MB after drawing ({time.time() - begin:.0f} s)', flush=True)


if __name__ == '__main__':
    if sys.argv[1:]: measure(sys.argv[1], True)
    else:
        with TemporaryDirectory() as folder:
            for minutes in (1, 60):
                render(Path(folder)/f'{minutes}.mp4', minutes)
                subprocess.run([sys.executable, __file__, f'{folder}/{minutes}.mp4'], check=True)
