"""Exposures and orders with rows that lack something, and what a read makes of them by hand: plain Python, no SQL."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from labcoat.domain.left_out import LeftOut

START = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=30)
VARIANTS = ("control", "New")
CLEAN = 100
"""Units of each variant that are as they should be; one odd unit may be left out."""


@dataclass(frozen=True)
class Seen:
    """A row of the exposures."""

    unit: str | None
    variant: str | None
    at: datetime | None
    experiment: str | None = "E-7"


@dataclass(frozen=True)
class Order:
    """A row of the metric's own."""

    unit: str | None
    at: datetime | None
    amount: float


@dataclass(frozen=True)
class ByHand:
    """What a read should give. values: of each unit by variant. is_refused: too much of a variant lacks something.
    nameless: orders of nobody."""

    is_refused: bool
    values: dict[str, list[float]]
    crossed: int
    left_out: LeftOut
    nameless: int

    @property
    def numbers(self) -> list[tuple[int, float, float]]:
        """Count, mean and variance of each variant."""
        every = [self.values[name] for name in VARIANTS]
        return [(len(one), statistics.fmean(one), statistics.variance(one)) for one in every]


def clean_rows() -> tuple[list[Seen], list[Order]]:
    """Return the units that are as they should be, half of them with an order after a day."""
    seen, orders = [], []
    for number in range(2 * CLEAN):
        at = START + timedelta(hours=1 + number % 100)
        seen.append(Seen(f"clean {number}", VARIANTS[number % 2], at))
        if number % 4 < 2:
            orders.append(Order(f"clean {number}", at + timedelta(days=1), 1.0 + number % 7))
    return seen, orders


def by_hand(seen: Sequence[Seen], orders: Sequence[Order], *, since: datetime, window_days: int) -> ByHand:
    """Return what E-7's read gives."""
    known = [row for row in seen if row.at is None or row.at < UNTIL]
    complete: dict[str, list[Seen]] = {}
    for row in known:
        if _lack(row) == "nothing":
            complete.setdefault(row.unit or "", []).append(row)
    first = {unit: min(row.at for row in rows if row.at) for unit, rows in complete.items()}
    names = {unit: {_name(row.variant) or "" for row in rows} for unit, rows in complete.items()}
    members = {unit for unit, at in first.items() if at >= since}
    lacking = _lacking(known, first, members, since)
    crossed = {unit for unit in members if len(names[unit]) > 1}
    alone = {unit: next(iter(names[unit])) for unit in members - crossed}
    window = timedelta(days=window_days)
    values: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for unit, name in alone.items():
        begins = first[unit]
        if name in values and begins + window < UNTIL:
            values[name].append(sum(one.amount for one in orders if _counts(one, unit, begins, window)))
    return ByHand(
        is_refused=_is_refused(members, names, complete, lacking),
        values=values,
        crossed=len(crossed),
        left_out=_left_out(alone, complete, lacking),
        nameless=sum(_is_empty(one.unit) and one.at is not None and since <= one.at < UNTIL for one in orders),
    )


def _counts(order: Order, unit: str, begins: datetime, window: timedelta) -> bool:
    return order.unit == unit and order.at is not None and begins <= order.at < begins + window


def _is_empty(text: str | None) -> bool:
    return text is None or not text.strip(" ")


def _name(variant: str | None) -> str | None:
    if variant is None or _is_empty(variant):
        return None
    return next((name for name in VARIANTS if name.lower() == variant.strip(" ").lower()), variant.strip(" "))


def _lack(row: Seen) -> str:
    """Return the first thing that a row lacks; "foreign" for a row of another experiment."""
    name = _name(row.variant)
    if row.experiment not in ("E-7", None, ""):
        return "foreign"
    is_nameless = not row.experiment
    if is_nameless and name not in VARIANTS:
        return "experiment"
    if _is_empty(row.unit):
        return "unit"
    if is_nameless:
        return "experiment"
    if name is None:
        return "variant"
    return "nothing" if row.at is not None else "time"


def _lacking(
    known: Sequence[Seen], first: dict[str, datetime], members: set[str], since: datetime
) -> list[tuple[str, str | None, str | None, int, bool]]:
    """Return kind, unit, variant, rows and whether the unit is lost, for each group of rows that lack something."""
    groups: dict[tuple[str, str | None, str | None], list[Seen]] = {}
    for row in known:
        kind, name = _lack(row), _name(row.variant)
        if kind in ("foreign", "nothing"):
            continue
        planned = name if name in VARIANTS else None
        groups.setdefault((kind, row.unit, planned if kind == "unit" else None), []).append(row)
    found = []
    for (kind, unit, variant), rows in groups.items():
        times = [row.at for row in rows if row.at is not None]
        is_member = unit in members and kind != "unit"
        if not is_member and kind != "unit" and unit in first:
            continue  # exposed before the start
        if not is_member and times and min(times) < since:
            continue
        if kind != "unit":
            smallest = min((name for row in rows if (name := _name(row.variant)) is not None), default=None)
            variant = smallest if smallest in VARIANTS else None
        found.append((kind, unit, variant, len(rows), not is_member))
    return found


def _left_out(
    alone: dict[str, str],
    complete: dict[str, list[Seen]],
    lacking: Sequence[tuple[str, str | None, str | None, int, bool]],
) -> LeftOut:
    rows = Counter[str]()
    for kind, _, _, count, _ in lacking:
        rows[kind] += count
    respelled: dict[str, list[str]] = {}
    for unit, name in alone.items():
        others = [row.variant for row in complete[unit] if row.variant is not None and row.variant != name]
        if others and name in VARIANTS:
            respelled.setdefault(name, []).append(min(others))
    return LeftOut(
        no_unit=rows["unit"],
        no_variant=rows["variant"],
        no_time=rows["time"],
        no_experiment=rows["experiment"],
        unplanned=dict(Counter(name for name in alone.values() if name not in VARIANTS)),
        respelled={min(spellings): len(spellings) for spellings in respelled.values()},
    )


def _is_refused(
    members: set[str],
    names: dict[str, set[str]],
    complete: dict[str, list[Seen]],
    lacking: Sequence[tuple[str, str | None, str | None, int, bool]],
) -> bool:
    for variant in VARIANTS:
        mine = [unit for unit in members if variant in _outer(names[unit])]
        lost = [(kind, name) for kind, _, name, _, is_lost in lacking if is_lost and kind != "unit"]
        size = len(mine) + sum(name == variant for _, name in lost)
        loss = sum(name == variant or (name is None and kind != "experiment") for kind, name in lost)
        halves = sum(0.5 if _outer(names[unit]) <= set(VARIANTS) else 1.0 for unit in mine if len(names[unit]) > 1)
        strangers = sum(not _outer(names[unit]) & set(VARIANTS) for unit in members)
        if size and 100 * (loss + halves + strangers) > size:
            return True
        nameless = sum(count for kind, _, name, count, _ in lacking if kind == "unit" and name in (variant, None))
        rows = sum(len(complete[unit]) for unit in mine) + sum(
            count for _, _, name, count, _ in lacking if name == variant
        )
        if rows and 100 * nameless > rows:
            return True
    return False


def _outer(names: set[str]) -> set[str]:
    """Return the first and last of a unit's variants, which is all that is read of three."""
    return {min(names), max(names)}
