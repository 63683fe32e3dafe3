"""Text read as numbers, in SQL of DuckDB's dialect: what a column has is looked at first, then each cell is read.

The same for the columns of a file, of a SELECT, and of a Parquet file whose numbers are text.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from labcoat.warehouse import sql
from labcoat.warehouse.engines.engine import whole
from labcoat.warehouse.files import numbers as styles
from labcoat.warehouse.files.numbers import Seen, Style

_YES, _NO = "('true', 't', 'yes', 'y', 'ja', 'wahr')", "('false', 'f', 'no', 'n', 'nein', 'falsch')"
FIGURES = 8
"""Columns of `looked_at`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """How a column's texts are read. style: None where the engine reads them as they are. is_percent: all of them."""

    style: Style | None = None
    is_percent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a column's texts were seen to be. Places are of first cells, None for none.

    odd: no number to the engine. percent, no_percent: with and without that sign. currencies: how many there are.
    """

    odd: int | None
    seen: Seen
    percent: int | None
    no_percent: int | None
    currencies: int


class UnclearNumbersError(Exception):
    """Numbers that can be read in several ways. places: where that is seen, none where it is in the whole column."""

    def __init__(self, template: str, *places: int) -> None:
        super().__init__(template)
        self._template, self.places = template, places

    def said(self, column: str, lines: Sequence[str] = ()) -> str:
        """Return what is wrong and what to do. lines: of the places, as people find them."""
        where = " and ".join(lines)
        return self._template.format(
            column=column[:60], on=f" on {where}" if where else "", see=f": see {where}" if where else ""
        )


_TWO_STYLES = "Some numbers of {column} have a decimal point, others a decimal comma{see}. Write them in one way."
_TWO_WAYS = (
    "A number of {column}{on} can be read as thousands or as decimals. Write 1234 if those are thousands, and 1.2340 "
    "if those are decimals."
)
_CURRENCIES = "There is more than one currency in {column}. Convert the amounts to one."
_PERCENT = "Some numbers of {column} have a percent sign, others none{see}. Write them in one way."


def text_of(column: str) -> str:
    """Return a column's text without outer blanks, NULL for an empty one."""
    return f"NULLIF(TRIM(CAST({column} AS TEXT)), '')"


def looked_at(column: str, *, place: str, is_bare: bool = False) -> str:
    """Return the aggregates of a text column that say how its numbers are written.

    place: what numbers the rows. is_bare: the engine reads all its cells, so that they have no other signs.
    """
    text = text_of(column)
    bare = text if is_bare else _bare(text)
    patterns = (
        styles.certain_pattern(Style.POINT),
        styles.certain_pattern(Style.COMMA),
        styles.two_ways_pattern(Style.POINT),
        styles.two_ways_pattern(Style.COMMA),
    )
    percent = f"REGEXP_MATCHES({text}, {sql.quoted_text(styles.PERCENT_PATTERN)})"
    is_number = f"REGEXP_MATCHES({text}, '[0-9]')"
    conditions = (
        f"{text} IS NOT NULL AND TRY_CAST({text} AS DOUBLE) IS NULL",
        *(_fits(bare, pattern) for pattern in patterns),
        percent,
        f"{is_number} AND NOT {percent}",
    )
    currency = f"REGEXP_EXTRACT({text}, {sql.quoted_text(styles.CURRENCY_PATTERN)})"
    return ", ".join(
        [
            *(f"MIN({place}) FILTER (WHERE {condition})" for condition in conditions),
            f"COUNT(DISTINCT NULLIF({currency}, ''))",
        ]
    )


def like_numbers(column: str) -> str:
    """Return the aggregate that says whether any text is a number in some style."""
    bare = _bare(text_of(column))
    return f"COALESCE(BOOL_OR({' OR '.join(_fits(bare, styles.pattern(style)) for style in Style)}), false)"


def looked(row: Sequence[object]) -> Looked:
    """Return the answer of `looked_at`."""
    odd, point, comma, grouped_comma, grouped_point, percent, no_percent = (
        None if at is None else whole(at) for at in row[: FIGURES - 1]
    )
    return Looked(
        odd=odd,
        seen=Seen(point=point, comma=comma, grouped_comma=grouped_comma, grouped_point=grouped_point),
        percent=percent,
        no_percent=no_percent,
        currencies=whole(row[FIGURES - 1]),
    )


def how(looked: Looked, *, separator: str | None, proved: Collection[Style] = ()) -> Number:
    """Return how a column's texts are read; raise UnclearNumbersError where there is more than one way.

    separator: of the file's columns, None where it has none. proved: the styles of its other columns.
    """
    seen = looked.seen
    if looked.odd is None and separator == ",":
        return Number()
    if seen.point is not None and seen.comma is not None:
        raise UnclearNumbersError(_TWO_STYLES, seen.point, seen.comma)
    unclear = seen.unclear(separator=separator, proved=proved)
    if unclear is not None:
        raise UnclearNumbersError(_TWO_WAYS, unclear)
    if looked.currencies > 1:
        raise UnclearNumbersError(_CURRENCIES)
    if looked.percent is not None and looked.no_percent is not None:
        raise UnclearNumbersError(_PERCENT, looked.percent, looked.no_percent)
    return Number(style=seen.told(proved), is_percent=looked.percent is not None)


def number(column: str, how: Number) -> str:
    """Return a column's numbers as doubles, NULL where a cell is none; yes and no are 1 and 0."""
    if how.style is None:
        return f"TRY_CAST({column} AS DOUBLE)"
    text = text_of(column)
    bare, groups = _bare(text), sql.quoted_text(styles.without_groups(how.style))
    plain = f"TRY_CAST(REPLACE(REGEXP_REPLACE({bare}, {groups}, '', 'g'), ',', '.') AS DOUBLE)"
    return (
        f"CASE WHEN {_fits(bare, styles.pattern(how.style))} THEN {plain}{' / 100' if how.is_percent else ''} "
        f"WHEN LOWER({text}) IN {_YES} THEN 1.0 WHEN LOWER({text}) IN {_NO} THEN 0.0 END"
    )


def _bare(text: str) -> str:
    for wanted, instead in styles.MARKS:
        text = f"REGEXP_REPLACE({text}, {sql.quoted_text(wanted)}, {sql.quoted_text(instead)}, 'g')"
    return text


def _fits(text: str, pattern: str) -> str:
    return f"REGEXP_FULL_MATCH({text}, {sql.quoted_text(pattern)})"
