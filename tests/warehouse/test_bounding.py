"""A read asks for the days that it needs; engines are measured on what they skip, and numbers are those of all rows."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import psycopg
import pytest

import postgres
from labcoat.domain.look import is_same
from labcoat.stats.rule import Moments
from labcoat.warehouse import bounding, checking, exposure_scan, metrics_file, reading
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError
from labcoat.warehouse.reading import MetricQuestion, Question, Reading

START = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 21, tzinfo=UTC)
FIRST = datetime(2025, 10, 18, tzinfo=UTC)
DAYS = 400
FILE = """
sources: {{shop: {source}}}
exposures:
  users: {{source: shop, table: exposures, unit: who, variant: variant, exposed_at: seen_at{partition}}}
metrics:
  spent:
    {{kind: mean, direction: up, table: orders, unit: who, time: ordered_at, value: amount, window_days: 3,
     pre_period_days: 7{partition}}}
"""
QUESTION = Question(
    key="E-7",
    goal="spent",
    metrics=(MetricQuestion(name="spent"),),
    variants=("a", "b"),
    since=START,
    until=UNTIL,
)
# Each day two units are seen for the first time, and each unit orders two days before its exposure and a day after.
SEEN = f"""SELECT 'u' || n AS who, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END AS variant,
  TIMESTAMP '{FIRST:%Y-%m-%d}' + INTERVAL (n * 12 + 1) HOUR AS seen_at FROM range({2 * DAYS}) AS made(n)"""
ORDERED = f"""SELECT who, seen_at + INTERVAL (step) HOUR AS ordered_at, (hash(who, step) % 100)::DOUBLE AS amount
FROM ({SEEN}) AS seen, (VALUES (-48), (24)) AS steps(step)"""


def by_hand(rows: Sequence[tuple[str, str, datetime]], orders: Sequence[tuple[str, datetime, float]]) -> list[Moments]:
    """Return count, mean and variance of each variant, of all rows there are: plain Python."""
    values: dict[str, list[float]] = {"a": [], "b": []}
    for who, variant, at in rows:
        if at >= START.replace(tzinfo=None) and at + timedelta(days=3) < UNTIL.replace(tzinfo=None):
            mine = [(when, amount) for name, when, amount in orders if name == who]
            values[variant].append(sum(amount for when, amount in mine if at <= when < at + timedelta(days=3)))
    found = []
    for one in values.values():
        mean = sum(one) / len(one)
        variance = sum((value - mean) ** 2 for value in one) / (len(one) - 1)
        found.append(Moments(count=len(one), mean=mean, variance=variance))
    return found


def is_right(found: Sequence[Moments], expected: Sequence[Moments]) -> bool:
    return [(one.count, one.mean, one.variance) for one in found] == [
        pytest.approx((one.count, one.mean, one.variance), rel=1e-9) for one in expected
    ]


def a_shop(folder: Path, *, partition: str = "") -> tuple[MetricsFile, list[Moments]]:
    """Return a file over a database, and what Python makes of its rows."""
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, rows, time in (("exposures", SEEN, "seen_at"), ("orders", ORDERED, "ordered_at")):
            connection.execute(f"CREATE TABLE {table} AS SELECT *, {time}::DATE AS day FROM ({rows})")
        seen = connection.execute("SELECT who, variant, seen_at FROM exposures").fetchall()
        orders = connection.execute("SELECT who, ordered_at, amount FROM orders").fetchall()
    (folder / "metrics.yml").write_text(
        FILE.format(source="{engine: duckdb, database: shop.duckdb}", partition=partition)
    )
    return metrics_file.load(folder / "metrics.yml"), by_hand(seen, orders)


def scanned(connection: duckdb.DuckDBPyConnection, text: str, what: str) -> list[str]:
    """Return what DuckDB says that each scan read."""
    ((_, plan),) = connection.execute(f"EXPLAIN ANALYZE {text}").fetchall()
    return re.findall(rf"{what}: ([0-9 /]*[0-9])", plan)


@pytest.mark.parametrize(("days_before", "counts"), [(27, False), (29, True)])
@pytest.mark.parametrize("has_fixed_cause", [False, True])
def test_a_unit_seen_in_the_28_days_before_the_start_does_not_count(
    tmp_path: Path, days_before: int, counts: bool, has_fixed_cause: bool
) -> None:
    world, _ = a_shop(tmp_path)
    question = replace(QUESTION, since=START + timedelta(days=5), select_since=START) if has_fixed_cause else QUESTION
    before = reading.read(world, question).sample
    again = [START - timedelta(days=days_before), START + timedelta(days=6), START + timedelta(days=7)]
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        for at in again:
            connection.execute("INSERT INTO exposures VALUES ('again', 'a', ?, NULL)", [at.replace(tzinfo=None)])
        # A week before its first row after the start, which is its exposure, and a day after that row.
        for days in (1, 7):
            ordered_at = (START + timedelta(days=days)).replace(tzinfo=None)
            connection.execute("INSERT INTO orders VALUES ('again', ?, 1000, NULL)", [ordered_at])

    after = reading.read(world, question).sample

    assert after.exposed == (before.exposed[0] + counts, before.exposed[1])
    old, new = before.moments["spent"][0], after.moments["spent"][0]
    assert new.mean * new.count - old.mean * old.count == pytest.approx(1000 * counts)


def test_experiments_read_together_look_back_each_from_its_own_start(tmp_path: Path) -> None:
    world, _ = a_shop(tmp_path)
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        for at in (START - timedelta(days=40), START + timedelta(days=1)):
            connection.execute("INSERT INTO exposures VALUES ('again', 'a', ?, NULL)", [at.replace(tzinfo=None)])
    older = replace(QUESTION, since=START - timedelta(days=60), until=UNTIL - timedelta(days=7))
    alone = [reading.read(world, one) for one in (QUESTION, older)]

    together = reading.read_many(world, [QUESTION, older])
    assert all(_is_same(*pair) for pair in zip(together, alone, strict=True))
    assert alone[0].sample.exposed == (21, 20)


def test_rows_without_a_time_count_as_lacking_it(tmp_path: Path) -> None:
    world, _ = a_shop(tmp_path)
    question = replace(QUESTION, since=START - timedelta(days=200))
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        connection.execute("INSERT INTO exposures VALUES ('x', 'a', NULL, NULL)")

    assert reading.read(world, question).left_out.no_time == 1


def test_duckdb_reads_the_folders_of_the_days(tmp_path: Path) -> None:
    world, expected = a_shop(tmp_path, partition=", partition: day")
    text = _text(world)
    sample = reading.read(world, QUESTION).sample
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        for table in ("exposures", "orders"):
            connection.execute(f"COPY {table} TO '{tmp_path / table}' (FORMAT parquet, PARTITION_BY (day))")
            connection.execute(f"DROP TABLE {table}")
            files = f"read_parquet('{tmp_path / table}/*/*.parquet', hive_partitioning = true)"
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {files}")
        found = connection.execute(text).fetchall()
        read = [int(one) for one in scanned(connection, text, "Total Files Read")]

    # From 28 days before the start to the end, and the pre-period of 7 for orders; a day to spare each side.
    assert len(read) == 2
    assert max(read) <= 28 + 20 + 3
    assert sum(int(row[5]) for row in found if row[1] == 0) == 40
    assert is_right(sample.moments["spent"], expected)


def test_duckdb_reads_the_row_groups_of_the_days(tmp_path: Path) -> None:
    world, expected = a_shop(tmp_path)
    for kind in ("TIMESTAMP", "TIMESTAMPTZ", "DATE"):
        with duckdb.connect(tmp_path / "shop.duckdb") as connection:
            connection.execute(f"ALTER TABLE exposures ALTER seen_at TYPE {kind}")
        text = reading.written(world, QUESTION)["users"] if kind != "DATE" else ""
        with duckdb.connect() as connection:
            connection.execute(f"SET TimeZone = 'UTC'; ATTACH '{tmp_path}/shop.duckdb' AS shop (READ_ONLY)")
            for table, time in (("exposures", "seen_at"), ("orders", "ordered_at")):
                file = f"'{tmp_path}/{table}.parquet'"
                # 50 columns of padding make a row group of few rows worth skipping.
                connection.execute(
                    f"COPY (SELECT t.* FROM shop.{table} AS t, range(1000) ORDER BY {time}) TO {file} "
                    "(ROW_GROUP_SIZE 20000)"
                )
                connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {file}")
            if text:
                read = [one.split("/") for one in scanned(connection, text, "Row Groups Scanned")]
                assert len(read) == 2
                assert all(5 * int(mine) < int(every) for mine, every in read), (kind, read)
    assert expected[0].count == 17


def test_postgresql_reads_the_partitions_of_the_days(tmp_path: Path, postgres_server: postgres.Server) -> None:
    _, expected = a_shop(tmp_path)
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        seen = connection.execute("SELECT who, variant, seen_at FROM exposures").fetchall()
        orders = connection.execute("SELECT who, ordered_at, amount FROM orders").fetchall()
    months = [datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(9, 25)]
    with postgres_server.fresh_database(is_migrated=False) as url, psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "CREATE TABLE exposures (who text, variant text, seen_at timestamp) PARTITION BY RANGE (seen_at)"
        )
        cursor.execute(
            "CREATE TABLE orders (who text, ordered_at timestamptz, amount float8) PARTITION BY RANGE (ordered_at)"
        )
        for table in ("exposures", "orders"):
            for month, after in pairwise(months):
                cursor.execute(
                    f"CREATE TABLE {table}_{month:%Y_%m} PARTITION OF {table} "
                    f"FOR VALUES FROM ('{month:%Y-%m-%d}') TO ('{after:%Y-%m-%d}')".encode()
                )
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.executemany("INSERT INTO exposures VALUES (%s, %s, %s)", seen)
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s)", orders)
        source = "{engine: postgresql, url: '${URL}'}"
        (tmp_path / "metrics.yml").write_text(FILE.format(source=source, partition=""))
        world = metrics_file.load(tmp_path / "metrics.yml", environment={"URL": url})
        found = reading.read(world, QUESTION).sample.moments["spent"]
        plan = "\n".join(
            row[0] for row in cursor.execute(f"EXPLAIN {reading.written(world, QUESTION)['users']}".encode())
        )

    read = set(re.findall(r"Scan on ((?:exposures|orders)_\d+_\d+)", plan))
    assert read == {f"{table}_2026_{month}" for table in ("exposures", "orders") for month in (10, 11)} | (
        {"orders_2026_09"} & read
    )
    assert is_right(found, expected)


def test_a_look_around_reads_the_last_400_days(tmp_path: Path) -> None:
    world, _ = a_shop(tmp_path)
    now = FIRST + bounding.RECENT + timedelta(days=100)

    arms = exposure_scan.arms(world, "users", until=now)
    (seen,) = checking.check(world, names=["spent"], key=None, now=now).metrics

    assert sum(arm.units for arm in arms) == 2 * (DAYS - 100)
    assert seen.units == 2 * (DAYS - 100)
    assert seen.days == f"{FIRST + timedelta(days=93):%Y-%m-%d} to {now:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", exposed_at: seen_at", "", "`partition` needs `exposed_at`, the column of each row's time"),
        ("time: ordered_at, ", "", "`partition` needs `time`, the column of each row's time"),
    ],
)
def test_a_partition_needs_a_time(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = FILE.format(source="{engine: duckdb, database: shop.duckdb}", partition=", partition: day")

    a_shop(tmp_path)
    with pytest.raises((MetricsFileError, SourceError), match=message):
        _text(_load(tmp_path, text.replace("\n     pre_period_days: 7", "").replace("3,", "3").replace(old, new)))


def test_a_partition_is_a_day_or_a_time_or_text(tmp_path: Path) -> None:
    world, _ = a_shop(tmp_path, partition=", partition: who")
    assert "(e.who IS NULL OR e.who >= '2026-10-03')" in _text(world)  # 28 days before the start, and one
    assert "(e.who IS NULL OR e.who >= '2026-10-24')" in _text(world)  # 7 of the pre-period, and one

    text = (tmp_path / "metrics.yml").read_text().replace("pre_period_days: 7, partition: who", "partition: amount")
    with pytest.raises(SourceError, match=r"amount is of type DOUBLE\. A partition is a day, a time, or text"):
        reading.read(_load(tmp_path, text), QUESTION)


def test_a_partition_changes_no_definition(tmp_path: Path) -> None:
    world, _ = a_shop(tmp_path)
    plain = reading.read(world, QUESTION)
    text = FILE.format(source="{engine: duckdb, database: shop.duckdb}", partition=", partition: day")

    assert _is_same(reading.read(_load(tmp_path, text), QUESTION), plain)


def _is_same(one: Reading | SourceError, other: Reading) -> bool:
    """Engines add up in any order, so the last digits may differ; nothing else may."""
    assert isinstance(one, Reading)
    return replace(one, sample=other.sample) == other and is_same(one.sample, other.sample)


@pytest.mark.parametrize(
    ("dialect", "type_name", "written"),
    [
        ("duckdb", "TIMESTAMP", "AS TIMESTAMP)"),
        ("duckdb", "TIMESTAMP WITH TIME ZONE", "AS TIMESTAMPTZ)"),
        ("postgres", "timestamptz", "AS TIMESTAMPTZ)"),
        ("postgres", "timestamp", "AS TIMESTAMP)"),
        ("bigquery", "DATETIME", "AS TIMESTAMP)"),
        ("bigquery", "TIMESTAMP", "AS TIMESTAMPTZ)"),
        ("snowflake", "TIMESTAMP_NTZ", "AS TIMESTAMP)"),
        ("snowflake", "TIMESTAMP_TZ", "AS TIMESTAMPTZ)"),
        ("spark", "timestamp", "AS TIMESTAMPTZ)"),
        ("trino", "timestamp(3)", "AS TIMESTAMP)"),
        ("trino", "timestamp(3) with time zone", "AS TIMESTAMPTZ)"),
        ("trino", "date", "AS DATE)"),
    ],
)
def test_a_bound_has_the_type_of_its_column(dialect: str, type_name: str, written: str) -> None:
    found = bounding.of_time(Column("at", ColumnType.TIME, type_name), dialect=dialect)

    assert found is not None
    assert found.since(START).endswith(written)


def test_bigquery_s_day_of_ingestion_is_a_column_that_no_table_lists() -> None:
    found = bounding.pseudo_column("_PartitionDate", dialect="bigquery")

    assert found is not None
    assert (found.name, found.type_name) == ("_PARTITIONDATE", "DATE")
    assert bounding.pseudo_column("_PARTITIONDATE", dialect="duckdb") is None


def _load(folder: Path, text: str) -> MetricsFile:
    (folder / "metrics.yml").write_text(text)
    return metrics_file.load(folder / "metrics.yml")


def _text(world: MetricsFile) -> str:
    return reading.written(world, QUESTION)["users"]
