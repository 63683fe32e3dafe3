"""Engines whose drivers are extras; what a machine lacks fails here, and is never skipped."""

from pathlib import Path

import pytest

from warehouse import shop


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as a DuckDB database and as Parquet files."""
    folder = tmp_path_factory.mktemp("shop")
    shop.write_duckdb(folder)
    return folder
