"""A file of the metrics file's `tables`, read by the one reader and loaded as a table with typed columns.

A column gets a type only where no cell loses anything by it: 007 and a number of 20 digits stay text, as do $5, 5 %
and every time that is not written as 2026-11-05 09:30:00. What stays text is read where a field of the metrics file
needs it as a number or a time.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from labcoat.warehouse import sql
from labcoat.warehouse.engines import duckdb_connection
from labcoat.warehouse.engines.duckdb_connection import Connection, ConversionError, OpenSource
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import numbers as styles
from labcoat.warehouse.files import read, text_numbers
from labcoat.warehouse.files.decode import GivenFile
from labcoat.warehouse.files.numbers import Style
from labcoat.warehouse.files.read import PLACE, GivenTable
from labcoat.warehouse.files.text_numbers import Number
from labcoat.warehouse.files.totals import TOTALS

_MOST_SIGNS = 16
"""Digits and a point that a double always tells from others."""
_SAMPLE = 1000
"""Rows that show which types are worth trying: to fail on a million cells is slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTable:
    """A file that is a table now.

    file: its name. numbers: how its columns of text are read as numbers, or why they can't be, by the column's name.
    empty: columns that have no cell, so that they could have any type. left_out: parts of the file.
    """

    file: str
    numbers: Mapping[str, Number | SourceError]
    empty: frozenset[str]
    left_out: tuple[str, ...]


class _Type(StrEnum):
    """A type that a column of text may get."""

    WHOLE = "BIGINT"
    REAL = "DOUBLE"
    DAY = "DATE"
    TIME = "TIMESTAMP"
    INSTANT = "TIMESTAMPTZ"
    FLAG = "BOOLEAN"


_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = f"{_DAY}[ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,6}})?)?"
_KEEPS: Mapping[_Type, str] = {
    _Type.WHOLE: "0|-?[1-9][0-9]{0,17}",
    _Type.REAL: "[+-]?((0|[1-9][0-9]{0,14})([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?",
    _Type.DAY: _DAY,
    _Type.TIME: _TIME,
    _Type.INSTANT: f"{_TIME} ?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)",
    _Type.FLAG: "(?i:true|false)",
}
"""The cells that lose nothing by a type, if they are of it: there is no 30 February."""
_MAY_BE_NONE = (_Type.DAY, _Type.TIME, _Type.INSTANT)
_NAMES = "[+-]?0[0-9].*|.*[0-9]{16}.*"
"""Digits that may be somebody's name, in a column that is read as numbers otherwise."""


def load(connection: Connection, file: GivenFile, *, table: str, seconds: float) -> LoadedTable:
    """Make a file of text the table of this name; raise SourceError. seconds: for each step."""
    with duckdb_connection.time_limit(connection, seconds=seconds):
        read.load(connection, file)
    given = GivenTable(file, OpenSource(connection, seconds, (file.path,)))
    rows = _without_total(given)
    names, columns = _names(given.columns), _Columns(given, rows)
    try:
        columns.write(connection, table, names, seconds=seconds)
    except ConversionError:  # 30 February
        columns = _Columns(given, rows, has_odd_days=True)
        columns.write(connection, table, names, seconds=seconds)
    read.unload(connection)
    numbers = {
        names[place]: how.of_file(file.name) if isinstance(how, SourceError) else how
        for place, how in columns.numbers.items()
    }
    return LoadedTable(
        file=file.name,
        numbers=numbers,
        empty=frozenset(names[place] for place in columns.empty),
        left_out=tuple(given.left_out),
    )


def _without_total(given: GivenTable) -> str:
    """Return the rows without blank ones, and without a last one that sums up the others."""
    rows, last = given.filled, given.last_row()
    if last is None:
        return rows
    place, cells = last
    first, name = next((column, cell.casefold()) for column, cell in enumerate(cells) if cell)
    if name not in TOTALS or not place:
        return rows
    same = f"LOWER({given.text(first)}) = {sql.quoted_text(name)}"
    if given.rows(f"SELECT 1 FROM {rows} WHERE {PLACE} <> {place} AND {same} LIMIT 1"):
        return rows
    given.left_out.append(f"the row of totals on {given.line(place)}")
    return f"(SELECT * FROM {rows} WHERE {PLACE} <> {place})"


def _names(header: Sequence[str]) -> list[str]:
    """Return what the columns are called in SQL: those of one name get numbers, so that none is taken for another.

    A column with a name of its own keeps it, whatever the numbers of others would make.

    >>> _names(("id", "amount", "amount", "Id", "", "amount_1"))
    ['id', 'amount_2', 'amount_3', 'Id_1', 'column4', 'amount_1']
    """
    counts, first = Counter(header), dict[str, str]()
    for name in header:
        first.setdefault(name.casefold(), name)
    own = {name for name in first.values() if name and counts[name] == 1}
    taken, names = {name.casefold() for name in own}, list[str]()
    for place, name in enumerate(header):
        wanted = name or f"column{place}"
        if name not in own and ((name and counts[name] > 1) or wanted.casefold() in taken):
            wanted = _numbered(wanted, taken)
        names.append(wanted)
        taken.add(wanted.casefold())
    return names


def _numbered(name: str, taken: Collection[str]) -> str:
    number = 1
    while f"{name}_{number}".casefold() in taken:
        number += 1
    return f"{name}_{number}"


class _Columns:
    """The columns of a file, each with the type that loses nothing."""

    def __init__(self, given: GivenTable, rows: str, *, has_odd_days: bool = False) -> None:
        """has_odd_days: some cells look like a time and are none, so that each is tried."""
        self._given, self._rows, self._has_odd_days = given, rows, has_odd_days
        self._places = range(len(given.columns))
        self.numbers: dict[int, Number | SourceError] = {}
        self.empty: list[int] = []

    def write(self, connection: Connection, table: str, names: Sequence[str], *, seconds: float) -> None:
        """Write the rows to a table; raise ConversionError where a cell only looks like a time."""
        cells = ", ".join(f"{cell} AS {sql.quoted_name(name)}" for cell, name in zip(self._typed(), names, strict=True))
        text = f"CREATE TEMP TABLE {sql.quoted_name(table)} AS SELECT {cells} FROM {self._rows}"
        with duckdb_connection.time_limit(connection, seconds=seconds), duckdb_connection.conversion_errors():
            connection.execute(text)

    def _typed(self) -> list[str]:
        """Return the expression of each column."""
        tried, number_like = self._worth_trying()
        found = self._kept(tried)
        for place in self._merged({place: Number() for place, type_ in found.items() if type_ is _Type.REAL}):
            del found[place]
        texts = [place for place in number_like if place not in found]
        self.numbers = self._given.how(texts, rows=self._rows)
        plain = self._plain_numbers()
        merged = self._merged({place: Number(style=style) for place, style in plain.items()})
        return [
            self._expression(place, found.get(place), is_number=place in plain and place not in merged)
            for place in self._places
        ]

    def _expression(self, place: int, type_: _Type | None, *, is_number: bool) -> str:
        if type_ is not None:
            cell = self._given.raw(place)
            # Blanks are nothing; only then a cell that has been looked at is none of its type.
            return f"CAST({cell} AS {type_})" if type_ in _MAY_BE_NONE else f"TRY_CAST({cell} AS {type_})"
        how = self.numbers.get(place)
        if is_number and isinstance(how, Number):
            del self.numbers[place]
            return text_numbers.number(self._given.raw(place), how)
        return self._given.raw(place)

    def _worth_trying(self) -> tuple[dict[int, list[_Type]], list[int]]:
        """Return the types that the first rows fit, and the columns that may be numbers in some style."""
        types = [one for one in _Type if one is not _Type.REAL or self._given.separator == ","]
        wanted = ", ".join(
            ", ".join(
                [
                    *(self._lost(place, type_) for type_ in types),
                    f"COUNT({self._given.text(place)}), {text_numbers.like_numbers(self._given.raw(place))}",
                ]
            )
            for place in self._places
        )
        (found,) = self._given.rows(f"SELECT {wanted} FROM {self._rows} WHERE {PLACE} < {_SAMPLE}")
        width = len(types) + 2
        parts = [found[width * place : width * (place + 1)] for place in self._places]
        tried = {
            place: [type_ for type_, lost in zip(types, part, strict=False) if lost == 0]
            for place, part in enumerate(parts)
        }
        return tried, [place for place, part in enumerate(parts) if part[-1] or not part[-2]]

    def _kept(self, tried: Mapping[int, Sequence[_Type]]) -> dict[int, _Type]:
        """Return the first type of those tried that no cell of a column loses anything by."""
        found: dict[int, _Type] = {}
        left = {place: list(types) for place, types in tried.items() if types}
        while left:
            wanted = ", ".join(
                f"{self._lost(place, types[0])}, COUNT(NULLIF({self._given.raw(place)}, ''))"
                for place, types in left.items()
            )
            (counts,) = self._given.rows(f"SELECT {wanted} FROM {self._rows}")
            for n, place in enumerate(list(left)):
                lost, filled = counts[2 * n : 2 * n + 2]
                if not lost and filled:
                    found[place] = left[place][0]
                elif not filled:
                    self.empty.append(place)
                left[place] = left[place][1:] if lost else []
            left = {place: types for place, types in left.items() if types}
        return found

    def _lost(self, place: int, type_: _Type) -> str:
        """Return how many cells would lose something; blank ones have nothing."""
        cell = self._given.raw(place)
        keeps = _matches(cell, f" *({_KEEPS[type_]})? *")
        if type_ in _MAY_BE_NONE and self._has_odd_days:
            keeps = f"{cell} IS NULL OR {keeps} AND TRY_CAST({cell} AS {type_}) IS NOT NULL"
        return f"COUNT(*) FILTER (WHERE NOT ({keeps}))"

    def _merged(self, numbers: Mapping[int, Number]) -> Collection[int]:
        """Return the columns in which cells that differ are one number, as 1.1 and 1.10. numbers: all to look at."""
        for is_one in (_may_merge, _is_rewritten, _merges):  # from the quickest to the one that is always right
            if numbers:
                wanted = ", ".join(is_one(self._given.raw(place), how) for place, how in numbers.items())
                (answer,) = self._given.rows(f"SELECT {wanted} FROM {self._rows}")
                numbers = {place: how for (place, how), one in zip(numbers.items(), answer, strict=True) if one}
        return numbers.keys()

    def _plain_numbers(self) -> Mapping[int, Style]:
        """Return the columns whose cells are all numbers of one style, with no sign beside, each with its style."""
        styled = {
            place: how.style
            for place, how in self.numbers.items()
            if isinstance(how, Number) and how.style is not None and not how.is_percent
        }
        if not styled:
            return {}
        wanted = ", ".join(self._others(place, style) for place, style in styled.items())
        (counts,) = self._given.rows(f"SELECT {wanted} FROM {self._rows}")
        return {place: style for (place, style), count in zip(styled.items(), counts, strict=True) if not count}

    def _others(self, place: int, style: Style) -> str:
        text = self._given.text(place)
        is_plain = f"{_matches(text, styles.pattern(style))} AND NOT {_matches(text, _NAMES)}"
        return f"COUNT(*) FILTER (WHERE {text} IS NOT NULL AND NOT ({is_plain}))"


def _may_merge(cell: str, how: Number) -> str:
    """Return the aggregate that is false where all are plain digits that a double holds, with as many decimals."""
    sign = how.style or Style.POINT
    point = f"STRPOS({cell}, '{sign}')"
    decimals = f"CASE WHEN {point} = 0 THEN 0 ELSE LENGTH({cell}) - {point} END"
    odd = f"LENGTH({cell}) > {_MOST_SIGNS} OR {point} = 1 OR {cell} LIKE '-{sign}%' OR {cell} LIKE '%{sign}' OR "
    if how.style is None:
        odd += " OR ".join(f"CONTAINS({cell}, '{one}')" for one in "eE+ ")
    else:
        odd += f"REGEXP_MATCHES({cell}, '[^0-9{sign}-]')"
    return f"COALESCE(BOOL_OR({odd}) OR MIN({decimals}) <> MAX({decimals}), false)"


def _is_rewritten(cell: str, how: Number) -> str:
    """Return the aggregate that is false where every cell is the shortest text of its number."""
    return f"COALESCE(BOOL_OR(CAST({text_numbers.number(cell, how)} AS TEXT) <> {cell}), false)"


def _merges(cell: str, how: Number) -> str:
    """Return the aggregate that says whether fewer numbers are there than cells that differ."""
    return f"COUNT(DISTINCT {text_numbers.text_of(cell)}) <> COUNT(DISTINCT {text_numbers.number(cell, how)})"


def _matches(text: str, pattern: str) -> str:
    return f"REGEXP_FULL_MATCH({text}, {sql.quoted_text(pattern)})"
