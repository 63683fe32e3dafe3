"""What the query needs is found in the data: columns, types, and what each of them is compared with."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from labcoat.warehouse import connections, metrics_file, reading, resolving
from labcoat.warehouse.resolving import AskedMetric
from labcoat.warehouse.source_columns import Asking
from labcoat.warehouse.sql import Bounds

METRICS = """
sources: {shop: {engine: duckdb, database: shop.duckdb}}
exposures: {users: {source: shop, table: users, unit: user_id, variant: variant}}
metrics: {revenue: {kind: mean, direction: up, table: orders, value: amount}}
"""
BOUNDS = Bounds(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize(("type_", "is_text"), [("BIGINT", False), ("UUID", False), ("VARCHAR", True)])
def test_a_unit_that_the_metric_does_not_name_has_the_type_of_the_exposures_unit(
    tmp_path: Path, type_: str, is_text: bool
) -> None:
    """Only text can be blank: an engine skips rows of numbers that lack nothing, and none of texts."""
    with duckdb.connect(tmp_path / "shop.duckdb") as writer:
        writer.execute(f"CREATE TABLE users (user_id {type_}, variant TEXT)")
        writer.execute(f"CREATE TABLE orders (user_id {type_}, amount DOUBLE)")
    (tmp_path / "metrics.yml").write_text(METRICS)
    world = metrics_file.load(tmp_path / "metrics.yml")
    metric = world.metrics["revenue"]
    asked = (AskedMetric(name="revenue", metric=metric, measuring=reading.measuring_of(metric)),)

    with connections.opened(world, world.exposures["users"], asked) as source:
        columns = Asking(source, "duckdb", BOUNDS)
        found = resolving.resolve(columns, world.exposures["users"], asked)

    assert found.measures[0].is_unit_text is is_text
