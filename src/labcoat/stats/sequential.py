"""Group-sequential boundaries: however many looks a planned experiment has, all of them together spend alpha.

Lan-DeMets spending of O'Brien-Fleming type, per side. The calendar says how much is spent by a look; the information
(1 / (1/n0 + 1/n1), in units) only says how strongly the looks are correlated.

The score S = z sqrt(I) has independent increments, so its density among the experiments that no look has stopped yet
is carried from look to look by numerical integration (Armitage, McPherson, Rowe 1969).
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import pi, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, roots_legendre

from labcoat.stats.effects import FloatArray

LARGEST_MULTIPLIER = 8.0
# Below one part in ten thousand a look adds nothing that anyone would want to pay for.
_LEAST_GROWTH = 1e-4
_NODE_COUNTS = (64, 128, 256, 512, 1024, 2048)


def spending(spent: float, *, alpha: float) -> float:
    """Return the two-sided alpha that may be spent by a share of the calendar.

    spent: u, 0-1. Source: Lan, DeMets, Biometrika 1983, with alpha / 2 per side: 4 - 4 Phi(z_{alpha/4} / sqrt u).

    >>> round(spending(0.5, alpha=0.05), 6), round(spending(1.0, alpha=0.05), 6)
    (0.003051, 0.05)
    """
    return float(4 * ndtr(ndtri(alpha / 4) / sqrt(spent))) if spent > 0 else 0.0


def has_grown(information: float, *, reached: float) -> bool:
    """Tell whether there is enough new information for another look."""
    return information > reached * (1 + _LEAST_GROWTH)


@lru_cache(maxsize=1024)
def boundary(spent: tuple[float, ...], information: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """Return the multiplier k of every look: |z| > k is a crossing.

    spent: u at each look, 0-1, never falling. information: at each look, > 0.
    A look whose information did not grow is the same look again with more alpha: it pays with its own and its
    predecessor's share, which is exact, because crossing the wider boundary implies crossing the narrower one.
    k is at most 8; a look with next to nothing to spend gets 8.
    Raises ValueError if the two differ in length, spent falls or an information is not positive.

    >>> [round(k, 4) for k in boundary((0.5, 1.0), (0.5, 1.0), 0.05)]
    [2.9626, 1.9686]
    """
    _check(spent, information)
    survivors, start, reached = _FROM_ZERO, 0.0, 0.0
    paid_before = paid = edge = 0.0
    multipliers = []
    for share, current in zip(spent, information, strict=True):
        if has_grown(current, reached=reached):
            if reached > 0:
                survivors = survivors.carry(edge, step=sqrt(reached - start), next_step=sqrt(current - reached))
            start, reached, paid_before = reached, current, paid
        paid = spending(share, alpha=alpha)
        edge = survivors.solve(paid - paid_before, step=sqrt(reached - start), limit=LARGEST_MULTIPLIER * sqrt(reached))
        multipliers.append(edge / sqrt(reached))
    return tuple(multipliers)


def power(multipliers: tuple[float, ...], information: tuple[float, ...], *, drift: float) -> float:
    """Return the chance that some look crosses the upper boundary.

    information: strictly rising. drift: the expected z at information 1.

    >>> round(power((1.959964,), (1.0,), drift=2.801585), 4)
    0.8
    """
    steps = np.sqrt(np.diff(information, prepend=0.0))
    edges = np.array(multipliers) * np.sqrt(information)
    survivors = _FROM_ZERO
    crossed = survivors.above(edges[0], step=steps[0], drift=drift)
    for look in range(1, len(edges)):
        survivors = survivors.carry(edges[look - 1], step=steps[look - 1], next_step=steps[look], drift=drift)
        crossed += survivors.above(edges[look], step=steps[look], drift=drift)
    return crossed


@dataclass(frozen=True, slots=True)
class _Survivors:
    """The score among those not stopped: integration nodes and the probability each stands for."""

    nodes: FloatArray
    masses: FloatArray

    def above(self, edge: float, *, step: float, drift: float = 0.0) -> float:
        """Return the probability that the next score, step^2 information later, is above the edge."""
        return float(self.masses @ ndtr((self.nodes + drift * step * step - edge) / step))

    def below(self, edge: float, *, step: float) -> float:
        return float(self.masses @ ndtr((edge - self.nodes) / step))

    def solve(self, increment: float, *, step: float, limit: float) -> float:
        """Return the edge that the next score leaves, on either side, with probability increment."""

        def excess(edge: float) -> float:
            return self.above(edge, step=step) + self.below(-edge, step=step) - increment

        return limit if excess(limit) >= 0 else float(brentq(excess, 0.0, limit, xtol=1e-12 * limit))

    def carry(self, edge: float, *, step: float, next_step: float, drift: float = 0.0) -> "_Survivors":
        """Return those within the edge after a step, on a grid fine enough for this step and the next."""
        unit, weights = _legendre(_node_count(edge / min(step, next_step)))
        nodes = edge * unit
        distances = (nodes - self.nodes[:, np.newaxis] - drift * step * step) / step
        density = self.masses @ np.exp(-(distances**2) / 2) / (step * sqrt(2 * pi))
        return _Survivors(nodes, edge * weights * density)


_FROM_ZERO = _Survivors(np.zeros(1), np.ones(1))


def _check(spent: tuple[float, ...], information: tuple[float, ...]) -> None:
    if len(spent) != len(information):
        raise ValueError("one share of the calendar for each look")
    if any(later < earlier for earlier, later in pairwise(spent)):
        raise ValueError("the calendar does not run backwards")
    if not all(value > 0 for value in information):
        raise ValueError("a look needs information")


def _node_count(width: float) -> int:
    """Return how many nodes keep them at most one standard deviation of a step apart (pi / 2 is Legendre's middle)."""
    return next((count for count in _NODE_COUNTS if count >= pi * width), _NODE_COUNTS[-1])


@lru_cache(maxsize=len(_NODE_COUNTS))
def _legendre(count: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = roots_legendre(count)
    return nodes, weights
