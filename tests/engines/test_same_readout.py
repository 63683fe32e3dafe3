"""One metrics file, unchanged, gives the same readout to 1e-9 on DuckDB, PostgreSQL, Spark and ClickHouse."""

from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

import pytest

import postgres
from labcoat.stats import answers
from labcoat.stats.results import Design, Direction, MetricKind, MetricRule, Readout, Role, Rule
from labcoat.warehouse import reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from warehouse import shop

FILES = "tables: {exposures: exposures.parquet, orders: orders.parquet}"
SOURCES = {
    "duckdb": "{engine: duckdb, database: shop.duckdb}",
    "postgresql": "{engine: postgresql, url: '${SHOP_URL}'}",
    "spark": f"{{engine: spark, time_limit_seconds: 300, {FILES}}}",
    "clickhouse": f"{{engine: clickhouse, {FILES}}}",
}


@pytest.fixture(scope="module")
def readouts(folder: Path, postgres_server: postgres.Server) -> Mapping[str, Readout]:
    """What the statistics say of each engine's numbers."""
    with postgres_server.fresh_database(is_migrated=False) as url:
        shop.write_postgresql(url)
        return {
            engine: readout(shop.load(folder, source, environment={"SHOP_URL": url}))
            for engine, source in SOURCES.items()
        }


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
    answer = answers.read(rule, sample, day=19, past=())
    assert isinstance(answer, Readout)
    return answer


def numbers(value: object) -> list[object]:
    """Return all that a readout holds, one after the other."""
    if isinstance(value, tuple | list):
        return [number for one in value for number in numbers(one)]
    return [value]


@pytest.mark.parametrize("engine", ["postgresql", "spark", "clickhouse"])
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
    assert Direction.DOWN in {Direction.UP, Direction.DOWN}


ENGINES = ("spark", "clickhouse")


def broken(folder: Path, engine: str, text: str) -> SourceError:
    metrics = shop.load(folder, SOURCES[engine])
    metric = metrics.metrics["spent so far"].model_copy(update={"sql": text})
    changed = metrics.model_copy(update={"metrics": {"bad": metric}})
    with pytest.raises(SourceError) as caught:
        reading.read(changed, shop.question("E-7", ("bad",)))
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
        ("DROP TABLE orders", "must be one SELECT statement; this is DROP"),
        ("SELECT user_id, 1 AS value FROM orders; SELECT 1", "here are 2"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, engine: str, text: str, words: str) -> None:
    error = broken(folder, engine, text)

    assert words in error.message
    assert error.permanent


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_that_is_gone_may_come_back(folder: Path, engine: str) -> None:
    metrics = shop.load(folder, SOURCES[engine].replace("orders.parquet", "gone.parquet"))

    with pytest.raises(SourceError, match=r"gone\.parquet is not there") as caught:
        reading.read(metrics, shop.question("E-7", ("revenue",)))

    assert not caught.value.permanent


def test_a_slow_query_is_cancelled_in_spark(folder: Path) -> None:
    metrics = shop.load(folder, SOURCES["spark"].replace("time_limit_seconds: 300", "time_limit_seconds: 2"))
    text = "SELECT a.user_id, SUM(a.amount * b.amount * c.amount) AS value FROM orders a, orders b, orders c GROUP BY 1"
    metric = metrics.metrics["spent so far"].model_copy(update={"sql": text})

    with pytest.raises(SourceError, match="took longer than 2 seconds") as caught:
        reading.read(metrics.model_copy(update={"metrics": {"slow": metric}}), shop.question("E-7", ("slow",)))

    assert not caught.value.permanent


def test_a_slow_query_is_cancelled_in_clickhouse(folder: Path) -> None:
    metrics = shop.load(folder, SOURCES["clickhouse"].replace("clickhouse,", "clickhouse, time_limit_seconds: 1,"))
    text = "SELECT a.user_id, SUM(a.amount * b.amount * c.amount) AS value FROM orders a, orders b, orders c GROUP BY 1"
    metric = metrics.metrics["spent so far"].model_copy(update={"sql": text})

    with pytest.raises(SourceError, match="took longer than 1 seconds") as caught:
        reading.read(metrics.model_copy(update={"metrics": {"slow": metric}}), shop.question("E-7", ("slow",)))

    assert not caught.value.permanent
