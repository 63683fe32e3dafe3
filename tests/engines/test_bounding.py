"""Spark and ClickHouse skip the partitions that a read does not need, and give what Python makes of all rows."""

import json
import re
from pathlib import Path

import duckdb
from chdb.session import Session

from labcoat.warehouse import connections, metrics_file, reading
from labcoat.warehouse.engines import clickhouse
from labcoat.warehouse.metrics_file import MetricsFile
from warehouse.test_bounding import FILE, ORDERED, QUESTION, SEEN, by_hand, is_right

ENGINES = "{{engine: {engine}, time_limit_seconds: 300, tables: {{exposures: seen.parquet, orders: ordered.parquet}}}}"


def write(folder: Path, *, how: str) -> None:
    """Write the days' rows as Parquet. how: as DuckDB's COPY has it."""
    with duckdb.connect() as connection:
        for name, rows, time in (("seen", SEEN, "seen_at"), ("ordered", ORDERED, "ordered_at")):
            select = f"SELECT *, {time}::DATE AS day FROM ({rows})"
            connection.execute(f"COPY ({select}) TO '{folder / name}.parquet' (FORMAT parquet{how})")


def a_world(folder: Path, engine: str, *, partition: str = "") -> MetricsFile:
    text = FILE.format(source=ENGINES.format(engine=engine), partition=partition)
    (folder / "metrics.yml").write_text(text)
    return metrics_file.load(folder / "metrics.yml")


def is_like_python(world: MetricsFile) -> bool:
    with duckdb.connect() as connection:
        expected = by_hand(connection.execute(SEEN).fetchall(), connection.execute(ORDERED).fetchall())
    found = reading.read(world, QUESTION).sample.moments["spent"]
    return is_right(found, expected)


def test_spark_reads_the_folders_of_the_days(tmp_path: Path) -> None:
    write(tmp_path, how=", PARTITION_BY (day)")
    world = a_world(tmp_path, "spark", partition=", partition: day")
    text = reading.written(world, QUESTION)["users"]

    with connections.opened(world, world.exposures["users"], reading._by_exposures(world, QUESTION)["users"]) as source:
        plan = source.session.sql(text)._jdf.queryExecution().executedPlan().toString()  # type: ignore[attr-defined]

    filters = set(re.findall(r"PartitionFilters: \[([^\]]*)\]", plan))
    assert {re.sub(r"#\d+", "", one) for one in filters} == {
        "(isnull(day) OR (day >= 2026-10-03))",
        "(isnull(day) OR (day >= 2026-10-24))",
    }
    assert is_like_python(world)


def test_clickhouse_reads_the_parts_of_the_months(tmp_path: Path) -> None:
    write(tmp_path, how="")
    world = a_world(tmp_path, "clickhouse")
    text = reading.written(world, QUESTION)["users"]

    with Session() as session:
        session.query("CREATE DATABASE shop_in_months")
        session.query("USE shop_in_months")
        for table, name, time in (("exposures", "seen", "seen_at"), ("orders", "ordered", "ordered_at")):
            session.query(
                f"CREATE TABLE {table} ENGINE = MergeTree PARTITION BY toYYYYMM({time}) ORDER BY tuple() "
                "SETTINGS allow_nullable_key = 1 "
                f"AS SELECT * FROM file('{tmp_path / name}.parquet', 'Parquet')"
            )
        for setting, value in clickhouse._SETTINGS.items():
            session.query(f"SET {setting} = '{value}'")
        answer = json.loads(str(session.query(f"EXPLAIN indexes = 1 {text}", "JSONCompact")))
        session.query("DROP DATABASE shop_in_months")
    plan = "\n".join(str(row[0]) for row in answer["data"])

    parts = [(int(mine), int(every)) for mine, every in re.findall(r"Parts: (\d+)/(\d+)", plan)]
    assert parts
    assert all(mine <= 3 for mine, every in parts if every >= 13), plan
    assert any(every >= 13 for _, every in parts), plan
    assert is_like_python(world)
