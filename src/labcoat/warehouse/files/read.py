"""Read a table that somebody gave as a file: rows of units into moments, or a few rows as they are.

The engine checks and aggregates; what is wrong is said with the line that a person finds in their own file.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from labcoat.stats.rule import Moments
from labcoat.warehouse import duckdb_source, sql
from labcoat.warehouse.duckdb_source import GIVEN, PLACE, OpenSource
from labcoat.warehouse.engine import ColumnType
from labcoat.warehouse.files import decode
from labcoat.warehouse.files import numbers as styles
from labcoat.warehouse.files.decode import GivenFile, refuse
from labcoat.warehouse.files.numbers import Seen, Style

MOST_VARIANTS = 20
_SHOWN = 40
"""Characters of a cell that are shown when it cannot be read."""
_YES, _NO = "('true', 't', 'yes', 'y', 'ja', 'wahr')", "('false', 'f', 'no', 'n', 'nein', 'falsch')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A column to read as a metric, by its place. is_yes_or_no: every unit has 0 or 1."""

    column: int
    is_yes_or_no: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What rows of units hold.

    first_seen: each variant with the line where it first is. moments: of each metric asked for, by variant.
    """

    first_seen: Mapping[str, str]
    moments: tuple[Mapping[str, Moments], ...]


@contextmanager
def opened(path: Path, *, name: str, seconds: float) -> Iterator["GivenTable"]:
    """Open a file for one read. name: as people know it. seconds: for each step.

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
        ) as source:
            yield GivenTable(file, source)


class GivenTable:
    """A file that is open. columns: their names as written, in order. separator: None for Parquet."""

    def __init__(self, file: GivenFile, source: OpenSource) -> None:
        self._file, self._source = file, source
        self._columns = [column for name, column in source.columns(f"SELECT * FROM {GIVEN}").items() if name != PLACE]
        names = file.header or tuple(column.name for column in self._columns)
        self.columns: tuple[str, ...] = tuple(name.strip() for name in names)
        self.separator = file.separator

    def is_number(self, place: int) -> bool:
        """Whether the column's own type is a number: its text is never in anybody's style."""
        return self._columns[place].type is ColumnType.NUMBER

    def first_rows(self, most: int) -> list[tuple[str, tuple[str, ...]]]:
        """Return at most so many rows, each with its line, every cell as text; blank rows are left out."""
        cells = ", ".join(self._text(place) for place in range(len(self._columns)))
        rows = self._source.rows(f"SELECT {PLACE}, {cells} FROM {self._filled()} ORDER BY {PLACE} LIMIT {most}")
        return [
            (self._file.line(_whole(place)), tuple("" if cell is None else str(cell) for cell in row))
            for place, *row in rows
        ]

    def units(self, *, variant: int, unit: int | None, metrics: Sequence[Asked]) -> Units:
        """Return the moments of a file with a row a unit.

        variant, unit: columns, by place; without a unit every row is one. Raises SourceError for what cannot be
        counted: no variant, no number, a unit twice.
        """
        style = self._style([one.column for one in metrics])
        numbers = [self._number(one.column, style) for one in metrics]
        rows = self._source.rows(
            f"SELECT v, MIN({PLACE}), COUNT(*), "
            + ", ".join(
                f"MIN({PLACE}) FILTER (WHERE m{n} IS NULL OR NOT ISFINITE(m{n})), "
                f"MIN({PLACE}) FILTER (WHERE m{n} NOT IN (0, 1)), "
                f"FAVG(m{n}) FILTER (WHERE ISFINITE(m{n})), VAR_SAMP(m{n}) FILTER (WHERE ISFINITE(m{n}))"
                for n in range(len(metrics))
            )
            + f" FROM (SELECT {PLACE}, {self._text(variant)} AS v, "
            + ", ".join(f"{number} AS m{n}" for n, number in enumerate(numbers))
            + f" FROM {self._filled()}) GROUP BY v ORDER BY 2 LIMIT {MOST_VARIANTS + 1}"
        )
        self._require_variants(variant, rows)
        by_metric = [[row[3 + 4 * n : 7 + 4 * n] for row in rows] for n in range(len(metrics))]
        for one, found in zip(metrics, by_metric, strict=True):
            self._require_numbers(one, found)
        if unit is not None:
            self._require_one_row_a_unit(unit, variant)
        names, counts = [str(row[0]) for row in rows], [_whole(row[2]) for row in rows]
        return Units(
            first_seen={name: self._file.line(_whole(row[1])) for name, row in zip(names, rows, strict=True)},
            moments=tuple(
                {
                    name: _moments(count, mean, variance, is_share=one.is_yes_or_no)
                    for name, count, (_, _, mean, variance) in zip(names, counts, found, strict=True)
                }
                for one, found in zip(metrics, by_metric, strict=True)
            ),
        )

    def _style(self, columns: Sequence[int]) -> Style:
        texts = [self._text(place) for place in columns if self._columns[place].type is ColumnType.TEXT]
        if not texts:
            return Style.POINT
        wanted = (
            styles.certain_pattern(Style.POINT),
            styles.certain_pattern(Style.COMMA),
            styles.two_ways_pattern(Style.POINT),
            styles.two_ways_pattern(Style.COMMA),
        )
        matches = (" OR ".join(_fits(text, pattern) for text in texts) for pattern in wanted)
        firsts = ", ".join(f"MIN({PLACE}) FILTER (WHERE {match})" for match in matches)
        (found,) = self._source.rows(f"SELECT {firsts} FROM {self._filled()}")
        point, comma, grouped_comma, grouped_point = (None if place is None else _whole(place) for place in found)
        seen = Seen(point=point, comma=comma, grouped_comma=grouped_comma, grouped_point=grouped_point)
        if seen.is_mixed:
            lines = " and ".join(self._file.line(place) for place in (point, comma) if place is not None)
            refuse(f"Some numbers have a decimal point, others a decimal comma: see {lines}. Write them in one way")
        unclear = seen.unclear(separator=self.separator)
        if unclear is not None:
            refuse(
                f"A number of {self._file.line(unclear)} can be read as thousands or as decimals. Write numbers "
                "without signs between thousands"
            )
        return seen.style

    def _text(self, place: int) -> str:
        return f"NULLIF(TRIM(CAST({sql.quoted_name(self._columns[place].name)} AS TEXT)), '')"

    def _number(self, place: int, style: Style) -> str:
        column = self._columns[place]
        if column.type in (ColumnType.NUMBER, ColumnType.BOOLEAN):
            return f"CAST({sql.quoted_name(column.name)} AS DOUBLE)"
        if column.type is not ColumnType.TEXT:
            refuse(f"{self.columns[place]} has the type {column.type_name.lower()}, and a metric needs numbers")
        text = self._text(place)
        plain = f"REPLACE(REGEXP_REPLACE({text}, {sql.quoted_text(styles.without_groups(style))}, '', 'g'), ',', '.')"
        return (
            f"CASE WHEN {_fits(text, styles.pattern(style))} THEN TRY_CAST({plain} AS DOUBLE) "
            f"WHEN LOWER({text}) IN {_YES} THEN 1.0 WHEN LOWER({text}) IN {_NO} THEN 0.0 END"
        )

    def _filled(self) -> str:
        """The rows that are not blank: spreadsheets leave rows of empty cells behind."""
        cells = ", ".join(self._text(place) for place in range(len(self._columns)))
        return f"(SELECT * FROM {GIVEN} WHERE COALESCE({cells}) IS NOT NULL)"

    def _require_variants(self, variant: int, rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            refuse(f"{self._file.name} has no rows below its line of column names")
        unnamed = next((row for row in rows if row[0] is None), None)
        name = self.columns[variant]
        if unnamed is not None:
            line, more = self._file.line(_whole(unnamed[1])), _whole(unnamed[2]) - 1
            refuse(f"There is no {name} on {line}{_and_more(more)}. Leave out units that were never assigned")
        if len(rows) > MOST_VARIANTS:
            refuse(f"{name} has more than {MOST_VARIANTS} different values, so it can't be the variant")

    def _require_numbers(self, asked: Asked, found: Sequence[Sequence[object]]) -> None:
        name = self.columns[asked.column]
        bad = [_whole(row[0]) for row in found if row[0] is not None]
        if bad:
            cell, line = self._cell(asked.column, min(bad)), self._file.line(min(bad))
            found_there = f"“{cell}”, which is no number that can be counted with" if cell else "nothing"
            refuse(
                f"In {name}, {line} has {found_there}. Write a number there (0 if it means 0), or leave the unit out "
                "if it does not count"
            )
        other = [_whole(row[1]) for row in found if row[1] is not None]
        if asked.is_yes_or_no and other:
            cell = self._cell(asked.column, min(other))
            refuse(
                f"{name} is yes or no for each unit in the plan, and {self._file.line(min(other))} has “{cell}”. "
                "Write 1 or 0, one row a unit"
            )

    def _cell(self, column: int, place: int) -> str:
        ((cell,),) = self._source.rows(f"SELECT {self._text(column)} FROM {GIVEN} WHERE {PLACE} = {place}")
        return "" if cell is None else " ".join(str(cell).split())[:_SHOWN]

    def _require_one_row_a_unit(self, unit: int, variant: int) -> None:
        ((unnamed, crossed, crossed_at, again_at, repeated, repeated_at, twice_at),) = self._source.rows(
            "SELECT MIN(place) FILTER (WHERE u IS NULL), "
            "COUNT(*) FILTER (WHERE arms > 1), MIN(place) FILTER (WHERE arms > 1), "
            "ARG_MIN(other, place) FILTER (WHERE arms > 1), "
            "COUNT(*) FILTER (WHERE lines > 1), MIN(place) FILTER (WHERE lines > 1), "
            "ARG_MIN(last, place) FILTER (WHERE lines > 1) "
            f"FROM (SELECT u, COUNT(*) AS lines, MIN({PLACE}) AS place, MAX({PLACE}) AS last, "
            f"GREATEST(MIN_BY({PLACE}, v), MAX_BY({PLACE}, v)) AS other, COUNT(DISTINCT v) AS arms "
            f"FROM (SELECT {PLACE}, {self._text(unit)} AS u, {self._text(variant)} AS v FROM {self._filled()}) "
            "GROUP BY u)"
        )
        name = self.columns[unit]
        if unnamed is not None:
            refuse(f"There is no {name} on {self._file.line(_whole(unnamed))}. Name each unit, or leave the row out")
        if crossed_at is not None:
            refuse(
                f"A {name} is in two variants, on {self._file.line(_whole(crossed_at))} and "
                f"{self._file.line(_whole(again_at))}{_and_more(_whole(crossed) - 1)}. Leave such units "
                "out: nobody can say what changed them"
            )
        if repeated_at is not None:
            refuse(
                f"A {name} is there twice, on {self._file.line(_whole(repeated_at))} and "
                f"{self._file.line(_whole(twice_at))}{_and_more(_whole(repeated) - 1)}. Sum up: one row a unit"
            )


def _moments(count: int, mean: object, variance: object, *, is_share: bool) -> Moments:
    average = float(str(mean))
    spread = average * (1 - average) if is_share else float("nan") if variance is None else float(str(variance))
    return Moments(count=count, mean=average, variance=spread)


def _fits(text: str, pattern: str) -> str:
    return f"REGEXP_FULL_MATCH({text}, {sql.quoted_text(pattern)})"


def _and_more(count: int) -> str:
    return f", and {count:,} more" if count > 0 else ""


def _whole(number: object) -> int:
    return int(str(number))
