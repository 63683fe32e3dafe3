"""Spark and ClickHouse refuse what DuckDB and PostgreSQL refuse: wrong numbers, wrong types, more than a SELECT."""

from pathlib import Path

import pytest

from engines.test_same_readout import SOURCES
from labcoat.warehouse import reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from warehouse import shop

ENGINES = ("spark", "clickhouse")


def with_sql(metrics: MetricsFile, text: str, *, name: str = "bad") -> MetricsFile:
    metric = metrics.metrics["spent so far"].model_copy(update={"sql": text})
    return metrics.model_copy(update={"metrics": {name: metric}})


def broken(folder: Path, engine: str, text: str) -> SourceError:
    metrics = with_sql(shop.load(folder, SOURCES[engine]), text)
    with pytest.raises(SourceError) as caught:
        reading.read(metrics, shop.question("E-7", ("bad",)))
    return caught.value


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT user_id, no_such AS value FROM orders", "The database says"),
        ("SELECT user_id, CAST(amount AS STRING) AS value FROM orders", "not a number"),
        ("SELECT user_id, ordered_at AS value FROM orders", "not a number"),
        (
            "SELECT user_id, CASE WHEN amount > 20 THEN NULL ELSE amount END AS value FROM orders",
            "that are not numbers",
        ),
        (
            "SELECT user_id, CASE WHEN amount > 20 THEN CAST('NaN' AS DOUBLE) ELSE amount END AS value FROM orders",
            "that are not numbers",
        ),
        (
            "SELECT user_id, CASE WHEN amount > 20 THEN -CAST('inf' AS DOUBLE) ELSE amount END AS value FROM orders",
            "that are not numbers",
        ),
        (
            "SELECT user_id, CAST(CONCAT('ana@example.org', amount) AS DOUBLE) AS value FROM orders",
            "a value is not what its column is cast to",
        ),
        ("SELECT CAST(user_id AS STRING) AS user_id, amount AS value FROM orders", "Cast one in `sql`"),
        ("DROP TABLE orders", "must be one SELECT statement; this is DROP"),
        ("SELECT user_id, 1 AS value FROM orders; SELECT 1", "here are 2"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, engine: str, text: str, words: str) -> None:
    error = broken(folder, engine, text)

    assert words in error.message
    assert "ana@" not in error.message
    assert error.permanent


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("value", "mean"),
    [
        ("CAST(1.25 AS DECIMAL(9, 2))", 1.25),
        ("CAST(9223372036854775807 AS BIGINT)", 2.0**63),
        ("1e9 + user_id / 7", None),
    ],
)
def test_decimals_huge_integers_and_large_means_keep_their_value(
    folder: Path, engine: str, value: str, mean: float | None
) -> None:
    text = f"SELECT user_id, {value} AS value FROM exposures GROUP BY user_id"
    there = reading.read(
        with_sql(shop.load(folder, SOURCES[engine]), text, name="m"), shop.question("E-7", ("m",))
    ).sample.moments["m"]
    here = reading.read(
        with_sql(shop.load(folder, SOURCES["duckdb"]), text, name="m"), shop.question("E-7", ("m",))
    ).sample.moments["m"]

    for one, other in zip(here, there, strict=True):
        assert other.count == one.count > 100
        assert other.mean == pytest.approx(one.mean if mean is None else mean, rel=1e-12)
        assert other.variance == pytest.approx(one.variance, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_that_is_gone_may_come_back(folder: Path, engine: str) -> None:
    metrics = shop.load(folder, SOURCES[engine].replace("orders.parquet", "gone.parquet"))

    with pytest.raises(SourceError, match=r"gone\.parquet is not there") as caught:
        reading.read(metrics, shop.question("E-7", ("revenue",)))

    assert not caught.value.permanent


@pytest.mark.parametrize("engine", ENGINES)
def test_a_slow_query_is_cancelled(folder: Path, engine: str) -> None:
    metrics = shop.load(folder, SOURCES[engine].replace(", time_limit_seconds: 300", ""))
    sources = {"shop": metrics.sources["shop"].model_copy(update={"time_limit_seconds": 3.0})}
    text = """
      SELECT a.user_id AS user_id, SUM(a.amount * b.amount * c.amount * d.amount) AS value
      FROM orders a, orders b, orders c, orders d
      GROUP BY a.user_id
    """

    with pytest.raises(SourceError, match="took longer than 3 seconds") as caught:
        reading.read(with_sql(metrics, text).model_copy(update={"sources": sources}), shop.question("E-7", ("bad",)))

    assert not caught.value.permanent
