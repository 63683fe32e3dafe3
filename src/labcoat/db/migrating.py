"""Bringing a database to the newest schema, from a checkout or an installed wheel (which has no pyproject.toml)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import labcoat
from labcoat.db.database import Database


def migrate(database: Database) -> None:
    """Bring the database to the newest schema; nothing happens if it is there."""
    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.attributes["url"] = database.url
    command.upgrade(config, "head")


def is_current(database: Database) -> bool:
    """Whether the database is at the newest schema."""
    newest = ScriptDirectory(str(_migrations())).get_current_head()
    with database.reading() as tx:
        return MigrationContext.configure(tx).get_current_revision() == newest


def _migrations() -> Path:
    package = Path(labcoat.__file__).parent
    in_wheel = package / "migrations"
    return in_wheel if in_wheel.is_dir() else package.parents[1] / "migrations"
