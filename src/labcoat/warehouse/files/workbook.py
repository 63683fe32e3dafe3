"""A sheet of an Excel workbook, written as text, so that it is read as any other file.

A row of the sheet becomes one line, so that a complaint's line is the row that a person sees.
"""

import csv
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import NoReturn

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from labcoat.warehouse.errors import SourceError

ZIP = b"PK\x03\x04"
OLD = b"\xd0\xcf\x11\xe0"
"""How .xls files begin, and workbooks with a password."""
SEPARATOR = ","
"""Of the text that a sheet becomes; its cells may hold any other."""
LARGEST = 1 << 30
"""Bytes of a workbook when it is unpacked."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_AS_XLSX = "In its program choose Save as, pick Excel workbook (.xlsx) or CSV, and give that file"
_ERROR = re.compile(rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+[0-9]+)"')
_PIECE = 1 << 20

Row = Sequence[object]


def write_sheet(path: Path, target: Path, *, name: str) -> None:
    """Write the sheet that has the table as CSV; raise SourceError."""
    _check(path, name=name)
    try:
        with CalamineWorkbook.from_path(path) as book:
            sheet, rows = _chosen(book, name=name)
            _refuse_errors(path, name=name, sheet=sheet, sheets=book.sheet_names)
        timed = {place for row in rows for place, cell in enumerate(row) if isinstance(cell, datetime)}
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=SEPARATOR, lineterminator="\n").writerows(
                [_text(_moment(cell) if place in timed else cell) for place, cell in enumerate(row)]
                if _filled(row)
                else []
                for row in rows
            )
    except PasswordError:
        _refuse(_protected(name))
    except (CalamineError, zipfile.BadZipFile, KeyError, OSError, ValueError):
        _refuse(f"{name} is damaged and can't be read. {_AS_XLSX}")


def refuse_old(path: Path, *, name: str) -> None:
    """Raise SourceError for a file of Excel's old kind, or one with a password."""
    with path.open("rb") as file:
        tail = b""
        while piece := file.read(_PIECE):
            if _ENCRYPTED in tail + piece:
                _refuse(_protected(name))
            tail = piece[-len(_ENCRYPTED) :]
    _refuse(f"{name} is an Excel workbook of the old kind. {_AS_XLSX}")


def _protected(name: str) -> str:
    return f"{name} is protected by a password. Save it without one, and give that file"


def _check(path: Path, *, name: str) -> None:
    """Refuse what is no workbook, or would be too large, before anything is parsed."""
    try:
        with zipfile.ZipFile(path) as parts:
            names = set(parts.namelist())
            size = sum(part.file_size for part in parts.infolist())
    except zipfile.BadZipFile:
        _refuse(f"{name} is damaged and can't be read. {_AS_XLSX}")
    if "xl/workbook.xml" not in names:
        what = "a spreadsheet of another kind" if {"mimetype", "xl/workbook.bin"} & names else "a zip, and no workbook"
        _refuse(f"{name} is {what}. {_AS_XLSX}")
    if size > LARGEST:
        _refuse(f"{name} has {size >> 20:,} MB when it is unpacked; the limit is {LARGEST >> 20:,} MB. Give a CSV file")


def _chosen(book: CalamineWorkbook, *, name: str) -> tuple[str, Sequence[Row]]:
    """Return the one visible sheet with a table, and its rows."""
    tables = []
    for one in book.sheets_metadata:
        if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible:
            rows = list(book.get_sheet_by_name(one.name).iter_rows())
            if sum(_filled(row) > 1 for row in rows) > 1:
                tables.append((one.name, rows))
    if not tables:
        _refuse(f"{name} has no visible sheet with a table. Put the names of the columns above the rows")
    if len(tables) > 1:
        _refuse(
            f"{name} has a table on several sheets: {_listed([one for one, _ in tables])}. Keep the one that is meant "
            "in a file of its own"
        )
    ((sheet, rows),) = tables
    _refuse_several(rows, name=name, sheet=sheet)
    return sheet, rows


def _refuse_several(rows: Sequence[Row], *, name: str, sheet: str) -> None:
    """Refuse tables side by side, or one under the other."""
    starts = [place for place, rows_of in _blocks(rows) if _is_table(rows_of)]
    wide = [row for row in rows if _filled(row) > 1]
    used = [any(row[place] not in ("", None) for row in wide) for place in range(max(map(len, wide), default=0))]
    gap = next((place for place in range(1, len(used)) if not used[place] and any(used[place:])), None)
    if len(starts) > 1:
        where = f"rows {starts[0] + 1:,} and {starts[1] + 1:,}"
    elif gap is not None and any(used[:gap]):
        where = "columns apart"
    else:
        return
    _refuse(f"The sheet {sheet[:60]} of {name} has several tables ({where}). Keep one of them on the sheet")


def _blocks(rows: Sequence[Row]) -> Iterator[tuple[int, list[Row]]]:
    block: list[Row] = []
    for place, row in enumerate([*rows, []]):
        if _filled(row):
            block.append(row)
        elif block:
            yield place - len(block), block
            block = []


def _is_table(rows: Sequence[Row]) -> bool:
    """Whether rows begin with names of columns and have others below; one that only goes on has no names."""
    wide = [row for row in rows if _filled(row) > 1]
    return len(wide) > 1 and all(cell in ("", None) or isinstance(cell, str) for cell in wide[0])


def _refuse_errors(path: Path, *, name: str, sheet: str, sheets: Sequence[str]) -> None:
    """Refuse a cell whose formula failed: its value would be taken for an empty one."""
    with zipfile.ZipFile(path) as parts:
        for part in _part(parts, sheets.index(sheet)):
            with parts.open(part) as file:
                kept = b""
                while piece := file.read(_PIECE):
                    found = _ERROR.search(kept + piece)
                    if found:
                        cell = found[1].decode()
                        _refuse(
                            f"Cell {cell} of the sheet {sheet[:60]} of {name} has an error, such as #N/A. Mend its "
                            "formula, or empty the cell"
                        )
                    kept = (kept + piece)[-1000:]


def _part(parts: zipfile.ZipFile, place: int) -> Iterator[str]:
    """Yield the part that holds the sheet of this place."""
    book = parts.read("xl/workbook.xml").decode(errors="replace")
    links = parts.read("xl/_rels/workbook.xml.rels").decode(errors="replace")
    ids = re.findall(r'<(?:\w+:)?sheet\b[^>]*?\b\w+:id="([^"]+)"', book)
    for link in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", links):
        target = re.search(r'\bTarget="([^"]+)"', link)
        if re.search(rf'\bId="{re.escape(ids[place])}"', link) and target:
            yield target[1].lstrip("/") if target[1].startswith("/") else f"xl/{target[1]}"


def _filled(row: Row) -> int:
    return sum(cell not in ("", None) for cell in row)


def _moment(cell: object) -> object:
    """Return a cell of a column of times: its reader makes a day of every midnight.

    >>> _moment(date(2026, 11, 5))
    datetime.datetime(2026, 11, 5, 0, 0)
    """
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return datetime.combine(cell, time.min)
    return cell


def _text(cell: object) -> str:
    """Return a cell as text that has one reading: 1.234 of a number has decimals, whatever the other columns have."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        text = repr(cell)
        return f"{text}0" if re.fullmatch(r"-?[0-9]+[.][0-9]{3}", text) else text
    if isinstance(cell, datetime | date):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return " ".join(str(cell).splitlines()) if cell is not None else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:8])


def _refuse(message: str) -> NoReturn:
    said = f"{message}."
    raise SourceError(said, permanent=True)
