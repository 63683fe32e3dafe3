"""A file that somebody gave, looked at before the engine reads it: what it is, in which signs, under which header.

Text is brought to UTF-8 piece by piece, so that no file is ever whole in memory.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from labcoat.warehouse.errors import SourceError

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
    b"PK\x03\x04": f"is an Excel workbook or a zip. {_AS_CSV}",
    b"\xd0\xcf\x11\xe0": f"is an Excel workbook. {_AS_CSV}",
    b"%PDF": f"is a PDF. {_AS_CSV}",
    b"\x1f\x8b": "is compressed. Unpack it, and give the CSV or Parquet file that is in it.",
    b"BZh": "is compressed. Unpack it, and give the CSV or Parquet file that is in it.",
    b"\x28\xb5\x2f\xfd": "is compressed. Unpack it, and give the CSV or Parquet file that is in it.",
    b"PARE": "is encrypted. Write it without encryption, or give a CSV file.",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file that the engine can read.

    path: of Parquet, or of UTF-8 text with one kind of line end. separator: None for Parquet.
    header: names of the columns as written; of Parquet unknown before the engine opens it.
    skipped_lines: blank ones, and what Excel says of the separator, above the header.
    """

    name: str
    path: Path
    separator: str | None
    header: tuple[str, ...] = ()
    skipped_lines: int = 0

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
    for start, what in _OTHERS.items():
        if head.startswith(start):
            refuse(f"{name} {what}")
    if name.lower().endswith(".parquet"):
        refuse(f"{name} is not a Parquet file, whatever its name says. Write it again, or give a CSV file")
    if b"\0" in head and not head.startswith(_UTF_16):
        refuse(f"{name} is no text file and no Parquet file. Save the sheet as CSV, and give that")
    return _text(path, name=name, target=folder / "given.csv", is_utf_16=head.startswith(_UTF_16))


def _text(path: Path, *, name: str, target: Path, is_utf_16: bool) -> GivenFile:
    try:
        skipped = _copy(path, target, encoding="utf-16" if is_utf_16 else "utf-8-sig", errors="strict")
    except UnicodeError:  # what older spreadsheets write; whatever it has no sign for is none of ours either
        skipped = _copy(path, target, encoding="cp1252", errors="replace")
    with target.open(encoding="utf-8", newline="") as file:
        first = file.readline(LONGEST_HEADER)
        if len(first) == LONGEST_HEADER:
            refuse(f"The first line of {name} does not end. It must hold the names of the columns")
        separator = max(SEPARATORS, key=Counter(first).__getitem__)
        file.seek(0)
        try:
            header = next(csv.reader(file, delimiter=separator), [])
        except csv.Error:
            refuse(f"The names of the columns of {name} can't be read. Check its quotation marks")
    if not any(cell.strip() for cell in header):
        refuse(f"{name} is empty")
    if len(header) > MOST_COLUMNS:
        refuse(f"{name} has {len(header):,} columns. Leave out what is not needed: {MOST_COLUMNS:,} fit")
    return GivenFile(name=name, path=target, separator=separator, header=tuple(header), skipped_lines=skipped)


def _copy(path: Path, target: Path, *, encoding: str, errors: str) -> int:
    """Write the file as UTF-8 without what stands above its header; return how many lines that were."""
    with (
        path.open(encoding=encoding, errors=errors, newline=None) as source,
        target.open("w", encoding="utf-8", newline="\n") as copy,
    ):
        pieces = iter(lambda: source.read(_PIECE), "")
        first, skipped = _from_the_header(next(pieces, ""))
        copy.write(first)
        for piece in pieces:
            copy.write(piece)
    return skipped


def _from_the_header(text: str) -> tuple[str, int]:
    skipped = 0
    for line in _lines(text):
        is_above = not line.strip() or (line.lower().startswith("sep=") and len(line.strip()) <= 5)
        if not is_above:
            break
        text, skipped = text[len(line) :], skipped + 1
    return text, skipped


def _lines(text: str) -> Iterator[str]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start : end + 1]
        start = end + 1


def refuse(message: str) -> NoReturn:
    """Raise SourceError for what is wrong with a file, and only a person can mend."""
    raise SourceError(message if message.endswith(".") else f"{message}.", permanent=True)
