"""Read a table that somebody gave as a file: opened once, its cells as text, its columns as numbers.

The engine checks and aggregates; what is wrong is said with the line that a person finds in their own file.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from labcoat.warehouse import duckdb_source, sql
from labcoat.warehouse.duckdb_source import GIVEN, PLACE, OpenSource
from labcoat.warehouse.engine import ColumnType
from labcoat.warehouse.files import decode
from labcoat.warehouse.files import numbers as styles
from labcoat.warehouse.files.decode import GivenFile, refuse
from labcoat.warehouse.files.numbers import Seen, Style

_SHOWN = 40
"""Characters of a cell that are shown when it cannot be read."""
_YES, _NO = "('true', 't', 'yes', 'y', 'ja', 'wahr')", "('false', 'f', 'no', 'n', 'nein', 'falsch')"
_SEEN = 7
"""Columns of a query that say how a column's numbers are written."""


@contextmanager
def opened(path: Path, *, name: str, seconds: float, threads: int = 1) -> Iterator["GivenTable"]:
    """Open a file for one read. name: as people know it. seconds: for each step. threads: of the engine.

    Raises SourceError, its message for the person who gave the file.
    """
    with TemporaryDirectory(prefix="labcoat-given-") as folder:
        file = decode.look_at(path, name=name, folder=Path(folder))
        with duckdb_source.opened_given(
            file.path,
            name=name,
            separator=file.separator,
            width=len(file.header),
            skipped=file.skipped_lines,
            seconds=seconds,
            threads=threads,
        ) as source:
            yield GivenTable(file, source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """How a column's numbers are read. style: None where the engine reads them as they are."""

    style: Style | None
    is_percent: bool = False


class GivenTable:
    """A file that is open.

    columns: their names without outer blanks, in order. separator: None for Parquet. left_out, notes: what people
    are told of the reading.
    """

    def __init__(self, file: GivenFile, source: OpenSource) -> None:
        self._file, self._source = file, source
        self._columns = [column for column in source.columns(f"SELECT * FROM {GIVEN}") if column.name != PLACE]
        names = file.header or tuple(column.name for column in self._columns)
        self.columns: tuple[str, ...] = tuple(name.strip() for name in names)
        self.name, self.separator = file.name, file.separator
        self.left_out: list[str] = []
        self.notes: list[str] = []
        if file.titles:
            self.left_out.append(f"what stands above the names of the columns (“{file.titles[0][:_SHOWN]}”)")

    def line(self, place: int) -> str:
        """Return how a person finds a row again."""
        return self._file.line(place)

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what a SELECT gives."""
        return self._source.rows(text)

    def is_number(self, place: int) -> bool:
        """Whether the column's own type is a number: its text is never in anybody's style."""
        return self._columns[place].type is ColumnType.NUMBER

    def first_rows(self, most: int) -> list[tuple[str, tuple[str, ...]]]:
        """Return at most so many rows, each with its line, every cell as text; blank rows are left out."""
        cells = ", ".join(self.text(place) for place in range(len(self._columns)))
        rows = self.rows(f"SELECT {PLACE}, {cells} FROM {self.filled} ORDER BY {PLACE} LIMIT {most}")
        return [
            (self.line(whole(place)), tuple("" if cell is None else str(cell) for cell in row)) for place, *row in rows
        ]

    def last_row(self) -> tuple[int, tuple[str, ...]] | None:
        """Return the last row that is not blank, with its place; None if there are no rows."""
        cells = ", ".join(self.text(place) for place in range(len(self._columns)))
        (top,) = self.rows(f"SELECT MAX({PLACE}) FROM {self.filled}")
        if top[0] is None:
            return None
        ((place, *row),) = self.rows(f"SELECT {PLACE}, {cells} FROM {GIVEN} WHERE {PLACE} = {top[0]}")
        return whole(place), tuple("" if cell is None else str(cell) for cell in row)

    def text(self, place: int) -> str:
        """Return the expression of a column's text, NULL for an empty one."""
        return f"NULLIF(TRIM(CAST({self._raw(place)} AS TEXT)), '')"

    def cell(self, column: int, place: int) -> str:
        """Return a cell as it is shown when it cannot be read."""
        ((cell,),) = self.rows(f"SELECT {self.text(column)} FROM {GIVEN} WHERE {PLACE} = {place}")
        return "" if cell is None else " ".join(str(cell).split())[:_SHOWN]

    @cached_property
    def filled(self) -> str:
        """The rows that are not blank: spreadsheets leave rows of empty cells behind."""
        blank = " AND ".join(f"{self.text(place)} IS NULL" for place in range(len(self._columns)))
        ((first,),) = self.rows(f"SELECT MIN({PLACE}) FROM {GIVEN} WHERE {blank}")
        if first is None:
            return GIVEN
        cells = ", ".join(self.text(place) for place in range(len(self._columns)))
        return f"(SELECT * FROM {GIVEN} WHERE COALESCE({cells}) IS NOT NULL)"

    def numbers(self, columns: Sequence[int], *, rows: str) -> list[str]:
        """Return the expression of each column's numbers, NULL where there is none.

        rows: the table to look at. Raises SourceError for a column whose numbers can be read in two ways.
        """
        distinct = sorted(set(columns))
        texts = [place for place in distinct if self._columns[place].type is ColumnType.TEXT]
        plain = self._plain(texts, rows)
        looked = [place for place in texts if place not in plain or self.separator != ","]
        found = dict.fromkeys(distinct, Number(style=None)) | self._written(looked, plain, rows)
        return [self._number(place, found[place]) for place in columns]

    def _raw(self, place: int) -> str:
        return sql.quoted_name(self._columns[place].name)

    def _plain(self, columns: Sequence[int], rows: str) -> set[int]:
        """Return the columns that the engine reads as numbers as they stand."""
        if not columns:
            return set()
        odd = ", ".join(
            f"MIN({PLACE}) FILTER (WHERE TRY_CAST({self._raw(place)} AS DOUBLE) IS NULL AND {self.text(place)} "
            "IS NOT NULL)"
            for place in columns
        )
        (found,) = self.rows(f"SELECT {odd} FROM {rows}")
        return {place for place, first in zip(columns, found, strict=True) if first is None}

    def _written(self, columns: Sequence[int], plain: set[int], rows: str) -> dict[int, Number]:
        if not columns:
            return {}
        bared = ", ".join(
            f"{self.text(place)} AS t{place}, {self._bare(place, is_plain=place in plain)} AS b{place}"
            for place in columns
        )
        wanted = ", ".join(self._seen(place) for place in columns)
        (found,) = self.rows(f"SELECT {wanted} FROM (SELECT {PLACE}, {bared} FROM {rows})")
        parts = [found[_SEEN * n : _SEEN * (n + 1)] for n in range(len(columns))]
        seen = {
            place: Seen(
                **dict(
                    zip(
                        ("point", "comma", "grouped_comma", "grouped_point"),
                        (None if at is None else whole(at) for at in part[:4]),
                        strict=True,
                    )
                )
            )
            for place, part in zip(columns, parts, strict=True)
        }
        proved = {one.style for one in seen.values() if one.is_proved}
        return {
            place: Number(style=self._style(place, seen[place], proved), is_percent=self._is_percent(place, part[4:]))
            for place, part in zip(columns, parts, strict=True)
        }

    def _seen(self, place: int) -> str:
        patterns = (
            styles.certain_pattern(Style.POINT),
            styles.certain_pattern(Style.COMMA),
            styles.two_ways_pattern(Style.POINT),
            styles.two_ways_pattern(Style.COMMA),
        )
        parts = [f"MIN({PLACE}) FILTER (WHERE {_fits(f'b{place}', pattern)})" for pattern in patterns]
        percent = f"REGEXP_MATCHES(t{place}, {sql.quoted_text(styles.PERCENT_PATTERN)})"
        currency = f"REGEXP_EXTRACT(t{place}, {sql.quoted_text(styles.CURRENCY_PATTERN)})"
        parts.append(f"MIN({PLACE}) FILTER (WHERE {percent})")
        parts.append(f"MIN({PLACE}) FILTER (WHERE NOT {percent})")
        parts.append(f"COUNT(DISTINCT NULLIF({currency}, ''))")
        return ", ".join(parts)

    def _style(self, place: int, seen: Seen, proved: set[Style]) -> Style:
        if seen.point is not None and seen.comma is not None:
            lines = f"{self.line(seen.point)} and {self.line(seen.comma)}"
            refuse(
                f"Some numbers of {self.columns[place]} have a decimal point, others a decimal comma: see {lines}. "
                "Write them in one way"
            )
        unclear = seen.unclear(separator=self.separator, proved=proved)
        if unclear is not None:
            refuse(
                f"A number of {self.columns[place]} on {self.line(unclear)} can be read as thousands or as decimals. "
                "Write 1234 if those are thousands, and 1.2340 if those are decimals"
            )
        return seen.told(proved)

    def _is_percent(self, place: int, found: Sequence[object]) -> bool:
        with_sign, without, currencies = found
        if whole(currencies) > 1:
            refuse(f"There is more than one currency in {self.columns[place]}. Convert the amounts to one")
        if with_sign is not None and without is not None:
            lines = f"{self.line(whole(with_sign))} and {self.line(whole(without))}"
            refuse(
                f"Some numbers of {self.columns[place]} have a percent sign, others none: see {lines}. "
                "Write them in one way"
            )
        return with_sign is not None

    def _bare(self, place: int, *, is_plain: bool) -> str:
        text = self.text(place)
        if is_plain:
            return text
        for wanted, instead in styles.MARKS:
            text = f"REGEXP_REPLACE({text}, {sql.quoted_text(wanted)}, {sql.quoted_text(instead)}, 'g')"
        return text

    def _number(self, place: int, number: Number) -> str:
        column = self._columns[place]
        if column.type in (ColumnType.NUMBER, ColumnType.BOOLEAN):
            return f"CAST({self._raw(place)} AS DOUBLE)"
        if column.type is not ColumnType.TEXT:
            refuse(f"{self.columns[place]} has the type {column.type_name.lower()}, and a metric needs numbers")
        if number.style is None:
            return f"TRY_CAST({self._raw(place)} AS DOUBLE)"
        bare = self._bare(place, is_plain=False)
        groups = sql.quoted_text(styles.without_groups(number.style))
        plain = f"TRY_CAST(REPLACE(REGEXP_REPLACE({bare}, {groups}, '', 'g'), ',', '.') AS DOUBLE)"
        fits, word = _fits(bare, styles.pattern(number.style)), f"LOWER({self.text(place)})"
        return (
            f"CASE WHEN {fits} THEN {plain}{' / 100' if number.is_percent else ''} "
            f"WHEN {word} IN {_YES} THEN 1.0 WHEN {word} IN {_NO} THEN 0.0 END"
        )


def whole(number: object) -> int:
    """Return a count or a place of the engine as an int."""
    return int(str(number))


def _fits(text: str, pattern: str) -> str:
    return f"REGEXP_FULL_MATCH({text}, {sql.quoted_text(pattern)})"
