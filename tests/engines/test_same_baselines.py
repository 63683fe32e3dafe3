"""What a plan begins with is the same to 1e-9 on DuckDB, Spark and ClickHouse; by hand it is computed on DuckDB."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from labcoat.domain.baseline import Baseline
from labcoat.warehouse import baselines, metrics_file
from warehouse import shop

FILES = "tables: {exposures: exposures.parquet, orders: orders.parquet}"
SOURCES = {
    "duckdb": f"{{engine: duckdb, {FILES}}}",
    "spark": f"{{engine: spark, time_limit_seconds: 300, {FILES}}}",
    "clickhouse": f"{{engine: clickhouse, {FILES}}}",
}
METRICS = """
exposures:
  users:
    {source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: seen_at, experiment: experiment}
  firsts:
    source: shop
    sql: >
      SELECT user_id AS unit, MIN(variant) AS variant, MIN(seen_at) AS exposed_at, experiment, MAX(user_id) AS score
      FROM exposures GROUP BY user_id, experiment
metrics:
  revenue:
    {exposures: users, kind: mean, direction: up, table: orders, time: ordered_at, value: amount, window_days: 7,
     pre_period_days: 7, cap: 150}
  basket:
    {exposures: users, kind: ratio, direction: up, table: orders, time: ordered_at, value: amount, denominator: items,
     window_days: 7, pre_period_days: 7}
  orders: {exposures: users, kind: mean, direction: up, table: orders, time: ordered_at}
  score: {exposures: firsts, kind: mean, direction: up, value: score, complete_at_exposure: true}
"""


@pytest.fixture(scope="module")
def measured(folder: Path) -> Mapping[str, Mapping[str, Baseline]]:
    found = {}
    for engine, source in SOURCES.items():
        path = folder / "baselines.yml"
        path.write_text(f"sources:\n  shop: {source}\n{METRICS}")
        metrics = metrics_file.load(path)
        answers = baselines.measure(metrics, tuple(metrics.metrics), now=shop.UNTIL + shop.DAY)
        found[engine] = {name: one for name, one in answers.items() if isinstance(one, Baseline)}
        assert set(found[engine]) == set(metrics.metrics), answers
    return found


@pytest.mark.parametrize("engine", ["spark", "clickhouse"])
def test_baselines_are_the_same_to_nine_digits(measured: Mapping[str, Mapping[str, Baseline]], engine: str) -> None:
    for name, one in measured["duckdb"].items():
        other = measured[engine][name]
        assert other.units == one.units > 100, name
        assert (other.since, other.until) == (one.since, one.until), name
        assert [other.units_per_day, other.mean, other.deviation] == pytest.approx(
            [one.units_per_day, one.mean, one.deviation], rel=1e-9
        ), name
        assert other.variance_reduction == pytest.approx(one.variance_reduction, abs=1e-9), name
