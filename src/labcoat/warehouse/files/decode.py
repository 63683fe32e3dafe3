"""A file that somebody gave, looked at before the engine reads it: what it is, in which signs, under which header.

Text is brought to UTF-8 piece by piece, so that no file is ever whole in memory.
"""

import csv
import io
import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NoReturn

from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import workbook

SEPARATORS = ",;\t|"
LONGEST_HEADER = 100_000
"""Characters of the line of column names; a file without line ends is no table."""
LONGEST_CELL = 2_000_000
"""Characters, as much as the engine reads in a line; by itself Python stops at 131,072."""
MOST_COLUMNS = 1000
_PIECE = 1 << 18
_PARQUET = b"PAR1"
_AS_CSV = "In its program choose Save as or Export, pick CSV, and give that file."
_OTHERS = {
    b"%PDF": f"is a PDF. {_AS_CSV}",
    b"\x1f\x8b": "is compressed. Unpack it, and give the CSV or Parquet file that is in it.",
    b"BZh": "is compressed. Unpack it, and give the CSV or Parquet file that is in it.",
    b"\x28\xb5\x2f\xfd": "is compressed. Unpack it, and give the CSV or Parquet file that is in it.",
    b"PARE": "is encrypted. Write it without encryption, or give a CSV file.",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NUMBER = re.compile(r"[(+-]?[0-9][0-9., ]*[%)]?")
_LOOKED_AT = 100
"""Lines that show where a table begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file that the engine can read.

    path: of Parquet, or of UTF-8 text with one kind of line end. separator: None for Parquet.
    header: names of the columns as written; of Parquet unknown before the engine opens it.
    skipped_lines: all above the header: blank ones, titles, and what Excel says of the separator. titles: those lines.
    """

    name: str
    path: Path
    separator: str | None
    header: tuple[str, ...] = ()
    skipped_lines: int = 0
    titles: tuple[str, ...] = ()

    def line(self, place: int) -> str:
        """Return how a person finds a row again. place: from 0, blank lines not counted."""
        if self.separator is None:
            return f"row {place + 1:,}"
        csv.field_size_limit(LONGEST_CELL)
        with self.path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, delimiter=self.separator)
            begins, rows = 1, -1
            try:
                for row in reader:
                    rows += bool(row)
                    if rows > place:
                        break
                    begins = reader.line_num + 1
            except csv.Error:
                refuse(f"Line {begins + self.skipped_lines:,} of {self.name} can't be read. Check its quotation marks")
        return f"line {begins + self.skipped_lines:,}"


def look_at(path: Path, *, name: str, folder: Path) -> GivenFile:
    """Return the file ready for the engine; raise SourceError saying what it is instead, and what to do.

    name: as people know it. folder: where a copy in UTF-8 may be made.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        file.seek(max(0, path.stat().st_size - 4))
        tail = file.read(4)
    if not head.strip():
        refuse(f"{name} is empty")
    if head.startswith(_PARQUET):
        if tail != _PARQUET:
            refuse(f"{name} is cut off: its end is missing. Write it again, or give a CSV file")
        return GivenFile(name=name, path=path, separator=None)
    if head.startswith(workbook.OLD):
        workbook.refuse_old(path, name=name)
    if head.startswith(workbook.ZIP):
        written = folder / "sheet.csv"
        workbook.write_sheet(path, written, name=name)
        with written.open("rb") as file:
            return _text(written, name=name, folder=folder, head=file.read(4096), separators=workbook.SEPARATOR)
    for start, what in _OTHERS.items():
        if head.startswith(start):
            refuse(f"{name} {what}")
    if name.lower().endswith(".parquet"):
        refuse(f"{name} is not a Parquet file, whatever its name says. Write it again, or give a CSV file")
    if b"\0" in head and not head.startswith(_UTF_16) and not _is_utf_16(head):
        refuse(f"{name} is no text file and no Parquet file. Save the sheet as CSV, and give that")
    return _text(path, name=name, folder=folder, head=head)


def _text(path: Path, *, name: str, folder: Path, head: bytes, separators: str = SEPARATORS) -> GivenFile:
    target, encoding = folder / "given.csv", _encoding(head)
    if encoding == "utf-8" and _is_ready(path):
        target = path  # no copy: reading takes half the time
        layout = _layout(_beginning(path), separators)
    try:
        if target != path or layout.is_changed:
            target = folder / "given.csv"
            layout = _copy(path, target, separators, encoding=encoding, errors="strict")
    except UnicodeError:  # what older spreadsheets write; whatever it has no sign for is none of ours either
        layout = _copy(path, target, separators, encoding="cp1252", errors="replace")
    with target.open(encoding="utf-8", newline="") as file:
        if len(file.readline(LONGEST_HEADER)) == LONGEST_HEADER:
            refuse(f"The first line of {name} does not end. It must hold the names of the columns")
        file.seek(0)
        try:
            header = next(csv.reader(file, delimiter=layout.separator), [])
        except csv.Error:
            refuse(f"The names of the columns of {name} can't be read. Check its quotation marks")
    if not any(cell.strip() for cell in header):
        refuse(f"{name} is empty")
    if len(header) > MOST_COLUMNS:
        refuse(f"{name} has {len(header):,} columns. Leave out what is not needed: the limit is {MOST_COLUMNS:,}")
    return GivenFile(
        name=name,
        path=target,
        separator=layout.separator,
        header=tuple(header),
        skipped_lines=layout.skipped,
        titles=layout.titles,
    )


def _is_utf_16(head: bytes) -> bool:
    """Whether every other byte is zero, as in UTF-16 without a mark in front."""
    odd, even = head[1::2].count(0), head[::2].count(0)
    return max(odd, even) > len(head) // 3 and min(odd, even) <= len(head) // 100


def _encoding(head: bytes) -> str:
    if head.startswith(_UTF_16):
        return "utf-16"
    if b"\0" in head:  # without a mark, text in Western letters has a zero in every other byte
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    return "utf-8-sig" if head.startswith(b"\xef\xbb\xbf") else "utf-8"


def _is_ready(path: Path) -> bool:
    """Whether the engine can read the text as it is: UTF-8 whose lines end in one way."""
    decoder = getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            for piece in iter(lambda: file.read(1 << 20), b""):
                if b"\r" in piece:
                    return False
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _beginning(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read(_PIECE)


def _copy(path: Path, target: Path, separators: str, *, encoding: str, errors: str) -> "_Layout":
    """Write the file as UTF-8 without what stands above its header."""
    with (
        path.open(encoding=encoding, errors=errors, newline=None) as source,
        target.open("w", encoding="utf-8", newline="\n") as copy,
    ):
        pieces = iter(lambda: source.read(_PIECE), "")
        first = next(pieces, "")
        layout = _layout(first, separators)
        copy.write(layout.header + first[layout.rows_at :])
        for piece in pieces:
            copy.write(piece)
    return layout


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the table begins.

    header: its line as the engine needs it. rows_at: where the rest begins. skipped: lines above the header.
    titles: those of them that say something. is_changed: the engine can't read the text as it is.
    """

    separator: str
    header: str
    rows_at: int
    skipped: int
    titles: tuple[str, ...]
    is_changed: bool


def _layout(text: str, separators: str) -> _Layout:
    lines = list(islice(_lines(text), _LOOKED_AT))
    start = next((place for place, line in enumerate(lines) if not _says_nothing(line)), len(lines))
    separator, rows = _table(lines[start:], separators)
    width = max(Counter(map(len, rows)).items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))[0]
    place, header = _header(rows, width)
    numbers = [number for number, line in enumerate(lines) if number >= start and line.strip()]
    above = numbers[place] if place else start
    line = lines[above] if above < len(lines) else text[sum(map(len, lines)) :]
    at = sum(map(len, lines[:above]))
    shown = header if place < len(rows) and header != rows[place] else None
    written = line if shown is None else _written(shown, separator)
    return _Layout(
        separator=separator,
        header=written,
        rows_at=at + len(line),
        skipped=above,
        titles=tuple(lines[number].strip().strip(separator) for number in numbers[:place]),
        is_changed=bool(above) or shown is not None,
    )


def _says_nothing(line: str) -> bool:
    return not line.strip() or (line.lower().startswith("sep=") and len(line.strip()) <= 5)


def _table(lines: list[str], separators: str) -> tuple[str, list[list[str]]]:
    """Return the separator that gives most rows the same width, and the first rows read with it."""
    filled = [line for line in lines if line.strip()]
    best: tuple[tuple[int, int], str, list[list[str]]] = ((0, 0), separators[0], [[line.strip()] for line in filled])
    csv.field_size_limit(LONGEST_CELL)
    for separator in separators:
        try:
            rows = [row for row in csv.reader(filled, delimiter=separator) if row]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if len(row) > 1)
        score = max(((count, width) for width, count in widths.items()), default=(0, 0))
        if score > best[0]:
            best = score, separator, rows
    return best[1], best[2]


def _header(rows: list[list[str]], width: int) -> tuple[int, list[str]]:
    """Return which row has the names of the columns, and these: as many as the rows have cells."""
    below = [row for row in rows[1:] if len(row) == width]
    spare = 0
    while below and spare < width - 1 and not any(row[width - 1 - spare].strip() for row in below):
        spare += 1
    for place, row in enumerate(rows):
        names = _without_blank_end(row)
        is_name = len(names) >= max(2, width - spare) and not any(_NUMBER.fullmatch(name.strip()) for name in names)
        if is_name and all(_filled(title) < _filled(names) for title in rows[:place]):
            is_padded = len(names) < width and spare >= width - len(names)
            is_cut = len(names) == width < len(row)
            return place, [*names, *[""] * (width - len(names))] if is_padded or is_cut else row
    return 0, rows[0] if rows else []


def _without_blank_end(row: list[str]) -> list[str]:
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _filled(row: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _written(cells: list[str], separator: str) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _lines(text: str) -> Iterator[str]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start : end + 1]
        start = end + 1
    if start < len(text):
        yield text[start:]


def refuse(message: str) -> NoReturn:
    """Raise SourceError for what is wrong with a file, and only a person can mend."""
    raise SourceError(message if message.endswith(".") else f"{message}.", permanent=True)
