"""Do 95 % intervals hold the truth in 95 of 100 cases?

    python benchmarks/intervals.py [--sets 1000] [--save NAME]

Simulated data sets, as on the page `metrics`: of photos, and of persons with four photos each, who are easy or hard as a whole; a
model of AUC 0.8; a log loss, which is far from normal; a model that is calibrated and one that is not. `--save NAME` writes
results/NAME.json.
"""
import argparse

import numpy as np
from scipy.stats import norm

from deepconn_fa.metrics import auc_estimate, bootstrap_ratio, calibration_estimate, drawn_weights, f1_estimate, share_estimate
from results import save

rng = np.random.default_rng(0)
def persons(k): return np.repeat(np.arange(k), 4)
def by_person(k, p, alike=.3): return rng.random(4 * k) < np.repeat(rng.beta(p * (1/alike - 1), (1 - p) * (1/alike - 1), k), 4)

def of_share(k, p, groups): return share_estimate(by_person(k, p), persons(k)) if groups else share_estimate(rng.random(k) < p)
def of_balanced():
    y = np.arange(60) < 15
    return share_estimate(rng.random(60) < np.where(y, .7, .95), parts=y)
def of_f1():
    y = rng.random(60) < .4
    return f1_estimate(y, rng.random(60) < np.where(y, .8, .1))
def of_mean(k, groups):
    x = rng.normal(size=4 * k) + rng.normal(size=k).repeat(4) if groups else rng.exponential(size=k)
    return bootstrap_ratio(x, np.ones(len(x)), weights=drawn_weights(len(x), persons(k) if groups else None, draws=300, seed=rng.integers(1 << 30)))
def of_auc(k, groups):
    y = np.arange(4 * k if groups else k) % 2
    x = rng.normal(size=len(y)) * (1, .8)[groups] + y * norm.ppf(.8) * np.sqrt(2) + (.6 * rng.normal(size=k).repeat(4) if groups else 0)
    return auc_estimate(y, x, groups=persons(k) if groups else None, draws=200)
def of_ece(n, gap):
    c = rng.beta(5, 2, n) / 2 + .5
    return calibration_estimate(c, rng.random(n) < c - gap, draws=200)['ece']

cases = {'share, 30 photos': (lambda: of_share(30, .9, False), .9), 'share, 20 persons': (lambda: of_share(20, .8, True), .8),
         'share, 40 persons': (lambda: of_share(40, .95, True), .95), 'balanced accuracy, 15 and 45 photos': (of_balanced, .825),
         'F1, 60 photos': (of_f1, 2 * .8 * .4 / (.4 + .8 * .4 + .1 * .6)), 'mean, 20 persons': (lambda: of_mean(20, True), 0),
         'mean log loss, 40 photos': (lambda: of_mean(40, False), 1), 'AUC, 60 photos': (lambda: of_auc(60, False), .8),
         'AUC, 25 persons': (lambda: of_auc(25, True), .8), 'calibration error 0, 100 photos': (lambda: of_ece(100, 0), 0),
         'calibration error 0.1, 300 photos': (lambda: of_ece(300, .1), .1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--sets', type=int, default=1000)
    parser.add_argument('--save', metavar='NAME')
    args, rows = parser.parse_args(), []
    for name, (make, truth) in cases.items():
        ends = [(e['low'], e['high']) for e in (make() for _ in range(args.sets))]
        share = np.mean([low - 1e-9 <= truth <= high + 1e-9 for low, high in ends])
        rows.append({'': name, 'coverage ± standard error': f'{share:.3f} ± {np.sqrt(share * (1 - share) / args.sets):.3f}'})
        print(f'{name:36}', rows[-1]['coverage ± standard error'], flush=True)
    if args.save: save(args.save, rows, data='Simulated data sets', n=f'{args.sets:,} data sets each', design='How many of their 95 % intervals hold the truth; ± is one standard error', interval='', command='python benchmarks/intervals.py')


if __name__ == '__main__': main()
