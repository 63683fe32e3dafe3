"""What every engine can do, whatever it is: tell the columns of a SELECT, and give its rows."""

import importlib
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock, Timer
from typing import Protocol, cast

from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import Source, files_of


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

    def columns(self, text: str) -> list[Column]:
        """Return the columns of a SELECT, in its order; raise SourceError."""

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what a SELECT gives; raise SourceError, also when it takes too long."""

    def cost(self, text: str) -> str:
        """Return what the engine says that a SELECT will read or cost, "" where it does not tell."""


class _Opener(Protocol):
    def opened(self, source: Source, *, name: str, tables: Collection[str], seconds: float) -> "Opened": ...


Opened = AbstractContextManager[Engine]
"""A source that opens when it is entered and closes again."""

_EXTRAS = {"bigquery", "snowflake", "databricks", "trino", "redshift", "spark", "clickhouse"}
_AGAIN_SECONDS = 1.0
_FOLDER = re.compile(r"(?<![\w.])(?:/[^/\s\"']+)*/(?=[^/\s\"'])")


@contextmanager
def opened(source: Source, *, name: str, tables: Collection[str]) -> Iterator[Engine]:
    """Open a source for one read.

    name: of the source. tables: in lower case, those of its files that will be read.
    Raises SourceError, in words for whoever runs Labcoat, without secrets; also once all is read, if a file changed
    meanwhile: what was read may be half of it, or of two.
    """
    opener, before = _opener(source.engine), _all_states(source, tables)
    try:
        with opener.opened(source, name=name, tables=tables, seconds=source.time_limit_seconds) as engine:
            yield engine
    finally:
        after = _all_states(source, tables)
        changed = next((path for path in {**before, **after} if before.get(path) != after.get(path)), None)
        if changed is not None:
            message = f"{changed.name} changed while it was read. Write new files under another name, then rename them."
            raise SourceError(message, permanent=False)


def _all_states(source: Source, tables: Collection[str]) -> dict[Path, list[tuple[int, int, int] | None]]:
    return {path: _states(path) for path in files_of(source, tables)}


def _states(path: Path) -> list[tuple[int, int, int] | None]:
    """Return what changes when a file does; Spark writes a folder and calls it a Parquet file."""
    return [_state(one) for one in (path, *sorted(path.rglob("*")))]


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _opener(engine: str) -> _Opener:
    # A driver is imported only where a source needs it: most are extras, and large.
    try:
        return cast("_Opener", importlib.import_module(f"labcoat.warehouse.engines.{engine}"))
    except ModuleNotFoundError as error:
        if engine not in _EXTRAS:
            raise
        message = f"The driver for {engine} is not installed. Run: pip install 'labcoat[{engine}]'"
        raise SourceError(message, permanent=True) from error


class TimeLimit:
    """Runs `stop` once the time is over, and again each second until what it stops has ended.

    is_over: tells an error that `stop` caused from any other.
    """

    def __init__(self, seconds: float, stop: "Stop") -> None:
        self.is_over = False
        self._stop = stop
        self._turn = Lock()
        self._is_done = False
        self._timer = self._armed(seconds)

    def __enter__(self) -> "TimeLimit":
        self._timer.start()
        return self

    def _armed(self, seconds: float) -> Timer:
        timer = Timer(seconds, self._end)
        timer.daemon = True
        return timer

    def __exit__(self, *_: object) -> None:
        with self._turn:
            self._is_done = True  # a late stop must not meet the next statement
        self._timer.cancel()

    def _end(self) -> None:
        with self._turn:
            if not self._is_done:
                self.is_over = True
                self._stop()
                # A stop that comes while the engine still plans finds nothing to end.
                self._timer = self._armed(_AGAIN_SECONDS)
                self._timer.start()


class Stop(Protocol):
    """Stops what a connection is doing, from another thread."""

    def __call__(self) -> object: ...


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


def whole(value: object) -> int:
    """Return a driver's number as an int, 0 for none: sums come as decimals from some.

    >>> from decimal import Decimal
    >>> whole(Decimal("3.0")), whole(None)
    (3, 0)
    """
    return 0 if value is None else int(str(value).partition(".")[0])


def require_file(path: Path) -> None:
    """Refuse a file that is not there; it may come back. Spark writes a folder and calls it a Parquet file."""
    if not path.exists():
        message = f"The file {path.name} is not there. Put it back, or correct its path in the metrics file."
        raise SourceError(message, permanent=False)


def without_folders(text: str) -> str:
    """Return an engine's message with files' names, and not where they are.

    >>> without_folders("No such file: /home/ana/shop.parquet")
    'No such file: shop.parquet'
    """
    return _FOLDER.sub("", text)


def without_values(text: str) -> str:
    """Return an engine's message without what it quotes, which may be a person's.

    >>> without_values("Numeric value 'ana@example.org' is not recognized")
    "Numeric value '...' is not recognized"
    """
    return re.sub(r"'.*'|\".*\"", "'...'", text)
