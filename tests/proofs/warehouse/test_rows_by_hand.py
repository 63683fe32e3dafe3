"""Whatever rows lack, a read is what plain Python makes of them, on each local engine; hypothesis looks for another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import postgres
from labcoat.domain.plan import Measuring
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question
from warehouse.filling import insert
from warehouse.odd_rows import START, UNTIL, VARIANTS, Order, Seen, by_hand, clean_rows

FILE = """
sources: {{shop: {source}}}
exposures:
  users: {{source: shop, table: exposures, unit: who, variant: variant, exposed_at: seen_at, experiment: experiment}}
  selected: {{source: shop, sql: "SELECT who AS unit, variant, seen_at AS exposed_at, experiment FROM exposures"}}
metrics:
  spent: {{kind: mean, direction: up, exposures: users, table: orders, unit: who, time: ordered_at, value: amount}}
  spent by sql:
    kind: mean
    direction: up
    exposures: selected
    sql: SELECT who AS unit, ordered_at AS time, amount AS value FROM orders
"""
TABLES = """
CREATE TABLE clean (who text, variant text, seen_at timestamp, experiment text);
CREATE TABLE odd (who text, variant text, seen_at timestamp, experiment text);
CREATE TABLE clean_orders (who text, ordered_at timestamp, amount double precision);
CREATE TABLE odd_orders (who text, ordered_at timestamp, amount double precision);
CREATE VIEW exposures AS SELECT * FROM clean UNION ALL SELECT * FROM odd;
CREATE VIEW orders AS SELECT * FROM clean_orders UNION ALL SELECT * FROM odd_orders;
"""
Fill = Callable[[Sequence[Seen], Sequence[Order]], MetricsFile]


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Fill:
    folder = tmp_path_factory.mktemp("shop")
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute(TABLES)
        seen, orders = clean_rows()
        insert(connection, "clean", _exposures(seen))
        insert(connection, "clean_orders", _orders(orders))
    (folder / "metrics.yml").write_text(FILE.format(source="{engine: duckdb, database: shop.duckdb}"))

    def fill(seen: Sequence[Seen], orders: Sequence[Order]) -> MetricsFile:
        with duckdb.connect(folder / "shop.duckdb") as connection:
            connection.execute("DELETE FROM odd; DELETE FROM odd_orders")
            if seen:
                insert(connection, "odd", _exposures(seen))
            if orders:
                insert(connection, "odd_orders", _orders(orders))
        return metrics_file.load(folder / "metrics.yml")

    return fill


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres_server: postgres.Server) -> Iterator[Fill]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "metrics.yml").write_text(FILE.format(source="{engine: postgresql, url: '${URL}'}"))
    with postgres_server.fresh_database(is_migrated=False) as url, psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute(TABLES.encode())
        seen, orders = clean_rows()
        cursor.executemany("INSERT INTO clean VALUES (%s, %s, %s, %s)", _exposures(seen))
        cursor.executemany("INSERT INTO clean_orders VALUES (%s, %s, %s)", _orders(orders))

        def fill(seen: Sequence[Seen], orders: Sequence[Order]) -> MetricsFile:
            cursor.execute("TRUNCATE odd; TRUNCATE odd_orders")
            cursor.executemany("INSERT INTO odd VALUES (%s, %s, %s, %s)", _exposures(seen))
            cursor.executemany("INSERT INTO odd_orders VALUES (%s, %s, %s)", _orders(orders))
            return metrics_file.load(folder / "metrics.yml", environment={"URL": url})

        yield fill


@pytest.fixture(params=["duckdb", "postgresql"])
def fill(request: pytest.FixtureRequest) -> Fill:
    """What makes a metrics file over the clean rows and these."""
    made: Fill = request.getfixturevalue(f"on_{request.param}")
    return made


def _exposures(rows: Sequence[Seen]) -> list[tuple[object, ...]]:
    return [(row.unit, row.variant, row.at and row.at.replace(tzinfo=None), row.experiment) for row in rows]


def _orders(rows: Sequence[Order]) -> list[tuple[object, ...]]:
    return [(row.unit, row.at and row.at.replace(tzinfo=None), row.amount) for row in rows]


def _question(metric: str, *, since: datetime, window_days: int) -> Question:
    measuring = Measuring(window_days=window_days, pre_period_days=0, cap=None)
    chosen = (MetricQuestion(name=metric, measuring=measuring),)
    return Question(key="E-7", goal=metric, metrics=chosen, variants=VARIANTS, since=since, until=UNTIL)


units = st.sampled_from(["u1", "u2", "u3", "u4", "clean 0", "clean 1", "", "  ", None])
moments = st.none() | st.integers(-9, 31).map(lambda days: START + timedelta(days=days, hours=12))
exposed = st.builds(
    Seen,
    unit=units,
    variant=st.sampled_from(["control", "New", " control", "NEW", "zeta", "", " ", None]),
    at=moments,
    experiment=st.sampled_from(["E-7", "E-7", "E-7", "E-8", "", None]),
)
ordered = st.builds(Order, unit=units, at=moments, amount=st.integers(1, 1000).map(float))


@settings(settings.get_profile("data sets"), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    odd=st.lists(exposed, max_size=7),
    odd_orders=st.lists(ordered, max_size=5),
    since=st.sampled_from([START, START - timedelta(days=20)]),
    window_days=st.sampled_from([1, 7]),
    metric=st.sampled_from(["spent", "spent by sql"]),
)
def test_a_read_is_what_python_makes_of_the_rows(
    fill: Fill, odd: list[Seen], odd_orders: list[Order], since: datetime, window_days: int, metric: str
) -> None:
    world, (clean, clean_orders) = fill(odd, odd_orders), clean_rows()
    expected = by_hand([*clean, *odd], [*clean_orders, *odd_orders], since=since, window_days=window_days)
    question = _question(metric, since=since, window_days=window_days)

    if expected.is_refused:
        with pytest.raises(SourceError, match="The exposures of E-7 have"):
            reading.read(world, question)
        return
    found = reading.read(world, question)
    nameless = {metric: expected.nameless} if expected.nameless else {}
    assert (found.crossed, found.left_out) == (expected.crossed, replace(expected.left_out, nameless=nameless))
    for one, by_python in zip(found.sample.moments[metric], expected.numbers, strict=True):
        assert (one.count, one.mean, one.variance) == pytest.approx(by_python, rel=1e-9)
