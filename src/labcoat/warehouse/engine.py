"""What every engine can do, whatever it is: tell the columns of a SELECT, and give its rows."""

import importlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock, Timer
from typing import Protocol, cast

from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import Source


class ColumnType(StrEnum):
    """What a column holds, as far as we care."""

    NUMBER = "number"
    BOOLEAN = "true or false"
    TEXT = "text"
    TIME = "time"
    OTHER = "other"
    UNKNOWN = "unknown"  # the engine does not tell; it will complain itself


@dataclass(frozen=True, slots=True)
class Column:
    """One column. name: as the engine spells it. type_name: the engine's own word for its type."""

    name: str
    type: ColumnType
    type_name: str


class Engine(Protocol):
    """A source that is open for one read."""

    def columns(self, text: str) -> dict[str, Column]:
        """Return the columns of a SELECT by their names in lower case; raise SourceError."""

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what a SELECT gives; raise SourceError, also when it takes too long."""

    def cost(self, text: str) -> str:
        """Return what the engine says that a SELECT will read or cost, "" where it does not tell."""


class _Opener(Protocol):
    def opened(self, source: Source, *, name: str, tables: Collection[str], seconds: float) -> "Opened": ...


Opened = AbstractContextManager[Engine]
"""A source that opens when it is entered and closes again."""

_EXTRAS = {"bigquery", "snowflake", "databricks", "trino", "redshift", "spark", "clickhouse"}


@contextmanager
def opened(source: Source, *, name: str, tables: Collection[str]) -> Iterator[Engine]:
    """Open a source for one read.

    name: of the source. tables: in lower case, those of its files that will be read.
    Raises SourceError, in words for whoever runs Labcoat, without secrets.
    """
    with _opener(source.engine).opened(source, name=name, tables=tables, seconds=source.time_limit_seconds) as engine:
        yield engine


def _opener(engine: str) -> _Opener:
    # A driver is imported only where a source needs it: most are extras, and large.
    try:
        return cast("_Opener", importlib.import_module(f"labcoat.warehouse.{engine}_source"))
    except ModuleNotFoundError as error:
        if engine not in _EXTRAS:
            raise
        message = f"The driver for {engine} is not installed. Run: pip install 'labcoat[{engine}]'"
        raise SourceError(message, permanent=True) from error


class TimeLimit:
    """Runs `stop` once the time is over; `is_over` tells an error that it caused from any other."""

    def __init__(self, seconds: float, stop: "Stop") -> None:
        self.is_over = False
        self._stop = stop
        self._turn = Lock()
        self._is_done = False
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> "TimeLimit":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._turn:
            self._is_done = True  # a late stop must not meet the next statement

    def _end(self) -> None:
        with self._turn:
            if not self._is_done:
                self.is_over = True
                self._stop()


class Stop(Protocol):
    """Stops what a connection is doing, from another thread."""

    def __call__(self) -> None: ...


def too_slow(seconds: float) -> SourceError:
    """Return the error for a statement that took too long."""
    message = (
        f"The SQL took longer than {seconds:g} seconds. Prepare a smaller table for it, or raise time_limit_seconds."
    )
    return SourceError(message, permanent=False)


def typed(type_name: str, types: Mapping[ColumnType, tuple[str, ...]]) -> ColumnType:
    """Return what a type's name stands for: the first kind that has a beginning of it, in upper case."""
    name = type_name.upper()
    return next((kind for kind, starts in types.items() if name.startswith(starts)), ColumnType.OTHER)
