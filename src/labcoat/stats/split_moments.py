"""Sums of past units, split at random, as the moments of two variants at any day's look."""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from labcoat.stats.arrays import FloatArray
from labcoat.stats.moments import COLUMNS, VALUE, MomentArrays
from labcoat.stats.rule import Splits

_NAMES = "yxcd"
_ROUNDING = 1e-13
"""So much of the units' mean square may be left of a variance of 0."""
_ALONE = (0.0, 1.0, 0.0, 1.0)
"""What a column is of a metric that does not have it."""


@dataclass(frozen=True, slots=True)
class SplitMoments:
    """Sums since the first day; the first axis has all units, then the treatment of each split.

    exposed, counted: (1 + splits, days + 1) units. sums: (1 + splits, days + 1, 4). products: ... 4, 4).
    centres: (4,), which the sums are differences from.
    """

    exposed: FloatArray
    counted: FloatArray
    sums: FloatArray
    products: FloatArray
    centres: FloatArray
    looks: tuple[int, ...] | None

    def exposed_at(self, day: int) -> FloatArray:
        """Return the units exposed by a day's look, (splits, 2), control first."""
        return self._arms(self.exposed[:, self._place(day)])

    def at(self, day: int, *, is_proportion: bool) -> MomentArrays:
        """Return the moments at a day's look, (splits, 1, 2), control first; those of under two units mean nothing."""
        place = self._place(day)
        counts, sums, products = (self._arms(one[:, place]) for one in (self.counted, self.sums, self.products))
        found = self._moments(counts, sums, products)
        covariances, means = found.covariances, found.means
        # A constant arm has a little of the other's squares left, on either side of 0.
        with np.errstate(all="ignore"):
            noise = _ROUNDING * np.diagonal(self.products[0, place]) / counts[..., np.newaxis]
        is_flat = np.diagonal(covariances, axis1=-2, axis2=-1) <= noise
        covariances = np.where(is_flat[..., :, np.newaxis] | is_flat[..., np.newaxis, :], 0.0, covariances)
        if is_proportion:
            means = means.copy()
            means[..., VALUE] = np.rint(counts * means[..., VALUE]) / np.maximum(counts, 1)
        return MomentArrays(
            counts=counts[:, np.newaxis], means=means[:, np.newaxis], covariances=covariances[:, np.newaxis]
        )

    def together(self) -> MomentArrays:
        """Return the moments of all units by the end, (1, 1, 1): one metric, one variant."""
        return self._moments(*(one[np.newaxis, np.newaxis, :1, -1] for one in (self.counted, self.sums, self.products)))

    def _place(self, day: int) -> int:
        return day if self.looks is None else self.looks.index(day) + 1

    @staticmethod
    def _arms(numbers: FloatArray) -> FloatArray:
        return np.stack([numbers[:1] - numbers[1:], numbers[1:]], axis=1)

    def _moments(self, counts: FloatArray, sums: FloatArray, products: FloatArray) -> MomentArrays:
        with np.errstate(all="ignore"):
            apart = sums / counts[..., np.newaxis]
            squares = apart[..., :, np.newaxis] * sums[..., np.newaxis, :]
            covariances = (products - squares) / (counts - 1)[..., np.newaxis, np.newaxis]
        return MomentArrays(counts=counts, means=self.centres + apart, covariances=covariances)


def of(splits: Splits) -> SplitMoments:
    """Return the sums as arrays."""
    days = splits.days if splits.looks is None else len(splits.looks)
    rows = 1 + splits.splits
    exposed, counted = np.zeros((rows, days + 1)), np.zeros((rows, days + 1))
    sums, products = np.zeros((rows, days + 1, COLUMNS)), np.zeros((rows, days + 1, COLUMNS, COLUMNS))
    columns = [_NAMES.index(name) for name in splits.columns]
    pairs = list(combinations_with_replacement(columns, 2))
    for one in splits.sums:
        row = 0 if one.split is None else 1 + one.split
        if one.exposed_day:
            exposed[row, one.exposed_day] += one.units
        if one.counted_day:
            counted[row, one.counted_day] += one.units
            sums[row, one.counted_day, columns] += one.sums[: len(columns)]
            for (first, second), product in zip(pairs, one.sums[len(columns) :], strict=True):
                products[row, one.counted_day, first, second] += product
                if first != second:
                    products[row, one.counted_day, second, first] += product
    every = (exposed, counted, sums, products)
    # Values that grow are summed anew for each look: nothing of an earlier one goes into it.
    exposed, counted, sums, products = every if splits.looks else tuple(one.cumsum(axis=1) for one in every)
    centres = np.array(_ALONE)
    centres[columns] = splits.centres
    return SplitMoments(exposed, counted, sums, products, centres, splits.looks)
