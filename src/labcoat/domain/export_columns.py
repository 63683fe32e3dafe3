"""What a sheet of an export is made of: columns, and how a row's values are found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

Value = str | int | float | bool | datetime | None
Row = tuple[Value, ...]
FactsT = TypeVar("FactsT")

_BEGINS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_BETWEEN = " | "


class Cell(StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    TIME = "time"  # UTC


@dataclass(frozen=True)  # without slots: Generic writes to what it makes
class Column(Generic[FactsT]):
    """A column of a sheet, and how its value is found."""

    name: str
    cell: Cell
    value: Callable[[FactsT], Value]


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes before what would begin one.

    >>> harmless("=HYPERLINK(1)"), harmless("-5 %"), harmless("5 - 3")
    ("'=HYPERLINK(1)", "'-5 %", '5 - 3')
    """
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def joined(parts: Iterator[str]) -> str | None:
    """Return several texts in one cell, None for none."""
    return _BETWEEN.join(" ".join(part.split()) for part in parts) or None


def identifier(kind: str, number: int | None) -> str | None:
    """Return an id as people type it, as "H-12"."""
    return None if number is None else f"{kind}-{number}"


def row(columns: Sequence[Column[FactsT]], facts: FactsT) -> Row:
    """Return one row; texts are harmless in a spreadsheet, and an empty one is nothing."""
    values = (column.value(facts) for column in columns)
    return tuple((harmless(value) or None) if isinstance(value, str) else value for value in values)
