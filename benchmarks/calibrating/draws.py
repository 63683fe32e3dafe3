"""Cumulative moments of simulated units, look by look; (runs, metrics, variants), every metric drawn by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labcoat.stats.arrays import FloatArray
from labcoat.stats.moments import MomentArrays, from_sums

Generator = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over new units of value, denominator and their products; each (runs,)."""

    value: FloatArray
    denominator: FloatArray
    value_square: FloatArray
    crossed: FloatArray
    denominator_square: FloatArray


Draw = Callable[[Generator, int, int, float], Sums]
"""(generator, runs, new units of each run, relative effect) -> what they add up to."""


def binary(rate: float) -> Draw:
    """Return units of which so many do it."""

    def draw(rng: Generator, runs: int, units: int, lift: float) -> Sums:
        events = rng.binomial(units, rate * (1 + lift), runs).astype(np.float64)
        return _over_one(events, events, units)

    return draw


def revenue(*, buyers: float, sigma: float) -> Draw:
    """Return units of which so many buy, for lognormal sums."""

    def draw(rng: Generator, runs: int, units: int, lift: float) -> Sums:
        counts = rng.binomial(units, buyers, runs)
        spent = rng.lognormal(3, sigma, int(counts.sum())) * (1 + lift)
        run = np.repeat(np.arange(runs), counts)
        value, square = (
            np.bincount(run, weights=amounts, minlength=runs).astype(np.float64) for amounts in (spent, spent**2)
        )
        return _over_one(value, square, units)

    return draw


def ratio(rng: Generator, runs: int, units: int, lift: float) -> Sums:
    """Return clicks over views of users who differ in both; one user in twenty clicks at all."""
    views = 1.0 + rng.poisson(rng.gamma(1.0, 8.0, (runs, units)))
    rates = rng.beta(2, 18, (runs, units)) * (rng.random((runs, units)) < 0.05) * (1 + lift)
    clicks = rng.binomial(views.astype(np.int64), rates).astype(np.float64)
    return Sums(
        value=clicks.sum(axis=1),
        denominator=views.sum(axis=1),
        value_square=(clicks**2).sum(axis=1),
        crossed=(clicks * views).sum(axis=1),
        denominator_square=(views**2).sum(axis=1),
    )


def _over_one(value: FloatArray, square: FloatArray, units: int) -> Sums:
    ones = np.full_like(value, float(units))
    return Sums(value=value, denominator=ones, value_square=square, crossed=value, denominator_square=ones)


def looks(
    rng: Generator,
    draws: Sequence[Draw],
    *,
    runs: int,
    units: Sequence[int],
    count: int,
    lifts: Sequence[Sequence[float]] | None = None,
) -> list[MomentArrays]:
    """Return the cumulative moments at each of `count` looks.

    draws: a metric each. units: new ones of each variant between two looks. lifts: by metric and variant, or none.
    """
    shape = (runs, len(draws), len(units))
    sums, products, found = np.zeros((*shape, 4)), np.zeros((*shape, 4, 4)), []
    for number in range(1, count + 1):
        for row, draw in enumerate(draws):
            for arm, new in enumerate(units):
                one = draw(rng, runs, new, lifts[row][arm] if lifts else 0.0)
                sums[:, row, arm, 0] += one.value
                sums[:, row, arm, 1] += one.denominator
                sums[:, row, arm, 3] += new
                products[:, row, arm, 0, 0] += one.value_square
                products[:, row, arm, 1, 1] += one.denominator_square
                for first, second in ((0, 1), (1, 0)):
                    products[:, row, arm, first, second] += one.crossed
                products[:, row, arm, 3, 3] += new
                for first, second in ((0, 3), (3, 0)):
                    products[:, row, arm, first, second] += one.value
                for first, second in ((1, 3), (3, 1)):
                    products[:, row, arm, first, second] += one.denominator
        counts = np.broadcast_to(np.array(units, dtype=np.float64) * number, shape)
        found.append(from_sums(counts, sums.copy(), products.copy()))
    return found
