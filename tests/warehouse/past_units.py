"""Past exposures and orders, odd rows among them, and the sums of their random splits by hand: plain Python, no SQL."""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement
from pathlib import Path

import duckdb
import psycopg

from labcoat.stats.rule import Splits
from labcoat.warehouse import metrics_file, reading, replaying
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.replaying import Asked, PastUnits
from labcoat.warehouse.resolving import AskedMetric
from warehouse.filling import insert

SINCE, DAYS = datetime(2026, 3, 1, tzinfo=UTC), 28
UNTIL = SINCE + timedelta(days=DAYS)
WEEKS = (7, 14, 21, 28)
CAP = 60.0

FILE = """
exposures:
  users: {source: shop, table: exposures, unit: who, variant: variant, exposed_at: seen_at, experiment: experiment}
  visits:
    source: shop
    sql: >
      SELECT who AS unit, MIN(variant) AS variant, MIN(seen_at) AS exposed_at, experiment, MIN(score) AS score
      FROM exposures WHERE TRIM(variant) <> '' AND seen_at IS NOT NULL GROUP BY who, experiment
  untimed: {source: shop, sql: "SELECT who AS unit, variant FROM exposures"}
metrics:
  revenue:
    {kind: mean, direction: up, exposures: users, table: orders, unit: who, time: ordered_at, value: amount, cap: 60,
     window_days: 7, pre_period_days: 7}
  bought: {kind: proportion, direction: up, exposures: users, table: orders, unit: who, time: ordered_at,
     window_days: 2.5}
  basket:
    {kind: ratio, direction: up, exposures: users, table: orders, unit: who, time: ordered_at, value: amount,
     denominator: items, window_days: 3, pre_period_days: 14}
  orders: {kind: mean, direction: up, exposures: users, table: orders, unit: who, time: ordered_at,
     complete_at_exposure: true}
  total: {kind: mean, direction: up, exposures: users, table: orders, unit: who, time: ordered_at, value: amount}
  so far:
    kind: mean
    direction: up
    exposures: users
    sql: SELECT who AS unit, SUM(amount) AS value FROM orders WHERE ordered_at < :until GROUP BY who
  ever:
    kind: mean
    direction: up
    exposures: users
    sql: SELECT who AS unit, SUM(amount) AS value, MIN(items) AS covariate FROM orders GROUP BY who
    complete_at_exposure: true
  score: {kind: mean, direction: down, exposures: visits, value: score, complete_at_exposure: true}
  untold: {kind: mean, direction: up, exposures: users, table: orders, unit: who, value: amount}
  worded: {kind: proportion, direction: up, exposures: users, table: orders, unit: who, time: ordered_at, value: items,
     window_days: 3}
"""
TABLES = """
CREATE TABLE exposures (who text, variant text, seen_at timestamp, experiment text, score double precision);
CREATE TABLE orders (who text, ordered_at timestamp, amount double precision, items int);
"""


@dataclass(frozen=True)
class Seen:
    """A row of the exposures."""

    who: str | None
    variant: str | None
    at: datetime | None
    experiment: str | None
    score: float


@dataclass(frozen=True)
class Order:
    """A row of the orders."""

    who: str | None
    at: datetime
    amount: float
    items: int


def rows(*, users: int = 600) -> tuple[list[Seen], list[Order]]:
    """Return seeded rows: users in two experiments, before and after the period, and rows that lack something."""
    dice = random.Random(5)
    seen, orders = [], []
    for number in range(users):
        who = f"user {number}"
        first = SINCE + timedelta(seconds=dice.randrange(-3 * 86_400, 30 * 86_400))
        for _ in range(1 + dice.randrange(3)):
            at = first + timedelta(seconds=dice.randrange(9 * 86_400))
            seen.append(Seen(who, dice.choice("ab"), at, dice.choice(("E-1", "E-2")), dice.gauss(1e6, 3)))
        if number % 40 == 0:
            early = SINCE + timedelta(hours=1)
            lacking: list[tuple[str | None, str | None, datetime | None, str | None]] = [
                (who, None, early, "E-1"),
                (who, "a", None, "E-1"),
                (who, " ", early, "E-1"),
            ]
            lacking += [(who, "a", early, None), (None, "a", early, "E-1"), ("", "a", early, "E-1")]
            seen += [Seen(*row, 0.0) for row in lacking]
        for _ in range(dice.randrange(6)):
            at = first + timedelta(seconds=dice.randrange(-9 * 86_400, 20 * 86_400))
            orders.append(Order(who, at, round(dice.lognormvariate(3, 1), 2), dice.randrange(1, 4)))
    orders.append(Order(None, SINCE, 1e6, 1))
    return seen, orders


def write_duckdb(folder: Path) -> None:
    """Write the rows as a database, and as Parquet files beside it."""
    with duckdb.connect(folder / "past.duckdb") as connection:
        connection.execute(TABLES)
        for table, values in _values().items():
            insert(connection, table, values)
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")


def write_postgresql(url: str) -> None:
    """Write the rows into an empty database."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES.encode())
        for table, values in _values().items():
            places = ", ".join(["%s"] * len(values[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})".encode(), values)


def _values() -> dict[str, list[tuple[object, ...]]]:
    seen, orders = rows()
    return {
        "exposures": [
            (one.who, one.variant, one.at and one.at.replace(tzinfo=None), one.experiment, one.score) for one in seen
        ],
        "orders": [(one.who, one.at.replace(tzinfo=None), one.amount, one.items) for one in orders],
    }


def load(folder: Path, source: str, *, environment: Mapping[str, str] | None = None) -> MetricsFile:
    """Return the one metrics file of all engines over a source."""
    path = folder / "metrics.yml"
    path.write_text(f"sources:\n  shop: {source}\n{FILE}")
    return metrics_file.load(path, environment=environment)


def asked(file: MetricsFile, name: str, *, splits: int, seed: int = 1, exposures: str | None = None) -> Asked:
    """Return the question for splits of the whole period."""
    metric = file.metrics[name]
    return Asked(
        metric=AskedMetric(name=name, metric=metric, measuring=reading.measuring_of(metric)),
        exposures=exposures or file.exposures_of(metric),
        until=UNTIL,
        days=DAYS,
        look_days=WEEKS,
        splits=splits,
        seed=seed,
    )


def read(file: MetricsFile, name: str, *, splits: int, seed: int = 1) -> PastUnits:
    """Return what the engine gives."""
    return replaying.read(file, asked(file, name, splits=splits, seed=seed), told=lambda _done, _of: None)


def is_in_treatment(unit: str, split: int, *, seed: int) -> bool:
    """Whether a unit is in the treatment of a split: one bit of a hash."""
    word, bit = divmod(split, 128)
    digest = int(hashlib.md5(f"{unit}/{seed}/{word}".encode(), usedforsecurity=False).hexdigest(), 16)
    return bool(digest >> (127 - bit) & 1)


def _is_complete(row: Seen) -> bool:
    return bool(row.who and row.who.strip() and row.variant and row.variant.strip() and row.experiment and row.at)


def first_seen(*, until: datetime, by_experiment: bool) -> dict[str, tuple[datetime, str, float]]:
    """Return each unit's first complete row of the period: when, who, and its score."""
    found: dict[str, tuple[datetime, str, float]] = {}
    least: dict[str, float] = {}
    for row in rows()[0]:
        if _is_complete(row) and row.at is not None and row.who is not None:
            unit = f"{row.experiment}/{row.who}" if by_experiment else row.who
            least[unit] = min(least.get(unit, row.score), row.score)
            # `visits` has the first time of all, and what came before the period is not in it.
            if by_experiment or SINCE <= row.at < until:
                at, who, _ = found.get(unit, (row.at, row.who, 0.0))
                found[unit] = (min(at, row.at), who, 0.0)
    return {unit: (at, who, least[unit]) for unit, (at, who, _) in found.items() if SINCE <= at < until}


Number = Callable[[datetime, list[Order], datetime], float]


def _total(window: float | None, column: Callable[[Order], float], cap: float | None = None) -> Number:
    def number(at: datetime, orders: list[Order], until: datetime) -> float:
        end = until if window is None else min(until, at + timedelta(days=window))
        found = sum(column(one) for one in orders if at <= one.at < end)
        return found if cap is None else min(found, cap)

    return number


def _before(days: float, column: Callable[[Order], float], cap: float | None = None) -> Number:
    def number(at: datetime, orders: list[Order], until: datetime) -> float:
        found = sum(column(one) for one in orders if at - timedelta(days=days) <= one.at < at)
        return found if cap is None else min(found, cap)

    return number


@dataclass(frozen=True)
class ByHand:
    """A metric in Python. window: in days, None for none. numbers: by column."""

    window: float | None
    numbers: Mapping[str, Number]
    is_growing: bool = False


def _amount(order: Order) -> float:
    return order.amount


BY_HAND = {
    "revenue": ByHand(7, {"y": _total(7, _amount, CAP), "c": _before(7, _amount, CAP)}),
    "bought": ByHand(2.5, {"y": lambda *unit: float(_total(2.5, lambda _: 1)(*unit) > 0)}),
    "basket": ByHand(
        3,
        {
            "y": _total(3, _amount),
            "x": _total(3, lambda one: one.items),
            "c": _before(14, _amount),
            "d": _before(14, lambda one: one.items),
        },
    ),
    "orders": ByHand(None, {"y": _total(None, lambda _: 1)}),
    "total": ByHand(None, {"y": _total(None, _amount)}, is_growing=True),
    "so far": ByHand(
        None,
        {"y": lambda _at, orders, until: sum(one.amount for one in orders if one.at < until)},
        is_growing=True,
    ),
    "ever": ByHand(
        None,
        {
            "y": lambda _at, orders, _until: sum(one.amount for one in orders),
            "c": lambda _at, orders, _until: min((one.items for one in orders), default=0),
        },
    ),
    "score": ByHand(None, {}),
}

Sums = dict[tuple[int | None, int, int], tuple[int, list[float]]]


def by_hand(name: str, *, splits: int, seed: int, centres: Sequence[float]) -> Sums:
    """Return units and sums by split (None: all), exposed day and counted day."""
    how = BY_HAND[name]
    ends = [SINCE + timedelta(days=day) for day in WEEKS] if how.is_growing else [UNTIL]
    orders: dict[str | None, list[Order]] = {}
    for order in rows()[1]:
        orders.setdefault(order.who, []).append(order)
    found: Sums = {}
    for look, until in enumerate(ends, start=1):
        for unit, (at, who, score) in first_seen(until=until, by_experiment=name == "score").items():
            values = [number(at, orders.get(who, []), until) for number in how.numbers.values()] or [score]
            days = (look, look) if how.is_growing else (_day(at), _day(at + timedelta(days=how.window or 0)))
            apart = [value - centre for value, centre in zip(values, centres, strict=True)]
            added = [*apart, *(one * two for one, two in combinations_with_replacement(apart, 2))]
            for split in (None, *(one for one in range(splits) if is_in_treatment(unit, one, seed=seed))):
                count, sums = found.get((split, *days), (0, [0.0] * len(added)))
                found[split, *days] = (count + 1, [one + two for one, two in zip(sums, added, strict=True)])
    return found


def _day(moment: datetime) -> int:
    """Return the day's number, 1 the first; 0 after the last."""
    day = (moment - SINCE) // timedelta(days=1) + 1
    return day if day <= DAYS else 0


def sums_of(splits: Splits) -> Sums:
    """Return the same of what the engine gave."""
    return {(one.split, one.exposed_day, one.counted_day): (one.units, list(one.sums)) for one in splits.sums}
