"""Spark and ClickHouse count and refuse what DuckDB and PostgreSQL do: the same tests, over Parquet files."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile
from proofs.warehouse import test_bad_data as same
from proofs.warehouse.test_bad_data import METRIC, Row, World, tables_of, text_of, write_duckdb


@pytest.fixture(params=["spark", "clickhouse"])
def a_world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    def make(
        seen: Sequence[Row],
        events: Sequence[Row],
        *,
        value: str = "double precision",
        when: str = "timestamp",
        metric: str = METRIC,
    ) -> MetricsFile:
        tables = tables_of(seen, events, value=value, when=when)
        write_duckdb(tmp_path / "shop.duckdb", tables)
        with duckdb.connect(tmp_path / "shop.duckdb") as connection:
            for name in tables:
                connection.execute(f"COPY {name} TO '{tmp_path / name}.parquet' (FORMAT parquet)")
        files = "tables: {seen: seen.parquet, events: events.parquet}"
        source = f"{{engine: {request.param}, time_limit_seconds: 300, {files}}}"
        (tmp_path / "metrics.yml").write_text(text_of(source, metric=metric))
        return metrics_file.load(tmp_path / "metrics.yml")

    return make


test_first_exposure = same.test_the_first_of_several_exposures_counts
test_clock_skew = same.test_an_event_a_moment_before_its_exposure_is_not_an_effect_of_it
test_time_before = same.test_it_is_part_of_the_time_before_instead
test_days_beside_times = same.test_days_without_times_are_refused_beside_exposures_with_times
test_same_day = same.test_the_exposure_s_own_day_counts_as_the_file_says
test_two_variants = same.test_a_unit_in_two_variants_is_left_out_and_counted
test_too_many_in_two_variants = same.test_too_many_units_in_two_variants_are_refused
test_unplanned_variant = same.test_a_variant_that_is_not_in_the_plan_is_named
test_incomplete_exposure = same.test_an_exposure_that_lacks_something_is_refused
test_incomplete_event = same.test_an_event_without_unit_or_time_counts_as_nothing
test_no_rows = same.test_no_rows_yet_is_no_fault
test_no_events = same.test_units_without_events_count_as_nothing
test_no_number = same.test_a_value_that_is_no_number_is_refused
test_types_of_numbers = same.test_numbers_of_any_type_add_up
test_large_mean = same.test_a_large_mean_keeps_its_small_variance
