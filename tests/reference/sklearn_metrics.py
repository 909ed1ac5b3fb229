#!/usr/bin/env python3
"""Reference of the figures of merit, the filters over time and PSNR: scikit-learn, SciPy, NumPy.

Writes sklearn_metrics.json beside this file, which tests/test_metrics.c and tests/test_smooth.c
compare with. Numbers are texts of 17 digits, lists are separated by blanks: nothing is rounded on
the way. The cases have ties, clips of one class and scores of very different sizes.
"""
import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import brentq
from scipy.signal import medfilt
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve


def text(values):
    return " ".join(f"{v:.17g}" for v in np.atleast_1d(values))


def eer(label, score):
    fpr, tpr, _ = roc_curve(label, score, drop_intermediate=False)
    return brentq(lambda x: 1 - x - np.interp(x, fpr, tpr), 0, 1, xtol=1e-15)


def macro(label, score, lengths):
    """Every clip with one more 0 at the lowest and one more 1 at the highest score of all."""
    areas, start = [], 0
    for n in lengths:
        part = slice(start, start + n)
        start += n
        areas.append(roc_auc_score(np.concatenate(([0], label[part], [1])),
                                   np.concatenate(([score.min()], score[part], [score.max()]))))
    return np.mean(areas)


def case(name, label, score, lengths):
    assert sum(lengths) == len(label) == len(score)
    return dict(name=name, label=text(label), score=text(score), lengths=text(lengths),
                auroc=text(roc_auc_score(label, score)),
                ap=text(average_precision_score(label, score)),
                eer=text(eer(label, score)), macro=text(macro(label, score, lengths)))


def cases(rng):
    lengths = [40, 1, 30, 29]
    label = (rng.random(100) < 0.3).astype(int)
    yield case("random", label, rng.random(100), lengths)
    yield case("informed", label, rng.normal(size=100) + label, lengths)
    yield case("ties", label, np.floor(5 * rng.random(100) + label) / 5, lengths)
    yield case("two levels", label, (rng.random(100) < 0.4 + 0.3 * label).astype(float), lengths)
    one_class = np.repeat([0, 1, 0, 1], lengths)
    one_class[5] = 1
    yield case("clips of one class", one_class, rng.normal(size=100) + one_class, lengths)
    yield case("wide range", label, np.exp(20 * rng.normal(size=100)) * (1 + label), lengths)
    yield case("mostly abnormal", 1 - (rng.random(60) < 0.1).astype(int), rng.random(60), [60])


def gaussian(taps, centre, sigma):
    return np.exp(-0.5 * ((np.arange(taps) - centre) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


def filters(rng):
    """Name, result; the input stands beside them. Codes: method D.1."""
    x = rng.random(70)
    yield "input", x
    yield "gaussian 3", gaussian_filter1d(x, 3)
    yield "gaussian 7", gaussian_filter1d(x, 7)
    yield "gaussian 30", gaussian_filter1d(x, 30)  # wider than the clip
    yield "median 17", medfilt(x, 17)
    zeros = np.zeros(18)
    yield "raw 37", np.correlate(np.concatenate((zeros, x, zeros)), gaussian(37, 17, 11), "valid")
    ends = np.concatenate((x[:24], x, x[-24:]))
    yield "raw 49", np.correlate(ends, gaussian(49, 23, 20), "valid")
    kept = x.copy()
    kept[21:-21] = np.correlate(x, np.full(43, 1 / 43), "valid")
    yield "mean 43", kept
    yield "mean 5", np.convolve(x, np.full(5, 0.2), "same")


def psnr(rng):
    """Frames of 8 x 8 BGR pixels, rows first; peak 1."""
    x = rng.integers(0, 256, (8, 8, 3))
    y = np.clip(x + rng.integers(-20, 21, x.shape), 0, 255)
    mse = np.mean((x / 255 - y / 255) ** 2)
    return dict(x=text(x.ravel()), y=text(y.ravel()), psnr=text(-10 * np.log10(mse)))


def main():
    rng = np.random.default_rng(2022)
    out = dict(versions=f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, "
                        f"NumPy {np.__version__}",
               cases=list(cases(rng)), filters={n: text(v) for n, v in filters(rng)},
               psnr=psnr(rng))
    path = Path(__file__).with_name("sklearn_metrics.json")
    path.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
