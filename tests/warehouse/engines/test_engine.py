"""Engines are loaded by name when a source needs one: each name that the metrics file knows has its module."""

from importlib.util import find_spec
from typing import get_args

import pytest

from labcoat.warehouse.sources import Source


def _engines() -> list[str]:
    union = get_args(Source)[0]
    return sorted(get_args(model.model_fields["engine"].annotation)[0] for model in get_args(union))


def test_all_engines_are_listed_here() -> None:
    assert _engines() == [
        "bigquery",
        "clickhouse",
        "databricks",
        "duckdb",
        "postgresql",
        "redshift",
        "snowflake",
        "spark",
        "trino",
    ]


@pytest.mark.parametrize("engine", _engines())
def test_an_engine_has_a_module_of_its_name(engine: str) -> None:
    assert find_spec(f"labcoat.warehouse.engines.{engine}") is not None
