"""Whatever people write comes back from a file as it was."""

import csv
from pathlib import Path

import duckdb
import pytest

from labcoat.domain.export_columns import Cell
from labcoat.warehouse import sheets
from labcoat.warehouse.errors import SourceError

COLUMNS = (("said", Cell.TEXT), ("number", Cell.NUMBER))
TEXTS = ("x\ry", "x\r\ny", "x\ny", 'q"q', "a,b;c", "tab\tz", "\\", "NULL", " around ", "é\u2028", "z" * 3_000_000)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:10]))
def test_a_text_comes_back_from_both_kinds_of_files(tmp_path: Path, text: str) -> None:
    for name, opened in (("rows.parquet", sheets.opened_parquet), ("rows.csv", sheets.opened_csv)):
        with opened(tmp_path / name, COLUMNS) as put:
            put((text, 1.5))
            put(("next", 2.0))

    with duckdb.connect() as connection:
        from_parquet = connection.execute(f"SELECT * FROM '{tmp_path / 'rows.parquet'}'").fetchall()
    csv.field_size_limit(10_000_000)
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        from_csv = [tuple(row) for row in csv.reader(file)]
    assert from_parquet == [(text, 1.5), ("next", 2.0)]
    assert from_csv == [("said", "number"), (text, "1.5"), ("next", "2.0")]


def test_a_file_that_cannot_be_written_is_said_without_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.mkdir()

    with pytest.raises(SourceError) as caught, sheets.opened_parquet(path, COLUMNS) as put:
        put(("x", 1.5))

    assert caught.value.permanent
    assert "rows.parquet" in caught.value.message
    assert str(tmp_path) not in caught.value.message
    assert list(tmp_path.iterdir()) == [path]
