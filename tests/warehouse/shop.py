"""A shop's exposures and orders, in any engine, and what its metrics are by hand: plain Python, no SQL."""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg

from labcoat.stats.rule import Moments
from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question
from warehouse.filling import insert

SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = 7 * DAY
CAP = 150.0
KEYS = ("E-7", "E-8")

METRICS = """
exposures:
  users:
    source: shop
    table: exposures
    unit: user_id
    variant: variant
    exposed_at: seen_at
    experiment: experiment
metrics:
  revenue:
    {kind: mean, direction: up, table: orders, time: ordered_at, value: amount, window_days: 7, pre_period_days: 7,
     cap: 150}
  orders: {kind: mean, direction: up, table: orders, time: ordered_at, window_days: 3}
  bought: {kind: proportion, direction: up, table: orders, time: ordered_at, window_days: 7, pre_period_days: 3}
  refunds: {kind: proportion, direction: down, table: orders, time: ordered_at, value: refunded}
  basket:
    {kind: ratio, direction: up, table: orders, time: ordered_at, value: amount, denominator: items, window_days: 7,
     pre_period_days: 7}
  spent so far:
    kind: mean
    direction: up
    sql: >
      SELECT user_id, SUM(amount) AS value, MAX(items) AS covariate FROM orders WHERE ordered_at < :until
      GROUP BY user_id
"""


@dataclass(frozen=True)
class Exposure:
    """One row of exposures."""

    user: int
    variant: str
    at: datetime
    experiment: str


@dataclass(frozen=True)
class Order:
    """One row of orders."""

    user: int
    at: datetime
    amount: float
    items: int
    refunded: bool


def a_shop(*, users: int = 900) -> tuple[list[Exposure], list[Order]]:
    """Return seeded rows: repeated exposures, a few users in two variants, orders before, in and after the window."""
    dice = random.Random(7)
    exposures, orders = [], []
    for user in range(users):
        variant = dice.choice(("a", "b"))
        first = SINCE - DAY + dice.random() * 18 * DAY
        seen = [(variant, first)] + [(variant, first + dice.random() * DAY) for _ in range(dice.randrange(3))]
        if user % 151 == 7:
            seen.append(("b" if variant == "a" else "a", first + DAY))
        exposures += [Exposure(user, arm, _whole(at), KEYS[user % 2]) for arm, at in seen]
        for _ in range(dice.randrange(5)):
            at = first + (dice.random() - 0.4) * 25 * DAY
            orders.append(
                Order(user, _whole(at), round(dice.lognormvariate(3, 1), 2), dice.randrange(1, 4), user % 5 == 0)
            )
    return exposures, orders


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def question(key: str, metrics: Sequence[str]) -> Question:
    """Return the question for the numbers of one of the shop's experiments."""
    chosen = tuple(MetricQuestion(name=name) for name in metrics)
    return Question(key=key, goal=metrics[0], metrics=chosen, variants=("a", "b"), since=SINCE, until=UNTIL)


def load(folder: Path, source: str, *, environment: Mapping[str, str] | None = None) -> MetricsFile:
    """Return the one metrics file of all engines over a source."""
    path = folder / "metrics.yml"
    path.write_text(f"sources:\n  shop: {source}\n{METRICS}")
    return metrics_file.load(path, environment=environment)


def write_duckdb(folder: Path) -> None:
    """Write the shop as a database, and as Parquet files beside it."""
    exposures, orders = a_shop()
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE exposures (user_id BIGINT, variant TEXT, seen_at TIMESTAMP, experiment TEXT)")
        connection.execute(
            "CREATE TABLE orders (user_id BIGINT, ordered_at TIMESTAMP, amount DOUBLE, items INTEGER, refunded BOOLEAN)"
        )
        insert(connection, "exposures", _exposure_rows(exposures))
        insert(connection, "orders", _order_rows(orders))
        for table in ("exposures", "orders"):
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")


def write_postgresql(url: str) -> None:
    """Write the shop into an empty database."""
    exposures, orders = a_shop()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE exposures (user_id bigint, variant text, seen_at timestamp, experiment text)")
        cursor.execute(
            "CREATE TABLE orders (user_id bigint, ordered_at timestamp, amount float8, items int, refunded boolean)"
        )
        cursor.executemany("INSERT INTO exposures VALUES (%s, %s, %s, %s)", _exposure_rows(exposures))
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s, %s)", _order_rows(orders))


def _exposure_rows(exposures: Sequence[Exposure]) -> list[tuple[object, ...]]:
    return [(one.user, one.variant, one.at.replace(tzinfo=None), one.experiment) for one in exposures]


def _order_rows(orders: Sequence[Order]) -> list[tuple[object, ...]]:
    return [(one.user, one.at.replace(tzinfo=None), one.amount, one.items, one.refunded) for one in orders]


@dataclass(frozen=True)
class Seen:
    """A unit that counts, and its orders."""

    variant: str
    at: datetime
    orders: list[Order]

    def within(self, length: timedelta) -> list[Order]:
        """The orders in so long after the exposure."""
        return [one for one in self.orders if self.at <= one.at < min(self.at + length, UNTIL)]

    def before(self, length: timedelta) -> list[Order]:
        """The orders in so long before it."""
        return [one for one in self.orders if self.at - length <= one.at < self.at]


def units_by_hand(key: str) -> tuple[list[Seen], int]:
    """Return the units of an experiment that count, and how many were in two variants."""
    exposures, orders = a_shop()
    mine: dict[int, list[Exposure]] = {}
    for one in exposures:
        if one.experiment == key and one.at < UNTIL:
            mine.setdefault(one.user, []).append(one)
    seen = {user: rows for user, rows in mine.items() if min(row.at for row in rows) >= SINCE}
    crossed = {user for user, rows in seen.items() if len({row.variant for row in rows}) > 1}
    units = [
        Seen(rows[0].variant, min(row.at for row in rows), [one for one in orders if one.user == user])
        for user, rows in seen.items()
        if user not in crossed
    ]
    return units, len(crossed)


Number = Callable[[Seen], float]


@dataclass(frozen=True)
class ByHand:
    """A metric in Python. columns: value, denominator, covariate, its denominator; a None column is constant."""

    window: timedelta
    columns: tuple[Number, Number | None, Number | None, Number | None]


FOREVER = 999 * DAY
BY_HAND: Mapping[str, ByHand] = {
    "revenue": ByHand(
        WEEK,
        (
            lambda unit: min(sum(one.amount for one in unit.within(WEEK)), CAP),
            None,
            lambda unit: min(sum(one.amount for one in unit.before(WEEK)), CAP),
            None,
        ),
    ),
    "orders": ByHand(3 * DAY, (lambda unit: len(unit.within(3 * DAY)), None, None, None)),
    "bought": ByHand(WEEK, (lambda unit: bool(unit.within(WEEK)), None, lambda unit: bool(unit.before(3 * DAY)), None)),
    "refunds": ByHand(0 * DAY, (lambda unit: any(one.refunded for one in unit.within(FOREVER)), None, None, None)),
    "basket": ByHand(
        WEEK,
        (
            lambda unit: sum(one.amount for one in unit.within(WEEK)),
            lambda unit: sum(one.items for one in unit.within(WEEK)),
            lambda unit: sum(one.amount for one in unit.before(WEEK)),
            lambda unit: sum(one.items for one in unit.before(WEEK)),
        ),
    ),
    "spent so far": ByHand(
        0 * DAY,
        (
            lambda unit: sum(one.amount for one in unit.orders if one.at < UNTIL),
            None,
            lambda unit: max((one.items for one in unit.orders if one.at < UNTIL), default=0),
            None,
        ),
    ),
}


def numbers_by_hand(key: str, metric: str, variant: str) -> tuple[int, list[float], list[list[float]]]:
    """Return count, means and covariances of the four columns, as `stats.moments` has them."""
    how = BY_HAND[metric]
    units = [
        unit
        for unit in units_by_hand(key)[0]
        if unit.variant == variant and (not how.window or unit.at + how.window < UNTIL)
    ]
    constants = (0.0, 1.0, 0.0, 1.0)
    columns = [
        [float(number(unit)) for unit in units] if number is not None else [constant] * len(units)
        for number, constant in zip(how.columns, constants, strict=True)
    ]
    means = [statistics.fmean(column) for column in columns]
    return len(units), means, [[statistics.covariance(one, two) for two in columns] for one in columns]


def numbers_of(moments: Moments) -> tuple[int, list[float], list[list[float]]]:
    """Return the same of moments that were read; a metric of one column has a constant for each of the others."""
    if moments.joint is None:
        return moments.count, [moments.mean, 1.0, 0.0, 1.0], [[moments.variance, 0.0, 0.0, 0.0], *[[0.0] * 4] * 3]
    return moments.count, [moments.mean, *moments.joint.means], [list(row) for row in moments.joint.covariances]
