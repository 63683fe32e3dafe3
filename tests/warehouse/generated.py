"""Worlds of rows in many layouts, types and time zones, and what their metrics are by hand: plain Python, no SQL.

No world has so many odd rows that a read would be refused; `odd_rows` has those.
"""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from math import ceil
from pathlib import Path

import duckdb
import psycopg
from hypothesis import strategies as st

from labcoat.domain.plan import Measuring, SameDay
from labcoat.stats.rule import MetricKind, Moments
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question
from warehouse.shop import numbers_of

START = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=30, hours=7)
VARIANTS = ("control", "New")
KEY = "E-7"
NULL = r"\N"
NO_PERSON = ("", "  ", None)

Row = tuple[object, ...]
Table = Mapping[str, str]
"""Columns and their types, in DuckDB's and PostgreSQL's words."""


@dataclass(frozen=True)
class Seen:
    """A row of the exposures, with what stands beside it in `once`."""

    who: int | None
    variant: str | None
    at: datetime | None
    experiment: str | None
    score: float
    prior: float
    is_back: bool


@dataclass(frozen=True)
class Order:
    """A row of a metric's own."""

    who: int | None
    at: datetime | None
    amount: int
    items: int
    is_returned: bool


@dataclass(frozen=True)
class World:
    """How one team keeps its rows, and what it asks.

    clock, order_clock: the types of the two time columns. amount: the type of `amount`. offset: hours that times with
    a zone are written in. is_select: named by `sql`, not `table`. How a metric is measured is the same for all.
    own_day: what counts of the exposure's day, where orders have days only and exposures have times.
    """

    seed: int
    unit: str
    clock: str
    order_clock: str
    amount: str
    offset: float
    is_select: bool
    has_experiment: bool
    window_days: float
    pre_period_days: float
    cap: float | None
    lookback_days: int
    own_day: SameDay

    @property
    def same_day(self) -> SameDay | None:
        """What the metrics file says of rows that have days only, None where it need not."""
        return self.own_day if self.order_clock in ("DATE", "MIDNIGHT") and self.clock != "DATE" else None

    @property
    def window(self) -> timedelta:
        """How long a unit's rows count, 0 for always."""
        return timedelta(days=ceil(self.window_days) if self.same_day else self.window_days)

    @property
    def since(self) -> datetime:
        """From when first exposures count."""
        return START - timedelta(days=self.lookback_days)

    @cached_property
    def rows(self) -> tuple[Sequence[Seen], Sequence[Order]]:
        """Exposures and orders, odd ones among them."""
        return _Dice(self).rows()

    @cached_property
    def orders_of(self) -> Mapping[int | None, Sequence[Order]]:
        """The orders by who made them."""
        found: dict[int | None, list[Order]] = {}
        for one in self.rows[1]:
            found.setdefault(one.who, []).append(one)
        return found

    @cached_property
    def units(self) -> Mapping[int, Sequence[Seen]]:
        """The complete rows of each unit whose first is not before the start, in order of time."""
        return _units(self)

    @cached_property
    def once(self) -> Sequence[Seen]:
        """The first complete exposure of each unit in one variant: rows that have values beside them."""
        return [rows[0] for rows in self.units.values() if len({_name(row.variant) for row in rows}) == 1]


worlds = st.builds(
    World,
    seed=st.integers(0, 2**32),
    unit=st.sampled_from(["BIGINT", "TEXT"]),
    clock=st.sampled_from(["TIMESTAMP", "TIMESTAMPTZ", "DATE"]),
    order_clock=st.sampled_from(["TIMESTAMP", "TIMESTAMPTZ", "DATE", "MIDNIGHT", "EPOCH"]),
    amount=st.sampled_from(["DOUBLE PRECISION", "DECIMAL(12,2)", "INTEGER"]),
    offset=st.sampled_from([0, 5.5, -8, 13]),
    is_select=st.booleans(),
    has_experiment=st.booleans(),
    window_days=st.sampled_from([0.0, 0.5, 3.0, 7.0]),
    pre_period_days=st.sampled_from([0.0, 2.0, 7.0]),
    cap=st.sampled_from([None, 4000.0]),
    lookback_days=st.sampled_from([0, 9]),
    own_day=st.sampled_from(SameDay),
)


class _Dice:
    """Rows of one world, by its seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dice = random.Random(world.seed)

    def rows(self) -> tuple[list[Seen], list[Order]]:
        seen: list[Seen] = []
        orders: list[Order] = []
        arms = {who: VARIANTS[who % 2] for who in range(2 * self.dice.randrange(150, 165))}
        for who, arm in arms.items():
            first = START + timedelta(days=self.dice.uniform(-4, 31))
            seen += [
                self.seen(who, arm, first + timedelta(days=self.dice.uniform(0, 3) * again))
                for again in range(self.dice.choice((1, 1, 1, 2, 3)))
            ]
            orders += [
                self.order(who, first + timedelta(days=self.dice.uniform(-12, 20)))
                for _ in range(self.dice.choice((0, 0, 1, 2, 5)))
            ]
        seen += self.odd_exposures(seen)
        orders += self.odd_orders()
        self.dice.shuffle(seen)
        self.dice.shuffle(orders)
        return seen, orders

    def seen(self, who: int | None, variant: str | None, at: datetime | None, experiment: str | None = KEY) -> Seen:
        dice = self.dice
        variant = dice.choice((variant, variant, f" {variant}", variant.upper())) if variant else variant
        return Seen(who, variant, at, experiment, dice.gauss(5, 2), dice.gauss(4, 3), dice.random() < 0.3)

    def order(self, who: int | None, at: datetime | None) -> Order:
        return Order(who, at, self.dice.randrange(1, 9000), self.dice.randrange(1, 4), self.dice.random() < 0.2)

    def odd_exposures(self, good: Sequence[Seen]) -> list[Seen]:
        """Return rows that lack something, of units that have another; and at most one that loses its unit."""
        dice, found = self.dice, []
        for one in dice.sample([one for one in good if one.at is not None and one.at < UNTIL], 6):
            assert one.at is not None
            earlier = one.at - timedelta(days=dice.uniform(0, 8))
            found.append(self.seen(one.who, dice.choice((None, "", "  ")), earlier))
            found.append(self.seen(one.who, _name(one.variant), None))
            if self.world.has_experiment:
                found.append(self.seen(one.who, "zeta", earlier, "E-8"))
                found.append(self.seen(one.who, _name(one.variant), earlier, dice.choice((None, ""))))
        later = START + timedelta(days=dice.uniform(0, 10))
        loses = dice.choice(("nothing", "variant", "time", "unit", "two", "unplanned"))
        lost = {
            "variant": [self.seen(9001, None, later)],
            "time": [self.seen(9002, "control", None)],
            "unit": [self.seen(None, "control", later)],
            "two": [self.seen(9003, name, later) for name in VARIANTS],
            "unplanned": [self.seen(9004, "zeta", later)],
        }
        return found + lost.get(loses, [])

    def odd_orders(self) -> list[Order]:
        at = START + timedelta(days=2)
        return [self.order(None, at), self.order(3, None), self.order(7777, at), self.order(5, UNTIL)]


def _name(variant: str | None) -> str | None:
    plain = (variant or "").strip(" ")
    return next((name for name in VARIANTS if name.lower() == plain.lower()), plain or None)


def _moment(at: datetime | None, clock: str) -> datetime | None:
    """Return what a column of that type keeps of a moment."""
    if at is None or clock not in ("DATE", "MIDNIGHT"):
        return at
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _units(world: World) -> dict[int, list[Seen]]:
    """Return the complete rows of each unit whose first is not before the start, in order of time."""
    units: dict[int, list[tuple[datetime, Seen]]] = {}
    for row in world.rows[0]:
        at = _moment(row.at, world.clock)
        is_ours = not world.has_experiment or row.experiment == KEY
        if is_ours and row.who is not None and _name(row.variant) is not None and at is not None and at < UNTIL:
            units.setdefault(row.who, []).append((at, row))
    found = {who: sorted(rows, key=lambda pair: pair[0]) for who, rows in units.items()}
    return {who: [row for _, row in rows] for who, rows in found.items() if rows[0][0] >= world.since}


# What is asked, as a file and by hand.

_EXPOSURES = {"unit": "who", "variant": "arm", "exposed_at": "seen_at", "experiment": "test"}
_ORDERS = {"unit": "who", "time": "ordered_at"}
_METRICS: Mapping[str, dict[str, str]] = {
    "spent": {"kind": "mean", "value": "amount"},
    "orders": {"kind": "mean"},
    "bought": {"kind": "proportion"},
    "returned": {"kind": "proportion", "value": "is_returned"},
    "basket": {"kind": "ratio", "value": "amount", "denominator": "items"},
    "score": {"kind": "mean", "value": "score", "covariate": "prior"},
    "back": {"kind": "proportion", "value": "is_back"},
}
BESIDE = ("score", "back")
"""Metrics that are columns of the exposures `once`."""
OWN = tuple(name for name in _METRICS if name not in BESIDE)


def file_of(world: World, source: str) -> str:
    """Return the metrics file of a world over a source called shop."""
    exposures = dict(_EXPOSURES)
    if not world.has_experiment:
        del exposures["experiment"]
    lines = [f"sources: {{shop: {source}}}", "exposures:"]
    lines += [f"  {name}: {{source: shop, {_rows_of(world, name, exposures)}}}" for name in ("seen", "once")]
    lines.append("metrics:")
    for name, fields in _METRICS.items():
        plain = {key: text for key, text in fields.items() if key == "kind"}
        columns = {key: text for key, text in fields.items() if key != "kind"}
        if name in BESIDE:
            rows = ", ".join(f"{key}: {text}" for key, text in columns.items())
        else:
            rows = _rows_of(world, "orders", {**_ORDERS, **columns})
            rows += ", time_format: epoch microseconds" if world.order_clock == "EPOCH" else ""
            rows += f", same_day: {world.same_day}" if world.same_day else ""
        over = "once" if name in BESIDE else "seen"
        lines.append(f"  {name}: {{direction: up, exposures: {over}, kind: {plain['kind']}, {rows}}}")
    return "\n".join(lines)


def _rows_of(world: World, table: str, columns: Mapping[str, str]) -> str:
    if not world.is_select or table == "once":
        return ", ".join([f"table: {table}", *(f"{key}: {text}" for key, text in columns.items())])
    listed = ", ".join(f"{text} AS {key}" for key, text in columns.items())
    return f'sql: "SELECT {listed} FROM {table}"'


def question(world: World, metrics: Sequence[str]) -> Question:
    """Return the question for these metrics, measured as the world says."""
    return Question(
        key=KEY,
        goal=metrics[0],
        metrics=tuple(MetricQuestion(name=name, measuring=_measuring(world, name)) for name in metrics),
        variants=VARIANTS,
        since=world.since,
        until=UNTIL,
    )


def _measuring(world: World, metric: str) -> Measuring:
    return Measuring(
        window_days=world.window.total_seconds() / 86_400,
        pre_period_days=0.0 if metric in BESIDE else world.pre_period_days,
        same_day=None if metric in BESIDE else world.same_day,
        cap=None if _METRICS[metric]["kind"] == MetricKind.PROPORTION or metric in BESIDE else world.cap,
    )


Numbers = tuple[int, list[float], list[list[float]]]
"""Count, means and covariances of value, denominator, covariate and its denominator."""


def by_hand(world: World, metric: str, variant: str) -> Numbers:
    """Return what a read of a metric gives for a variant."""
    window = world.window
    columns: list[list[float]] = []
    for who, rows in world.units.items():
        names = {_name(row.variant) for row in rows}
        first = _moment(rows[0].at, world.clock)
        assert first is not None
        begins = first if metric in BESIDE else _begins(world, first)
        if names == {variant} and (not window or begins + window < UNTIL):
            columns.append(_beside(metric, rows[0]) if metric in BESIDE else _own(world, metric, who, first))
    given = [list(column) for column in zip(*columns, strict=True)]
    means = [statistics.fmean(column) for column in given]
    return len(columns), means, [[statistics.covariance(one, two) for two in given] for one in given]


def _beside(metric: str, row: Seen) -> list[float]:
    return [row.score, 1.0, row.prior, 1.0] if metric == "score" else [float(row.is_back), 1.0, 0.0, 1.0]


def _own(world: World, metric: str, who: int, first: datetime) -> list[float]:
    window, before = world.window, timedelta(days=world.pre_period_days)
    begins, day = _begins(world, first), _moment(first, "DATE") if world.same_day else first
    assert day is not None
    after, past = [], []
    for one in world.orders_of.get(who, ()):
        at = _moment(one.at, world.order_clock)
        if at is None:
            continue
        if begins <= at < (begins + window if window else UNTIL):
            after.append(one)
        if day - before <= at < day:
            past.append(one)
    how = _SUMS[metric]
    cap = world.cap if world.cap is not None and metric in ("spent", "orders", "basket") else float("inf")
    has_items = metric == "basket"
    return [
        min(how(after), cap),
        float(sum(one.items for one in after)) if has_items else 1.0,
        min(how(past), cap) if before else 0.0,
        float(sum(one.items for one in past)) if has_items and before else 1.0,
    ]


def _begins(world: World, first: datetime) -> datetime:
    """Return from when a unit's orders count."""
    if world.same_day is None:
        return first
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if world.same_day is SameDay.INCLUDE else day + timedelta(days=1)


_SUMS: Mapping[str, Callable[[Sequence[Order]], float]] = {
    "spent": lambda orders: float(sum(one.amount for one in orders)),
    "orders": lambda orders: float(len(orders)),
    "bought": lambda orders: float(bool(orders)),
    "returned": lambda orders: float(any(one.is_returned for one in orders)),
    "basket": lambda orders: float(sum(one.amount for one in orders)),
}


def differences(world: World, metrics: MetricsFile) -> list[str]:
    """Return where a read differs from what is so by hand, by more than nine digits."""
    found = []
    for names in (OWN, BESIDE):
        read = reading.read(metrics, question(world, names))
        for name in names:
            for moments, variant in zip(read.sample.moments[name], VARIANTS, strict=True):
                if not _is_close(moments, expected := by_hand(world, name, variant), name):
                    found.append(f"{name} of {variant}: {numbers_of(moments)} is not {expected}")
    return found


def _is_close(moments: Moments, expected: Numbers, metric: str) -> bool:
    count, means, covariances = expected
    is_plain = moments.joint is None
    if is_plain and _METRICS[metric]["kind"] == MetricKind.PROPORTION:
        covariances[0][0] = means[0] * (1 - means[0])
    found_count, found_means, found_covariances = numbers_of(moments)
    pairs = list(zip(found_means, means, strict=True))
    for row, other in zip(found_covariances, covariances, strict=True):
        pairs += zip(row, other, strict=True)
    scale = max(abs(number) for row in covariances for number in row)
    return found_count == count and all(abs(one - two) <= 1e-9 * max(abs(two), scale, 1) for one, two in pairs)


# The rows in an engine.


def tables(world: World) -> Mapping[str, tuple[Table, list[Row]]]:
    """Return each table's columns and rows, texts as both engines read them."""
    seen = {"who": world.unit, "arm": "TEXT", "seen_at": world.clock, "test": "TEXT"}
    orders = {
        "who": world.unit,
        "ordered_at": {"MIDNIGHT": "TIMESTAMP", "EPOCH": "BIGINT"}.get(world.order_clock, world.order_clock),
        "amount": world.amount,
        "items": "INTEGER",
        "is_returned": "BOOLEAN",
    }
    beside = {"score": "DOUBLE PRECISION", "prior": "DOUBLE PRECISION", "is_back": "BOOLEAN"}
    exposures = world.rows[0]
    return {
        "seen": (seen, [_seen(world, row) for row in exposures]),
        "once": (
            {**seen, **beside},
            [(*_seen(world, row), repr(row.score), repr(row.prior), row.is_back) for row in world.once],
        ),
        "orders": (
            orders,
            [
                (_who(world, row.who), _time(world, row.at, world.order_clock), row.amount, row.items, row.is_returned)
                for row in world.rows[1]
            ],
        ),
    }


def _seen(world: World, row: Seen) -> Row:
    return (_who(world, row.who), row.variant, _time(world, row.at, world.clock), row.experiment)


def _who(world: World, who: int | None) -> str | int | None:
    if world.unit == "BIGINT":
        return who
    return f"u{who:04}" if who is not None else NO_PERSON[world.seed % 3]


def _time(world: World, at: datetime | None, clock: str) -> str | int | None:
    at = _moment(at, clock)
    if at is None:
        return None
    match clock:
        case "DATE":
            return f"{at:%Y-%m-%d}"
        case "EPOCH":
            return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        case "TIMESTAMP" | "MIDNIGHT":
            return f"{at:%Y-%m-%d %H:%M:%S.%f}"
        case _:
            return at.astimezone(timezone(timedelta(hours=world.offset))).isoformat(sep=" ")


def _lines(rows: Sequence[Row]) -> str:
    return "".join("\t".join(NULL if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def fill_duckdb(connection: duckdb.DuckDBPyConnection, folder: Path, world: World) -> None:
    """Make a world's tables in a database."""
    connection.execute("SET TimeZone = 'UTC'")
    for name, (columns, rows) in tables(world).items():
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE OR REPLACE TABLE {name} ({listed})")
        (folder / "rows.txt").write_text(_lines(rows))
        how = r"HEADER false, DELIMITER '\t', NULLSTR '\N', QUOTE '', ESCAPE '', AUTO_DETECT false"
        connection.execute(f"COPY {name} FROM '{folder}/rows.txt' ({how})")


def write_files(folder: Path, world: World, *, kind: str) -> None:
    """Write a world's tables as files. kind: parquet or csv."""
    with duckdb.connect() as connection:
        fill_duckdb(connection, folder, world)
        for name in ("seen", "once", "orders"):
            connection.execute(f"COPY {name} TO '{folder}/{name}.{kind}' (FORMAT {kind})")


def fill_postgresql(connection: psycopg.Connection, world: World) -> None:
    """Make a world's tables in a database."""
    cursor = connection.cursor()
    for name, (columns, rows) in tables(world).items():
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        cursor.execute(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({listed})".encode())
        with cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
            copy.write(_lines(rows))


def load(folder: Path, world: World, source: str, *, environment: Mapping[str, str] | None = None) -> MetricsFile:
    """Return a world's metrics file over a source."""
    path = folder / "metrics.yml"
    path.write_text(file_of(world, source))
    return metrics_file.load(path, environment=environment)


FILES = "tables: {{seen: seen.{kind}, once: once.{kind}, orders: orders.{kind}}}"
"""What a source has of `write_files`."""
