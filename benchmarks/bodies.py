"""How fast does each body look through photos and train on them, on this machine's CPU or GPU?

    python benchmarks/bodies.py [--save NAME]      seconds per 1,000 photos

Networks alone, with random weights and without decoding: photos at about 224 px, in `float32` (on a GPU with TensorFloat-32, as torch
convolves there) and, on a GPU or a CPU that has it, in `bfloat16`. What results/NAME.json holds of another device stays.
"""
import argparse
import statistics
import time
import warnings

import torch

from results import RESULTS, machine, read, save

BODIES = ('efficientnet_lite0', 'efficientnet_lite1', 'efficientnet_lite2', 'mobilenet_v2', 'resnet34', 'vgg16', 'timm:vit_small_patch14_dinov2.lvd142m',
          'timm:vit_base_patch14_dinov2.lvd142m', 'timm:vit_small_patch16_dinov3.lvd1689m', 'timm:convnext_tiny.dinov3_lvd1689m', 'timm:vit_base_patch16_siglip_224.v2_webli',
          'timm:vit_base_patch16_clip_224.openai', 'timm:fastvit_mci0.apple_mclip2_dfndr2b', 'timm:convnextv2_tiny.fcmae_ft_in22k_in1k', 'timm:eva02_small_patch14_336.mim_in22k_ft_in1k')
TURNS = 3


def seconds(step, device: torch.device) -> float:
    "Median of TURNS calls, after one to warm up"
    found = []
    for _ in range(1 + TURNS):
        begin = time.perf_counter()
        step()
        if device.type == 'cuda': torch.cuda.synchronize()
        found.append(time.perf_counter() - begin)
    return statistics.median(found[1:])


def measure(arch: str, device: torch.device) -> dict[str, float]:
    "Seconds per 1,000 photos on `device`: {what is done, and how: ...}"
    from deepconn_fa.backbones import create_backbone, folded_batchnorm
    from deepconn_fa.callbacks import fast_precision
    from deepconn_fa.heads import few_at_once
    gpu = device.type == 'cuda'
    with device: body = create_backbone(arch, None).eval().to(memory_format=torch.channels_last)  # made there: large ones take seconds on a CPU
    batch = 128 if gpu else 8
    x, found = torch.randn(batch, 3, *body.near_canvas((224, 224)), device=device).contiguous(memory_format=torch.channels_last), {}
    def look():
        with torch.inference_mode(): few_at_once(body, x)
    def train(): body(x).float().square().mean().backward()
    for name in ('float32', 'bfloat16') if fast_precision(device) == 'bf16' else ('float32',):
        with torch.autocast(device.type, torch.bfloat16, enabled=name == 'bfloat16'):
            with folded_batchnorm(body): found[f'looking, {name}'] = 1000 / batch * seconds(look, device)
            found[f'training, {name}'] = 1000 / batch * seconds(train, device)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--save', metavar='NAME')
    given = parser.parse_args()
    warnings.filterwarnings('ignore')
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    name = torch.cuda.get_device_name() if device.type == 'cuda' else f'{torch.get_num_threads()} cores'
    file = given.save and RESULTS/f'{given.save}.json'
    before = read(given.save) if file and file.exists() else dict(rows=[], machine='')
    kept = {row['']: {column: value for column, value in row.items() if not column.startswith(f'{name}: ')} for row in before['rows']}
    rows = []
    for arch in BODIES:
        rows.append(kept.get(arch, {'': arch}) | {f'{name}: {how}': value for how, value in measure(arch, device).items()})
        print(*(f'{value:.3g}' if isinstance(value, float) else value for value in rows[-1].values()), sep='\t', flush=True)
    if given.save:
        here = name if device.type == 'cuda' else machine()
        save(given.save, rows, data='Random pixels and weights, photos at about 224 px', n=TURNS, digits=2, interval='', command='python benchmarks/bodies.py',
             machine='; '.join(dict.fromkeys(part for part in [*before['machine'].split('; '), here] if part)),
             design=f'Seconds per 1,000 photos, network alone; median of {TURNS} batches')


if __name__ == '__main__': main()
