"""Group-sequential boundaries: however many looks a planned experiment has, all of them together spend alpha.

Lan-DeMets spending of O'Brien-Fleming type, per side. The calendar says how much is spent by a look; the information
(1 / (1/n0 + 1/n1), in units) only says how strongly the looks are correlated.

The score S = z sqrt(I) has independent increments, so its density among the experiments that no look has stopped yet
is carried from look to look by numerical integration (Armitage, McPherson, Rowe 1969). What a path of looks ended in is
kept, so that tomorrow's look is a single step.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from math import ceil, inf, pi, sqrt
from threading import Lock

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, roots_legendre

from labcoat.stats.arrays import FloatArray

LARGEST_MULTIPLIER = 8.0
# Below one part in ten thousand a look adds nothing that anyone would want to pay for.
LEAST_GROWTH = 1e-4
# Legendre's rule needs about so many nodes beyond one for each standard deviation before its error falls.
_SPARE_NODES = 24
_MOST_NODES = 2048
# About 10 KB each for 84 looks.
_PATHS_KEPT = 512


def spending(spent: float, *, alpha: float, sides: int = 2) -> float:
    """Return the alpha, of all sides together, that may be spent by a share of the calendar.

    spent: u, 0-1. Source: Lan, DeMets, Biometrika 1983, on each side: 2 - 2 Phi(z_{a/2} / sqrt u), a = alpha / sides.

    >>> round(spending(0.5, alpha=0.05), 6), round(spending(1.0, alpha=0.05), 6)
    (0.003051, 0.05)
    """
    return float(2 * sides * ndtr(ndtri(alpha / sides / 2) / sqrt(spent))) if spent > 0 else 0.0


def has_grown(information: float, *, reached: float) -> bool:
    """Tell whether there is enough new information for another look."""
    return information > reached * (1 + LEAST_GROWTH)


def boundary(
    spent: tuple[float, ...],
    information: tuple[float, ...],
    alpha: float,
    *,
    sides: int = 2,
    spent_before: float = 0.0,
    nodes_per_sd: float = 1.0,
) -> tuple[float, ...]:
    """Return the multiplier k of every look: |z| > k is a crossing; with one side, z > k.

    spent: u at each look, 0-1, never falling. information: at each look, > 0. alpha: of all sides together.
    A look whose information did not grow is the same look again with more alpha: it pays with its own and its
    predecessor's share, which is exact, because crossing the wider boundary implies crossing the narrower one.
    k is at most 8; a look with next to nothing to spend gets 8.
    spent_before: u of looks at other units, which none of these contain: what they paid is not there to pay again.
    nodes_per_sd: of the integration; k is good to 1e-8 with 1, more is for proving that.
    Raises ValueError for a path of looks, an alpha or sides that cannot be.

    >>> [round(k, 4) for k in boundary((0.5, 1.0), (0.5, 1.0), 0.05)]
    [2.9626, 1.9686]
    """
    if len(spent) != len(information):
        raise ValueError("each look has one share of the calendar and one information")
    if not 0 < alpha < 1:
        raise ValueError("alpha is between 0 and 1")
    if sides not in (1, 2):
        raise ValueError("a boundary has one side or two")
    paid = spending(spent_before, alpha=alpha, sides=sides)
    start = _Path(alpha=alpha, sides=sides, nodes_per_sd=nodes_per_sd, paid=paid, spent=spent_before)
    return _path(spent, information, start).multipliers


def power(multipliers: tuple[float, ...], information: tuple[float, ...], *, drift: float, sides: int = 2) -> float:
    """Return the chance that some look crosses the upper boundary, and with two sides none the lower one before.

    information: rising, > 0. drift: the expected z at information 1.
    Raises ValueError for looks that cannot be.

    >>> round(power((1.959964,), (1.0,), drift=2.801585), 4)
    0.8
    """
    if not multipliers or len(multipliers) != len(information):
        raise ValueError("each look has one multiplier and one information, and there is a look")
    if not all(earlier < later < inf for earlier, later in pairwise((0.0, *information))):
        raise ValueError("the information of later looks is larger, and the first look's is above 0")
    survivors, crossed = _FROM_ZERO, 0.0
    for look, (multiplier, reached) in enumerate(zip(multipliers, information, strict=True)):
        edge = multiplier * sqrt(reached)
        crossed += survivors.above(edge, at=reached, drift=drift)
        for following in information[look + 1 : look + 2]:
            survivors = survivors.within(edge, at=reached, following=following, sides=sides, drift=drift)
    return crossed


@dataclass(frozen=True, slots=True)
class _Survivors:
    """The score among those not stopped: integration nodes, the probability each stands for, and their information."""

    nodes: FloatArray
    masses: FloatArray
    information: float

    def above(self, edge: float, *, at: float, drift: float = 0.0) -> float:
        """Return the probability that the score at that information is above the edge."""
        grown = at - self.information
        return float(self.masses @ ndtr((self.nodes + (drift * grown - edge)) / sqrt(grown)))

    def edge(self, increment: float, *, at: float, sides: int) -> float:
        """Return what the score at that information exceeds with probability increment, at most 8 sd."""
        step, limit = sqrt(at - self.information), LARGEST_MULTIPLIER * sqrt(at)
        starts = self.nodes / step

        def excess(steps: float) -> float:
            return float(self.masses @ ndtr(starts - steps)) - increment

        if excess(limit / step) >= 0:
            return limit
        lowest = 0.0 if sides == 2 else -limit
        return step * float(brentq(excess, lowest / step, limit / step, xtol=1e-12 * limit / step))

    def within(
        self, edge: float, *, at: float, following: float, sides: int, drift: float = 0.0, nodes_per_sd: float = 1.0
    ) -> "_Survivors":
        """Return those whose score at that information is within the edge, or with one side below it.

        The grid is fine enough for this step and for the one to the following look's information. It leaves out what
        is further than 8 sd from the expected score.
        """
        grown = at - self.information
        middle, far = drift * at, LARGEST_MULTIPLIER * sqrt(at)
        high = min(edge, middle + far)
        low = min(high, middle - far if sides == 1 else max(-edge, middle - far))
        width = (high - low) / 2
        unit, weights = _legendre(_node_count(width / sqrt(min(grown, following - at)), nodes_per_sd))
        nodes = (high + low) / 2 + width * unit
        distances = np.subtract.outer(self.nodes + drift * grown, nodes)
        density = self.masses @ np.exp(distances * distances / (-2 * grown)) / sqrt(2 * pi * grown)
        return _Survivors(nodes, width * weights * density, at)


_FROM_ZERO = _Survivors(np.zeros(1), np.ones(1), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """The looks so far, kept so that one more is a single step.

    survivors: of the looks with less information than the newest, which is not integrated yet: how fine its grid must
    be depends on the next one. paid: alpha by then, and by the newest. edge: of the newest, in score.
    """

    alpha: float
    sides: int
    nodes_per_sd: float
    multipliers: tuple[float, ...] = ()
    survivors: _Survivors = _FROM_ZERO
    paid_before: float = 0.0
    paid: float = 0.0
    spent: float = 0.0
    reached: float = 0.0
    edge: float = 0.0

    def extended(self, spent: float, information: float) -> "_Path":
        """Return the path with one more look."""
        if not self.spent <= spent <= 1:
            raise ValueError("the calendar goes from 0 to 1 and never backwards")
        if not 0 < information < inf:
            raise ValueError("a look needs information, above 0 and finite")
        path = self._carried(information) if has_grown(information, reached=self.reached) else self
        paid = spending(spent, alpha=self.alpha, sides=self.sides)
        edge = path.survivors.edge((paid - path.paid_before) / self.sides, at=path.reached, sides=self.sides)
        multipliers = (*self.multipliers, edge / sqrt(path.reached))
        return replace(path, multipliers=multipliers, paid=paid, spent=spent, edge=edge)

    def _carried(self, information: float) -> "_Path":
        """Return the path with the newest look integrated, ready for one at more information."""
        survivors = self.survivors
        if self.reached > 0:
            survivors = survivors.within(
                self.edge, at=self.reached, following=information, sides=self.sides, nodes_per_sd=self.nodes_per_sd
            )
        return replace(self, survivors=survivors, paid_before=self.paid, reached=information)


_kept: OrderedDict[tuple[tuple[float, ...], tuple[float, ...], float, int, float, float], _Path] = OrderedDict()
_keeping = Lock()


def _path(spent: tuple[float, ...], information: tuple[float, ...], empty: _Path) -> _Path:
    """Return the path of these looks, made from the longest beginning of it that is still kept."""
    design = (empty.alpha, empty.sides, empty.nodes_per_sd, empty.spent)
    with _keeping:
        beginnings = (_kept.get((spent[:count], information[:count], *design)) for count in range(len(spent), 0, -1))
        path = next((kept for kept in beginnings if kept), empty)
    known = len(path.multipliers)
    for share, reached in zip(spent[known:], information[known:], strict=True):
        path = path.extended(share, reached)
    with _keeping:
        _kept[spent, information, *design] = path
        _kept.move_to_end((spent, information, *design))
        if len(_kept) > _PATHS_KEPT:
            _kept.popitem(last=False)
    return path


def _node_count(width: float, nodes_per_sd: float) -> int:
    """Return how many nodes for a half-width in sd; pi / 2 is how much sparser Legendre's are in the middle.

    In sixteens, so that few rules are ever made.
    """
    return min(16 * ceil(nodes_per_sd * (pi * width + _SPARE_NODES) / 16), _MOST_NODES)


@lru_cache(maxsize=128)
def _legendre(count: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = roots_legendre(count)
    return nodes, weights
