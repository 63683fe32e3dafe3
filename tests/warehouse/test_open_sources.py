"""A source is opened once for a whole metrics file, whatever its exposures share; the CSV files are real."""

from pathlib import Path

import pytest

from labcoat.warehouse import metrics_file
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.open_sources import OpenSources

METRICS = """
sources:
  shop: {engine: duckdb, tables: {seen: seen.csv, orders: orders.csv, gone: gone.csv}}
  other: {engine: duckdb, tables: {seen: seen.csv}}
exposures:
  users: {source: shop, table: seen, unit: unit, variant: arm}
  buyers: {source: shop, sql: "SELECT unit, arm AS variant FROM seen JOIN orders USING (unit)"}
  elsewhere: {source: other, table: seen, unit: unit, variant: arm}
  nobody: {source: shop, table: gone, unit: unit, variant: arm}
metrics:
  orders: {exposures: users, kind: mean, direction: up, table: orders}
"""


@pytest.fixture
def shop(tmp_path: Path) -> MetricsFile:
    (tmp_path / "seen.csv").write_text("unit,arm\nu1,a\nu2,b\n")
    (tmp_path / "orders.csv").write_text("unit,amount\nu1,7\n")
    (tmp_path / "metrics.yml").write_text(METRICS)
    return metrics_file.load(tmp_path / "metrics.yml")


def opened(shop: MetricsFile, *exposures: str) -> OpenSources:
    return OpenSources(shop, exposures=exposures, metrics=shop.metrics)


def rows(table: str) -> str:
    return f"SELECT COUNT(*) AS rows FROM {table}"


def test_exposures_of_one_source_share_one_connection(shop: MetricsFile) -> None:
    def itself(engine: Engine) -> Engine:
        return engine

    with opened(shop, "users", "buyers", "elsewhere") as sources:
        first = sources.ask("users", (), itself)

        assert sources.ask("buyers", (), itself) is first
        assert sources.ask("elsewhere", (), itself) is not first


def test_a_file_that_two_share_is_loaded_once(shop: MetricsFile, tmp_path: Path) -> None:
    """What is read of it is still there when the file is not."""
    with opened(shop, "users", "buyers") as sources:
        assert sources.ask("users", (), lambda engine: engine.rows(rows("seen"))) == [(2,)]
        (tmp_path / "seen.csv").unlink()

        assert sources.ask("buyers", (), lambda engine: engine.rows(rows("seen JOIN orders USING (unit)"))) == [(1,)]

    assert set(sources.changed) == {"shop"}
    assert "seen.csv changed while it was read." in sources.changed["shop"].message


def test_an_error_of_one_question_loads_nothing_again(shop: MetricsFile, tmp_path: Path) -> None:
    with opened(shop, "users") as sources:
        with pytest.raises(SourceError, match="no_such_column"):
            sources.ask("users", (), lambda engine: engine.rows("SELECT no_such_column FROM seen"))
        (tmp_path / "seen.csv").unlink()

        assert sources.ask("users", (), lambda engine: engine.rows(rows("seen"))) == [(2,)]


def test_a_file_that_is_not_there_spoils_only_what_reads_it(shop: MetricsFile, tmp_path: Path) -> None:
    with opened(shop, "users", "nobody") as sources:
        with pytest.raises(SourceError, match=r"The file gone\.csv is not there\."):
            sources.ask("nobody", (), lambda engine: engine.rows(rows("gone")))
        assert sources.ask("users", (), lambda engine: engine.rows(rows("seen"))) == [(2,)]
        (tmp_path / "seen.csv").unlink()

        assert sources.ask("users", (), lambda engine: engine.rows(rows("seen"))) == [(2,)]
