"""One metrics file, unchanged, gives the same readout to 1e-9 on DuckDB, PostgreSQL, Spark and ClickHouse."""

from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

import pytest
from pydantic import SecretStr

import postgres
from labcoat.stats import entry
from labcoat.stats.results import Readout
from labcoat.stats.rule import Design, MetricKind, MetricRule, Role, Rule
from labcoat.warehouse import reading
from labcoat.warehouse.engines import spark
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.sources import SparkSource
from warehouse import shop

FILES = "tables: {exposures: exposures.parquet, orders: orders.parquet}"
SOURCES = {
    "duckdb": "{engine: duckdb, database: shop.duckdb}",
    "postgresql": "{engine: postgresql, url: '${SHOP_URL}'}",
    "spark": f"{{engine: spark, time_limit_seconds: 300, {FILES}}}",
    "spark connect": "{engine: spark, url: '${SPARK_URL}', time_limit_seconds: 300}",
    "clickhouse": f"{{engine: clickhouse, {FILES}}}",
    "clickhouse by http": "{engine: clickhouse, url: '${CLICKHOUSE_URL}'}",
}


@pytest.fixture(scope="module")
def readouts(
    folder: Path, postgres_server: postgres.Server, spark_connect_url: str, clickhouse_url: str
) -> Mapping[str, Readout]:
    """What the statistics say of each engine's numbers."""
    with spark.opened(spark_at(spark_connect_url), name="shop", tables=(), seconds=300) as there:
        for table in ("exposures", "orders"):
            there.session.sql(f"CREATE TABLE {table} USING parquet LOCATION '{folder / table}.parquet'").collect()
    with postgres_server.fresh_database(is_migrated=False) as url:
        shop.write_postgresql(url)
        urls = {"SHOP_URL": url, "SPARK_URL": spark_connect_url, "CLICKHOUSE_URL": clickhouse_url}
        return {engine: readout(shop.load(folder, source, environment=urls)) for engine, source in SOURCES.items()}


def spark_at(url: str) -> SparkSource:
    return SparkSource(engine="spark", url=SecretStr(url))


def readout(metrics: MetricsFile) -> Readout:
    sample = reading.read(metrics, shop.question("E-7", tuple(metrics.metrics))).sample
    rules = [
        MetricRule(
            name=name,
            role=Role.GOAL if name == "revenue" else Role.SECONDARY,
            kind=metric.kind,
            direction=metric.direction,
            minimum_effect=0.1 if name == "revenue" else None,
        )
        for name, metric in metrics.metrics.items()
    ]
    rule = Rule(
        design=Design.ONE_LOOK,
        alpha=0.05,
        planned_days=14,
        variants=("a", "b"),
        weights=(0.5, 0.5),
        metrics=tuple(rules),
        window_days=7,
    )
    answer = entry.read(rule, sample, day=19, past=())
    assert isinstance(answer, Readout)
    return answer


def numbers(value: object) -> list[object]:
    """Return all that a readout holds, one after the other."""
    if isinstance(value, tuple | list):
        return [number for one in value for number in numbers(one)]
    return [value]


@pytest.mark.parametrize("engine", [engine for engine in SOURCES if engine != "duckdb"])
def test_the_readout_is_the_same_to_nine_digits(readouts: Mapping[str, Readout], engine: str) -> None:
    here, there = numbers(astuple(readouts["duckdb"])), numbers(astuple(readouts[engine]))

    floats = [(one, other) for one, other in zip(here, there, strict=True) if isinstance(one, float)]
    assert len(floats) > 60
    for one, other in floats:
        assert other == pytest.approx(one, rel=1e-9, abs=1e-9)
    assert [one for one in here if not isinstance(one, float)] == [one for one in there if not isinstance(one, float)]


def test_it_has_ratios_covariates_and_shares(readouts: Mapping[str, Readout]) -> None:
    estimates = readouts["duckdb"].estimates

    assert {one.kind for one in estimates} == set(MetricKind)
    assert {one.metric for one in estimates if one.variance_reduction is not None} == {
        "revenue",
        "bought",
        "basket",
        "spent so far",
    }
