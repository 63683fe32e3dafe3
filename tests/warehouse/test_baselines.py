"""What metrics were lately, measured on real engines: equal to plain Python over the same rows, without any SQL."""

import csv
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import sqrt
from pathlib import Path
from statistics import correlation, covariance, fmean, stdev, variance

import duckdb
import psycopg
import pytest
import sqlglot

import postgres
from labcoat.cli import app as cli
from labcoat.domain.baseline import Baseline
from labcoat.warehouse import aggregate, baselines, metrics_file, population, sql
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.exposed_units import EXPOSURES
from labcoat.warehouse.measures import ExposureColumns
from labcoat.warehouse.metrics_file import MetricsFile
from warehouse.test_sql import ENGINES

DAY = timedelta(days=1)
NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
END = datetime(2026, 11, 30, tzinfo=UTC)  # the newest whole day is left out: its rows may be on their way
FOUR_WEEKS = 28 * DAY
CAP = 60.0

FILE = """
sources: {shop: SOURCE}
exposures:
  users:
    {source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: seen_at, experiment: experiment}
metrics:
  revenue:
    {kind: mean, direction: up, table: orders, time: ordered_at, value: amount, window_days: 7, pre_period_days: 14,
     cap: 60}
  bought: {kind: proportion, direction: up, table: orders, time: ordered_at, window_days: 7, pre_period_days: 14}
  basket:
    {kind: ratio, direction: up, table: orders, time: ordered_at, value: amount, denominator: items, window_days: 7,
     pre_period_days: 14}
  orders so far: {kind: mean, direction: up, table: orders, time: ordered_at}
  visits: {kind: mean, direction: up, value: visits}
"""


@dataclass(frozen=True)
class Exposure:
    user: str | None
    experiment: str | None
    variant: str | None
    at: datetime
    visits: float


@dataclass(frozen=True)
class Order:
    user: str
    at: datetime
    amount: float
    items: int


@dataclass(frozen=True)
class Rows:
    exposures: Sequence[Exposure]
    orders: Sequence[Order]


def generated(seed: int, *, users: int = 1500) -> Rows:
    """Users in one or two experiments over ten weeks, some of their rows without a variant; orders that go together."""
    dice = random.Random(seed)
    exposures, orders = [], []
    for number in range(users):
        user, likes = f"u{number}", dice.lognormvariate(0, 0.6)
        first = END - dice.random() * 70 * DAY
        for experiment in ("E-1", "E-2")[: dice.choice((1, 1, 2))]:
            at = first + (experiment == "E-2") * dice.random() * 20 * DAY
            exposures.append(Exposure(user, experiment, dice.choice(("a", "b")), at, dice.randrange(9)))
        if number % 400 == 3:
            exposures.append(Exposure(user, "E-1", None, first - 9 * DAY, 1))
        if number % 10 == 4:
            exposures.append(Exposure(user, dice.choice((None, "")), "a", first - 3 * DAY, 1))  # of no experiment
        for _ in range(dice.randrange(1 + round(4 * likes))):
            at = first + (dice.random() - 0.5) * 40 * DAY
            orders.append(Order(user, at, round(likes * dice.uniform(1, 30), 2), dice.randrange(1, 4)))
    exposures.append(Exposure(None, "E-1", "a", END - 12 * DAY, 1))
    return Rows(exposures, orders)


def first_exposures(rows: Rows, *, since: datetime, until: datetime) -> dict[str, datetime]:
    """Return when each unit had its first complete row in that time."""
    first: dict[str, datetime] = {}
    for one in rows.exposures:
        if one.user and one.experiment and one.variant and since <= one.at < END:
            first[one.user] = min(first.get(one.user, one.at), one.at)
    return {user: at for user, at in first.items() if at < until}


Pick = Callable[[Order], float]


def sums(rows: Rows, first: dict[str, datetime], pick: Pick, *, before: timedelta, after: timedelta) -> list[float]:
    found = dict.fromkeys(first, 0.0)
    for one in rows.orders:
        if one.user in first and first[one.user] - before <= one.at < min(first[one.user] + after, END):
            found[one.user] += pick(one)
    return list(found.values())


def amount(order: Order) -> float:
    return order.amount


def items(order: Order) -> float:
    return float(order.items)


def linearised(above: list[float], below: list[float]) -> list[float]:
    """Return one number per unit whose mean is 0 and whose deviation is that of the ratio (Deng et al. 2018)."""
    ratio = sum(above) / sum(below)
    return [(one - ratio * other) / fmean(below) for one, other in zip(above, below, strict=True)]


COLUMNS = "(user_id text, experiment text, variant text, seen_at timestamptz, visits float8)"
ORDERS = "(user_id text, ordered_at timestamptz, amount float8, items int)"


@pytest.fixture(params=["duckdb", "postgresql"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., MetricsFile]]:
    """What makes a metrics file over rows."""
    if request.param == "duckdb":
        yield lambda rows, text=FILE: on_duckdb(tmp_path, rows, text)
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.fresh_database(is_migrated=False) as url:
        yield lambda rows, text=FILE: on_postgresql(tmp_path, rows, text, url)


def lines(rows: Rows) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    return (
        [(one.user, one.experiment, one.variant, one.at, one.visits) for one in rows.exposures],
        [(one.user, one.at, one.amount, one.items) for one in rows.orders],
    )


def on_duckdb(folder: Path, rows: Rows, text: str = FILE) -> MetricsFile:
    exposures, orders = lines(rows)
    (folder / "shop.duckdb").unlink(missing_ok=True)
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE exposures {COLUMNS}; CREATE TABLE orders {ORDERS}")
        for table, listed in (("exposures", exposures), ("orders", orders)):
            path = folder / f"{table}.csv"
            with path.open("w", newline="") as file:
                csv.writer(file).writerows(["NULL" if cell is None else cell for cell in line] for line in listed)
            connection.execute(
                f"COPY {table} FROM '{path}' (HEADER false, AUTO_DETECT false, DELIM ',', NULLSTR 'NULL')"
            )
    (folder / "metrics.yml").write_text(text.replace("SOURCE", "{engine: duckdb, database: shop.duckdb}"))
    return metrics_file.load(folder / "metrics.yml")


def on_postgresql(folder: Path, rows: Rows, text: str, url: str) -> MetricsFile:
    exposures, orders = lines(rows)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE exposures {COLUMNS}".encode())
        cursor.execute(f"CREATE TABLE orders {ORDERS}".encode())
        cursor.executemany("INSERT INTO exposures VALUES (%s, %s, %s, %s, %s)", exposures)
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s)", orders)
    (folder / "metrics.yml").write_text(text.replace("SOURCE", "{engine: postgresql, url: '${SHOP}'}"))
    return metrics_file.load(folder / "metrics.yml", environment={"SHOP": url})


def measured(world: MetricsFile, name: str) -> Baseline:
    found = baselines.measure(world, [name], now=NOW)[name]
    assert isinstance(found, Baseline), found
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_baseline_deviation_rate_and_gain_are_what_python_computes(
    write: Callable[..., MetricsFile], seed: int
) -> None:
    rows = generated(seed)
    world = write(rows)

    found = baselines.measure(world, tuple(world.metrics), now=NOW)

    until = END - 7 * DAY
    first = first_exposures(rows, since=until - FOUR_WEEKS, until=until)
    wide, week, past = timedelta(0), 7 * DAY, 14 * DAY
    after, before = ({"before": wide, "after": week}, {"before": past, "after": wide})
    capped = [[min(one, CAP) for one in sums(rows, first, amount, **when)] for when in (after, before)]
    bought = [[float(one > 0) for one in sums(rows, first, items, **when)] for when in (after, before)]
    baskets = [
        linearised(sums(rows, first, amount, **when), sums(rows, first, items, **when)) for when in (after, before)
    ]
    share = fmean(bought[0])
    # Of a proportion the variance is p (1 - p), so what the covariate takes away is a share of that.
    taken = covariance(*bought) ** 2 / variance(bought[1]) / (share * (1 - share))
    basket = sum(sums(rows, first, amount, **after)) / sum(sums(rows, first, items, **after))
    expected = {
        "revenue": (fmean(capped[0]), stdev(capped[0]), correlation(*capped) ** 2),
        "bought": (share, sqrt(share * (1 - share)), taken),
        "basket": (basket, stdev(baskets[0]), correlation(*baskets) ** 2),
    }
    days = len({one.at.date() for one in rows.exposures if one.experiment and until - FOUR_WEEKS <= one.at < until})
    assert len(first) > 300
    for name, (mean, deviation, gain) in expected.items():
        one = found[name]
        assert isinstance(one, Baseline), one
        assert (one.since, one.until, one.units) == (until - FOUR_WEEKS, until, len(first)), name
        assert (one.mean, one.deviation) == pytest.approx((mean, deviation), rel=1e-9), name
        assert one.variance_reduction == one.counted_reduction == pytest.approx(gain, rel=1e-9), name
        assert one.units_per_day == pytest.approx(len(first) / days), name


def test_of_a_metric_that_keeps_growing_counts_what_units_have_after_four_weeks_of_exposures(
    write: Callable[..., MetricsFile],
) -> None:
    rows = generated(4)
    first = first_exposures(rows, since=END - FOUR_WEEKS, until=END)
    orders = sums(rows, first, lambda _: 1.0, before=timedelta(0), after=999 * DAY)
    past = sums(rows, first, lambda _: 1.0, before=14 * DAY, after=timedelta(0))

    found = measured(write(rows), "orders so far")

    assert (found.since, found.until, found.units) == (END - FOUR_WEEKS, END, len(first))
    assert (found.mean, found.deviation) == pytest.approx((fmean(orders), stdev(orders)), rel=1e-9)
    # It has no pre-period: what one of two weeks would take away is said, and counts in no plan.
    assert (found.trial_days, found.counted_reduction) == (14, 0)
    assert found.variance_reduction == pytest.approx(correlation(orders, past) ** 2, rel=1e-9)


def test_a_metric_that_can_have_no_pre_period_is_measured_without_one(write: Callable[..., MetricsFile]) -> None:
    """Its SELECT only speaks of time, and gives none: a unit's orders, whenever they were."""
    rows = generated(11)
    select = "SELECT user_id AS unit, amount AS value /* no time */ FROM orders"
    text = f"{FILE}  ever: {{kind: mean, direction: up, sql: '{select}'}}\n"
    first = first_exposures(rows, since=END - FOUR_WEEKS, until=END)
    spent = dict.fromkeys(first, 0.0)
    for one in rows.orders:
        if one.user in spent:
            spent[one.user] += one.amount

    found = measured(write(rows, text), "ever")

    assert (found.mean, found.deviation) == pytest.approx((fmean(spent.values()), stdev(spent.values())), rel=1e-9)
    assert (found.variance_reduction, found.trial_days) == (None, None)


def test_a_column_of_the_exposures_is_measured_once_per_experiment_of_a_unit(
    write: Callable[..., MetricsFile],
) -> None:
    rows = generated(5)
    visits = [
        one.visits
        for one in rows.exposures
        if one.user and one.experiment and one.variant and END - FOUR_WEEKS <= one.at < END
    ]

    found = measured(write(rows), "visits")

    assert found.units == len(visits)
    assert (found.mean, found.deviation) == pytest.approx((fmean(visits), stdev(visits)), rel=1e-9)


def test_what_is_wrong_with_one_metric_hides_no_other(write: Callable[..., MetricsFile]) -> None:
    text = FILE + "  gone: {kind: mean, direction: up, table: nowhere, time: at, window_days: 7}\n"
    world = write(generated(6), text)

    found = baselines.measure(world, tuple(world.metrics), now=NOW)

    wrong = {name: one for name, one in found.items() if isinstance(one, SourceError)}
    assert set(wrong) == {"gone"}
    assert "nowhere" in wrong["gone"].message


def test_a_rate_counts_only_the_days_on_which_somebody_was_exposed(tmp_path: Path) -> None:
    """A team that began to expose people ten days ago: 20 users a day, not seven."""
    seen = [Exposure(f"u{n}", "E-1", "a", END - (0.5 + n % 10) * DAY, 1) for n in range(200)]

    found = measured(on_duckdb(tmp_path, Rows(seen, [Order("u1", END - 0.7 * DAY, 9.0, 1)])), "orders so far")

    assert (found.units, found.units_per_day) == (200, 20.0)


@pytest.mark.parametrize("units", [0, 1, 99])
def test_fewer_than_a_hundred_units_have_no_baseline(tmp_path: Path, units: int) -> None:
    seen = [Exposure(f"u{n}", "E-1", "a", END - (0.5 + n % 10) * DAY, 1) for n in range(units)]

    found = baselines.measure(on_duckdb(tmp_path, Rows(seen, [])), ["orders so far"], now=NOW)["orders so far"]

    assert isinstance(found, SourceError)
    assert ("no exposures" if units == 0 else f"Only {units} unit") in found.message


def test_a_ratio_over_almost_nothing_says_so(tmp_path: Path) -> None:
    seen = [Exposure(f"u{n}", "E-1", "a", END - 10 * DAY, 1) for n in range(200)]

    found = baselines.measure(on_duckdb(tmp_path, Rows(seen, [])), ["basket"], now=NOW)["basket"]

    assert isinstance(found, SourceError)
    assert "too near 0" in found.message


def test_more_than_one_percent_of_rows_without_a_variant_is_refused_as_in_a_readout(tmp_path: Path) -> None:
    rows = generated(7)
    nameless = [Exposure(f"x{n}", "E-1", None, END - 10 * DAY, 1) for n in range(100)]

    found = baselines.measure(
        on_duckdb(tmp_path, Rows([*rows.exposures, *nameless], rows.orders)), ["revenue"], now=NOW
    )["revenue"]

    assert isinstance(found, SourceError)
    assert "without a variant" in found.message


def test_exposures_without_times_have_a_baseline_and_no_rate(tmp_path: Path) -> None:
    text = FILE.replace(", exposed_at: seen_at", "").split("metrics:")[0]
    text += "metrics:\n  amount: {kind: mean, direction: up, table: orders, value: amount}\n"
    rows = generated(8)
    users = {one.user for one in rows.exposures if one.user and one.experiment and one.variant}
    spent = dict.fromkeys(users, 0.0)
    for one in rows.orders:
        spent[one.user] += one.amount

    found = measured(on_duckdb(tmp_path, rows, text), "amount")

    assert (found.units, found.since, found.until, found.units_per_day) == (len(users), None, None, None)
    assert (found.mean, found.deviation) == pytest.approx((fmean(spent.values()), stdev(spent.values())), rel=1e-9)


def test_another_definition_has_another_hash(tmp_path: Path) -> None:
    rows = generated(9)
    one = baselines.definition(on_duckdb(tmp_path, rows), "revenue")
    other = baselines.definition(on_duckdb(tmp_path, rows, FILE.replace("cap: 60", "cap: 61")), "revenue")

    assert one != other


def up_to_now(rows: Rows) -> Rows:
    """The same rows as if the data had been loaded this morning."""
    later = datetime.now(UTC) - NOW
    return Rows(
        [replace(one, at=one.at + later) for one in rows.exposures],
        [replace(one, at=one.at + later) for one in rows.orders],
    )


def test_the_command_prints_what_was_measured_and_why_a_metric_was_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FILE + "  gone: {kind: mean, direction: up, table: nowhere, time: at, window_days: 7}\n"
    on_duckdb(tmp_path, up_to_now(generated(10)), text)

    wrong = cli.main(["metrics", "baselines", str(tmp_path / "metrics.yml")])
    lines = capsys.readouterr().out.splitlines()
    right = cli.main(["metrics", "baselines", str(tmp_path / "metrics.yml"), "--metric", "basket", "--json"])
    shown = json.loads(capsys.readouterr().out)

    assert (wrong, right) == (1, 0)
    assert [line.split(":")[0] for line in lines] == ["revenue", "bought", "basket", "orders so far", "visits", "gone"]
    assert re.match(r"revenue: Measured from .*: [\d.]+ on average of [\d,]+ units, [\d.]+ new a day\.", lines[0])
    assert "CUPED saves" in lines[0]
    assert "Standard deviation" in lines[0]
    assert "It keeps growing" in lines[3]
    assert re.search(r"CUPED would save \d+ % of the units, with pre_period_days: 14 in the metrics file\.", lines[3])
    assert "nowhere" in lines[5]
    assert [one["metric"] for one in shown["measured"]] == ["basket"]
    assert 0 < shown["measured"][0]["variance_reduction"] < 1


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize("is_inline", [True, False])
def test_every_engine_reads_back_what_is_written_for_a_population(dialect: str, is_inline: bool) -> None:
    columns = ExposureColumns(
        unit="e.unit", variant="e.variant", exposed_at="e.at", experiment="e.experiment", is_unit_text=True
    )
    period = population.recent(NOW)
    ours = aggregate.query([period.subject], population.everybody(columns, since=period.since, is_inline=is_inline), ())

    text = sql.write(ours, {EXPOSURES: sql.Rows(table="shop.seen")}, dialect=dialect, bounds=period.bounds)

    tree = sqlglot.parse_one(text, read=dialect)
    assert sqlglot.parse_one(tree.sql(dialect), read=dialect) == tree
    assert "everybody" in text
    assert "2026-11-02" in text
