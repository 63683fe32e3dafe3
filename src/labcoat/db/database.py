"""The engine and its transactions, on SQLite (one process) and PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

Transaction = Connection
"""An open transaction; whoever holds one reads and writes, and never commits."""

DatabaseError = SQLAlchemyError
"""What is raised where the database does not answer, or not in time."""

NOTICES_PUT, CLOCK_OFFSET = "labcoat_notices_put", "labcoat_clock_offset"
"""What a transaction remembers. The connection keeps it for the next one, so each begins by forgetting it."""

_PATIENCE = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
    "options": "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
}
"""How long we wait for a PostgreSQL that hangs, and it for us; what DATABASE_URL itself says of one of these wins.

Slack waits 3 s for an answer, so nobody waits longer for a server that is not there.
"""


class DatabaseUnusableError(Exception):  # says what is wrong with the setting or the server
    """Raised when the address names no database, or nothing answers there; the text never has the password."""


class Database:
    """Opens transactions. `on_notices` is called after a commit that put notices in the outbox."""

    def __init__(self, url: str, *, pool_size: int = 34) -> None:
        self._url = _with_driver(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _engine(self._url, pool_size=pool_size)
        self.on_notices: Callable[[], None] = lambda: None
        # SQLite lets one write at a time, and who waits there polls with growing sleeps, so a busy delivery loop could
        # starve a click for a second. Our own threads queue here instead; busy_timeout is left for other processes.
        self._turn: AbstractContextManager[object] = threading.RLock() if self.is_sqlite else nullcontext()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that may write; it commits at the end and rolls back on any exception."""
        with self._turn, self._engine.begin() as tx:
            tx.info.pop(NOTICES_PUT, None)  # left by a transaction that rolled back
            tx.info.pop(CLOCK_OFFSET, None)
            yield tx
            has_notices = tx.info.pop(NOTICES_PUT, False)
        if has_notices:
            self.on_notices()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that only reads and, on SQLite, waits for nobody."""
        with self._engine.connect().execution_options(labcoat_reading=True) as tx:
            tx.info.pop(CLOCK_OFFSET, None)
            yield tx

    def require_reachable(self) -> None:
        """Connect once; raise DatabaseUnusableError if that does not work."""
        try:
            self._engine.connect().close()
        except OperationalError as error:
            raise DatabaseUnusableError(str(error.orig)) from error

    @property
    def url(self) -> str:
        """The address with its password, for Alembic only."""
        return self._url.render_as_string(hide_password=False)

    @property
    def address(self) -> str:
        """Where it is, without the password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database, None for others and for one in memory."""
        name = self._url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = "it must begin with sqlite:/// or postgresql://"
        raise DatabaseUnusableError(msg) from error
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        msg = f"it must begin with sqlite:/// or postgresql://, not {parsed.drivername}://"
        raise DatabaseUnusableError(msg)
    return parsed


def _engine(url: URL, *, pool_size: int) -> Engine:
    # The connection that was used last is the warmest: its pages are still true, its statements are prepared.
    if url.get_backend_name() != "sqlite":
        patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
        return create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=2.5,
            pool_pre_ping=True,
            pool_use_lifo=True,
            connect_args=patience,
        )
    engine = create_engine(url, pool_size=pool_size, max_overflow=0, pool_use_lifo=True, connect_args={"timeout": 10})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    cursor = connection.cursor()
    # First of all to wait for others: several that open a new file at once all turn it to WAL.
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once with "database is locked" if another wrote
    # in between; taking the write lock at the start waits for busy_timeout instead.
    is_reading = connection.get_execution_options().get("labcoat_reading", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")
