"""What the engines have in common whose drivers follow Python's DB-API."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError

GRACE_SECONDS = 10
"""How long after the server's own time limit we stop waiting for it."""


class Cursor(Protocol):
    """What we use of a driver's cursor."""

    @property
    def description(self) -> Sequence[Sequence[object]] | None:
        """Name, type and more of each column."""

    def execute(self, operation: str, /) -> object:
        """Run a statement."""

    def fetchall(self) -> Sequence[Sequence[object]]:
        """Return its rows."""

    def close(self) -> object:
        """Forget it."""


class Connection(Protocol):
    """What we use of a driver's connection."""

    def close(self) -> object:
        """End it."""


AnyConnection = TypeVar("AnyConnection", bound=Connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """How a driver differs from the next.

    types: of columns, by the beginning of a type's name. type_name: of a column's type in the cursor's description.
    errors: the base of what it raises, and what of Python's own. words: of an error, as the server said it.
    too_slow: in the words of a statement over its time. names_only: in words that quote names of tables and columns.
    stop: ends what a cursor does, from another thread.
    """

    types: Mapping[ColumnType, tuple[str, ...]]
    type_name: Callable[[object], str]
    errors: tuple[type[Exception], ...]
    words: Callable[[Exception], str]
    too_slow: tuple[str, ...]
    names_only: tuple[str, ...]
    stop: Callable[[Cursor], object]

    def source_error(self, error: Exception) -> SourceError:
        """Return what to say of an error; most quote a value, which may be a person's."""
        said = " ".join(self.words(error).split())
        if not any(word in said for word in self.names_only):
            said = engine.without_values(said)
        return SourceError(f"The database says: {said[:300]}", permanent=not isinstance(error, OSError))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConnection:
    """A connection that reads; its server stops a statement after so many seconds."""

    cursor: Callable[[], Cursor]
    driver: Driver
    seconds: float

    def columns(self, text: str) -> list[Column]:
        """Return each column, as the engine spells it."""
        with self._run(text) as cursor:
            cursor.fetchall()  # Trino knows the columns only then
            found = [(str(one[0]), self.driver.type_name(one[1])) for one in cursor.description or ()]
        return [Column(name, engine.typed(type_, self.driver.types), type_) for name, type_ in found]

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives."""
        with self._run(text) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def cost(self, text: str) -> str:  # noqa: ARG002
        """Return nothing: these engines tell a plan, not what it takes."""
        return ""

    @contextmanager
    def _run(self, text: str) -> Iterator[Cursor]:
        cursor = self.cursor()
        with engine.TimeLimit(self.seconds + GRACE_SECONDS, lambda: self.driver.stop(cursor)) as limit:
            try:
                cursor.execute(text)
                yield cursor
                cursor.close()
            except self.driver.errors as error:
                if limit.is_over or any(word in self.driver.words(error) for word in self.driver.too_slow):
                    raise engine.too_slow(self.seconds) from None
                raise self.driver.source_error(error) from None


@contextmanager
def connected(
    connect: Callable[[], AnyConnection], *, name: str, errors: tuple[type[Exception], ...]
) -> Iterator[AnyConnection]:
    """Yield what `connect` gives, and close it; say that it can't be reached where it raises.

    name: of the source. The driver's own message is dropped: it may quote the address or the password.
    """
    try:
        connection = connect()
    except errors:
        message = f"The database of {name} can't be reached, or refuses the user. Check its source in the metrics file."
        raise SourceError(message, permanent=False) from None
    try:
        yield connection
    finally:
        connection.close()
