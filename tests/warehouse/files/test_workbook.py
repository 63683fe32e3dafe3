"""A workbook is read as the same rows in a CSV file are, or refused with the sheet, the cell and what to do."""

from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files.asked import FileMoments, MetricColumns, read_asked

HEADER = ("user_id", "variant", "amount")
ROWS = (("007", "a", 1.234), ("8", "b", 2.5), ("9", "a", 3), ("10", "b", 4))
TABLE = (HEADER, *ROWS)


def _book(
    path: Path, *sheets: Sequence[Sequence[object]], change: Callable[[openpyxl.Workbook], None] | None = None
) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(list(row))
    if change is not None:
        change(book)
    book.save(path)
    return path


def _read(path: Path) -> FileMoments:
    return read_asked(path, metrics=[MetricColumns(value="amount")])


def _refused(path: Path) -> str:
    with pytest.raises(SourceError) as refused:
        _read(path)
    return str(refused.value)


@pytest.mark.parametrize("above", [(), (("Export of May",), ())])
@pytest.mark.parametrize("name", ["rows.xlsx", "rows.csv"])
def test_a_sheet_gives_what_the_same_rows_in_csv_give(
    tmp_path: Path, name: str, above: Sequence[Sequence[object]]
) -> None:
    csv = tmp_path / "same.csv"
    csv.write_text("\n".join(",".join(map(str, row)) for row in TABLE), encoding="utf-8")

    found, wanted = _read(_book(tmp_path / name, [*above, *TABLE])), _read(csv)

    assert (found.units, found.metrics) == (wanted.units, wanted.metrics)
    assert found.units == {"a": 2, "b": 2}


def test_a_number_of_a_cell_keeps_its_decimals_beside_text_with_decimal_commas(tmp_path: Path) -> None:
    rows = [
        ("variant", "amount", "price"),
        ("a", 1.234, "2,50"),
        ("b", 2.345, "3,50"),
        ("a", 3.456, "4,5"),
        ("b", 1, "1,5"),
    ]

    found = _read(_book(tmp_path / "rows.xlsx", rows))

    assert found.metrics[0][1]["a"].mean == pytest.approx((1.234 + 3.456) / 2)


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    def hide(book: openpyxl.Workbook) -> None:
        book.worksheets[1].sheet_state = "hidden"

    assert _read(_book(tmp_path / "rows.xlsx", TABLE, TABLE, change=hide)).units == {"a": 2, "b": 2}


def test_two_sheets_with_a_table_are_refused_by_name(tmp_path: Path) -> None:
    assert "several sheets: Sheet 1, Sheet 2" in _refused(_book(tmp_path / "rows.xlsx", TABLE, TABLE))


@pytest.mark.parametrize("rows", [[*TABLE, (), *TABLE], [(*row, None, *row) for row in TABLE]])
def test_two_tables_on_a_sheet_are_refused(tmp_path: Path, rows: Sequence[Sequence[object]]) -> None:
    assert "The sheet Sheet 1 of rows.xlsx has several tables" in _refused(_book(tmp_path / "rows.xlsx", rows))


def test_a_cell_with_an_error_is_named(tmp_path: Path) -> None:
    def fail(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["C3"] = "#N/A"
        book.worksheets[0]["C3"].data_type = "e"

    assert "Cell C3 of the sheet Sheet 1" in _refused(_book(tmp_path / "rows.xlsx", TABLE, change=fail))


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = _book(tmp_path / "rows.xlsx", TABLE)
    path.write_bytes(path.read_bytes()[:3000])

    assert "damaged" in _refused(path)


def test_a_workbook_with_a_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))

    assert "password" in _refused(path)


def test_text_under_the_name_of_a_workbook_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_text("variant,amount\na,1\nb,2\na,3\nb,5\n", encoding="utf-8")

    assert _read(path).units == {"a": 2, "b": 2}


def test_signs_in_cells_do_not_separate_columns(tmp_path: Path) -> None:
    rows = [
        ("variant", "amount;of;the;year", "amount"),
        *((arm, "a;b;c;d", amount) for arm, amount in (("a", 1), ("a", 2), ("b", 3), ("b", 5))),
    ]

    ((_, moments),) = _read(_book(tmp_path / "rows.xlsx", rows)).metrics

    assert {arm: one.mean for arm, one in moments.items()} == {"a": 1.5, "b": 4}
