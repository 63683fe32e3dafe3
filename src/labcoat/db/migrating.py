"""Bringing a database to the newest schema, from a checkout or an installed wheel (which has no pyproject.toml)."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

import labcoat
from labcoat.db.database import Database, Transaction

TURN = 0x1ABC0A7
"""The advisory lock of PostgreSQL that whoever migrates holds until its transaction ends."""


def migrate(database: Database) -> None:
    """Bring the database to the newest schema; nothing happens if it is there."""
    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.attributes["url"] = database.url
    command.upgrade(config, "head")


def take_turn(tx: Transaction) -> None:
    """Wait until nobody else migrates, and keep others waiting until the transaction ends, however long it takes.

    Replicas that start together all migrate: the first does it, the others find it done. On SQLite a transaction that
    writes has its turn already.
    """
    if tx.dialect.name == "postgresql":
        for timeout in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            tx.execute(text(f"SET LOCAL {timeout} = 0"))
        tx.execute(select(func.pg_advisory_xact_lock(TURN)))


def wait_for_others(database: Database) -> None:
    """Return when nobody migrates: what reads the schema after this sees all of a migration."""
    with database.writing() as tx:
        take_turn(tx)


@cache
def newest() -> str | None:
    """Return the revision of this version's schema."""
    return ScriptDirectory(str(_migrations())).get_current_head()


def revision(database: Database) -> str | None:
    """Return the revision that the database is at, None for an empty one."""
    with database.reading() as tx:
        return MigrationContext.configure(tx).get_current_revision()


def is_known(found: str) -> bool:
    """Whether this version has the migration; not so where a newer version migrated the database."""
    return found in {script.revision for script in ScriptDirectory(str(_migrations())).walk_revisions()}


def is_current(database: Database) -> bool:
    """Whether the database is at the newest schema."""
    return revision(database) == newest()


def _migrations() -> Path:
    package = Path(labcoat.__file__).parent
    in_wheel = package / "migrations"
    return in_wheel if in_wheel.is_dir() else package.parents[1] / "migrations"
