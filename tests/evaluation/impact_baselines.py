"""What others score an action's damage with, on the same series: never part of the product.

Each method turns one series around an action into a score, larger for worse; an entity scores as
its worst series. They are the methods of the notes, re-implemented on numpy or taken from scipy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, lgamma, log, pi
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats as untyped

from aftershock_collector.metrics.series import Family, Series
from tests.evaluation.recordings import Recording

PRE_POINTS = 30  # the same baseline as the product's
PRE_MIN = 10
_EPSILON = 1e-9
stats: Any = untyped

Values = NDArray[np.float64]


class Around(NamedTuple):
    """One series before and after an action, and the same metric of entities nobody acted on."""

    pre: Values
    post: Values
    controls: tuple[tuple[Values, Values], ...]


Method = Callable[[Sequence[Around]], float]


def around(
    recording: Recording, entity: str, acted_ns: int, now_ns: int, untouched: Sequence[str]
) -> list[Around]:
    """Every series of an entity around an action; traffic is left out, as the product does."""
    start_ns = acted_ns - 6 * 3_600 * 10**9
    others: dict[str, list[tuple[Values, Values]]] = {}
    for series in recording.store.window(untouched, start_ns, now_ns):
        others.setdefault(series.metric.partition(":")[0], []).append(_split(series, acted_ns))
    found: list[Around] = []
    for series in recording.store.window([entity], start_ns, now_ns):
        pre, post = _split(series, acted_ns)
        if series.family is not Family.TRAFFIC and len(pre) >= PRE_MIN and len(post):
            same = [
                pair
                for pair in others.get(series.metric.partition(":")[0], ())
                if len(pair[0]) == len(pre) and len(pair[1]) == len(post)
            ]
            found.append(Around(pre, post, tuple(same)))
    return found


def _split(series: Series, acted_ns: int) -> tuple[Values, Values]:
    first = int(series.times_ns.searchsorted(acted_ns, side="right"))
    values = series.values.astype(np.float64)
    return values[max(0, first - PRE_POINTS) : first], values[first:]


def _scale(pre: Values) -> float:
    return max(float(pre.std(ddof=1)), 0.01 * abs(float(pre.mean())), _EPSILON)


def _worst(score: Callable[[Around], float]) -> Method:
    def method(seen: Sequence[Around]) -> float:
        return max((score(each) for each in seen), default=0.0)

    return method


def three_sigma(each: Around) -> float:
    """Mean after, in standard deviations of before."""
    return (float(each.post.mean()) - float(each.pre.mean())) / _scale(each.pre)


def median_iqr(each: Around) -> float:
    """Largest value after, in interquartile ranges of before (BARO's scorer)."""
    low, middle, high = np.percentile(each.pre, (25, 50, 75))
    width = max(float(high - low), 0.01 * abs(float(middle)), _EPSILON)
    return (float(each.post.max()) - float(middle)) / width


def cusum(each: Around) -> float:
    """Largest cumulative sum of deviations beyond half a standard deviation."""
    total = worst = 0.0
    for value in (each.post - each.pre.mean()) / _scale(each.pre):
        total = max(0.0, total + float(value) - 0.5)
        worst = max(worst, total)
    return worst


def ewma(each: Around, weight: float = 0.3) -> float:
    """Largest exponentially weighted mean after, in its own standard deviations."""
    level = worst = 0.0
    for value in (each.post - each.pre.mean()) / _scale(each.pre):
        level = weight * float(value) + (1 - weight) * level
        worst = max(worst, level)
    return worst / (weight / (2 - weight)) ** 0.5


def bocpd(each: Around, hazard: float = 1 / 100) -> float:
    """Probability that a change point fell after the action (Adams & MacKay, normal-gamma)."""
    values = (np.concatenate([each.pre, each.post]) - each.pre.mean()) / _scale(each.pre)
    runs = np.array([1.0])
    mean, kappa = np.array([0.0]), np.array([1.0])
    alpha, beta = np.array([1.0]), np.array([1.0])
    best = 0.0
    for place, value in enumerate(values):
        spread = beta * (kappa + 1) / (alpha * kappa)
        gammas = np.array([lgamma(a + 0.5) - lgamma(a) for a in alpha])
        likelihood = np.exp(
            gammas
            - 0.5 * np.log(2 * pi * alpha * spread)
            - (alpha + 0.5) * np.log1p((value - mean) ** 2 / (2 * alpha * spread))
        )
        grown = runs * likelihood * (1 - hazard)
        new = float((runs * likelihood * hazard).sum())
        runs = np.append(new, grown)
        runs /= max(float(runs.sum()), 1e-300)
        since = place - len(each.pre) + 1
        if since > 0:
            best = max(best, float(runs[: since + 1].sum()))
        beta = np.append(1.0, beta + kappa * (value - mean) ** 2 / (2 * (kappa + 1)))
        mean = np.append(0.0, (kappa * mean + value) / (kappa + 1))
        kappa = np.append(1.0, kappa + 1)
        alpha = np.append(1.0, alpha + 0.5)
    return best


def mann_whitney(seen: Sequence[Around]) -> float:
    """-ln of the smallest one-sided p, Benjamini–Hochberg over the entity's series."""
    return _benjamini_hochberg(
        [float(stats.mannwhitneyu(s.post, s.pre, alternative="greater").pvalue) for s in seen]
    )


def kolmogorov_smirnov(seen: Sequence[Around]) -> float:
    """The same with the Kolmogorov–Smirnov test."""
    return _benjamini_hochberg(
        [float(stats.ks_2samp(s.post, s.pre, alternative="less").pvalue) for s in seen]
    )


def _benjamini_hochberg(p_values: Sequence[float]) -> float:
    ranked = sorted(p_values)
    smallest = min((p * len(ranked) / (n + 1) for n, p in enumerate(ranked)), default=1.0)
    return -log(max(smallest, exp(-50)))


def difference_in_differences(each: Around) -> float:
    """The change here less the mean change where nobody acted, in standard deviations."""
    here = float(each.post.mean() - each.pre.mean()) / _scale(each.pre)
    there = [float(post.mean() - pre.mean()) / _scale(pre) for pre, post in each.controls]
    return here - float(np.mean(there)) if there else here


def synthetic_control(each: Around, ridge: float = 10.0) -> float:
    """What a ridge regression on untouched entities does not explain, in its own residuals."""
    if not each.controls:
        return three_sigma(each)
    centre, scale = each.pre.mean(), _scale(each.pre)
    pre = np.column_stack([(p - p.mean()) / _scale(p) for p, _ in each.controls])
    post = np.column_stack([(q - p.mean()) / _scale(p) for p, q in each.controls])
    target: Values = (each.pre - centre) / scale
    linalg: Any = np.linalg
    weights: Values = linalg.solve(pre.T @ pre + ridge * np.eye(pre.shape[1]), pre.T @ target)
    left: Values = target - pre @ weights
    after: Values = (each.post - centre) / scale - post @ weights
    return float(after.mean()) / max(float(left.std()), 0.05)


METHODS: dict[str, Method] = {
    "3σ mean": _worst(three_sigma),
    "median/IQR (BARO)": _worst(median_iqr),
    "CUSUM": _worst(cusum),
    "EWMA": _worst(ewma),
    "BOCPD": _worst(bocpd),
    "Mann-Whitney + BH": mann_whitney,
    "Kolmogorov-Smirnov + BH": kolmogorov_smirnov,
    "difference-in-differences": _worst(difference_in_differences),
    "synthetic control": _worst(synthetic_control),
}
