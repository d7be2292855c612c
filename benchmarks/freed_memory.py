"""What does it bring that freed memory stays with the process (`core.keep_freed_memory`)?

    python benchmarks/freed_memory.py [--save NAME]      photos/s with it and without

Networks alone, without decoding. Each way is measured in processes of its own, which take turns.
"""
import argparse
import statistics
import subprocess
import sys

from results import save

TURNS, STEPS = 3, 4
CASES = {f'{what}, {name} at {size[0]} x {size[1]} px, {batch} photos at once': (arch, size, batch, what == 'training')
         for what, batches in (('looking', (6, 16)), ('training', (16,)))
         for name, arch, size in (('EfficientNet-Lite0', 'efficientnet_lite0', (384, 288)), ('EfficientNet-Lite2', 'efficientnet_lite2', (260, 260)), ('ResNet-34', 'resnet34', (224, 224)))
         for batch in batches}


def measure(case: str, keep: bool) -> float:
    "Photos/s in this process"
    import time
    from contextlib import nullcontext

    from deepconn_fa import core

    if not keep: core.keep_freed_memory = lambda: False  # before `heads` is imported, which asks for it
    import torch

    from deepconn_fa.backbones import create_backbone, folded_batchnorm

    arch, size, batch, training = CASES[case]
    body = create_backbone(arch).eval().to(memory_format=torch.channels_last)
    x = torch.randn(batch, 3, *size).contiguous(memory_format=torch.channels_last)
    seconds = []
    with folded_batchnorm(body), nullcontext() if training else torch.inference_mode():
        for _ in range(1 + STEPS):
            begin = time.perf_counter()
            if training: body(x).square().mean().backward()
            else: body(x)
            seconds.append(time.perf_counter() - begin)
    return batch / statistics.median(seconds[1:])


def in_process(case: str, keep: bool) -> float:
    "`measure` in a process of its own"
    return float(subprocess.run([sys.executable, __file__, '--measure', case, str(int(keep))], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--save', metavar='NAME')
    parser.add_argument('--measure', nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(measure(given.measure[0], given.measure[1] == '1'))
        return
    rows = []
    for case in CASES:
        turns = [(in_process(case, False), in_process(case, True)) for _ in range(TURNS)]
        back, kept = (statistics.median(values) for values in zip(*turns))
        rows.append({'': case, 'given back, photos/s': back, 'kept, photos/s': kept, 'times as fast': f'{kept / back:.2f}'})
        print(*rows[-1].values(), sep='\t', flush=True)
    if given.save:
        save(given.save, rows, data='Batches of random pixels, random weights', n=TURNS * STEPS, digits=1, interval='', command='python benchmarks/freed_memory.py',
             design=f'The network alone, median of {TURNS} processes, in each the median of {STEPS} batches')


if __name__ == '__main__': main()
