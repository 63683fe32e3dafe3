"""A file that another program changes while it is read gives no numbers, and right ones at the next read."""

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from labcoat.warehouse.engines import engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import DuckDbSource


def replace_it(path: Path) -> None:
    write(path.with_name(f"new{path.suffix}"), rows=20)
    path.with_name(f"new{path.suffix}").replace(path)


def truncate_it(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_over_it(path: Path) -> None:
    write(path, rows=20)


def remove_it(path: Path) -> None:
    path.unlink()


def write(path: Path, *, rows: int) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT range AS visitor, 2 AS pages FROM range({rows})) TO '{path}'")


def read(source: DuckDbSource, *, while_: Callable[[], None] = lambda: None) -> list[tuple[object, ...]]:
    with engine.opened(source, name="shop", tables={"visits"}) as opened:
        opened.columns("SELECT * FROM visits")
        while_()
        return opened.rows("SELECT count(*), sum(pages) FROM visits")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("change", [replace_it, truncate_it, write_over_it, remove_it])
def test_what_was_read_of_a_file_that_changed_counts_as_nothing(
    tmp_path: Path, kind: str, change: Callable[[Path], None]
) -> None:
    path = tmp_path / f"visits.{kind}"
    write(path, rows=10)
    source = DuckDbSource(engine="duckdb", tables={"visits": path})

    with pytest.raises(SourceError, match=f"visits.{kind} changed while it was read") as caught:
        read(source, while_=lambda: change(path))
    write(path, rows=30)

    assert not caught.value.permanent
    assert read(source) == [(30, 60)]


def test_a_file_that_nobody_asked_for_may_change(tmp_path: Path) -> None:
    write(tmp_path / "visits.csv", rows=10)
    write(tmp_path / "other.csv", rows=10)
    tables = {"visits": tmp_path / "visits.csv", "other": tmp_path / "other.csv"}
    source = DuckDbSource(engine="duckdb", tables=tables)

    assert read(source, while_=lambda: write(tmp_path / "other.csv", rows=20)) == [(10, 20)]
