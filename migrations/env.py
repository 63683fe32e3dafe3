"""Alembic's environment: the URL comes from `labcoat migrate`, or from DATABASE_URL when Alembic is called by hand."""

import os
from typing import Literal

from alembic import context

from labcoat.db import migrating
from labcoat.db.database import Database
from labcoat.db.tables.schema import metadata
from labcoat.db.types import Json, UTCDateTime, Word


def _plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Render our column types as the plain ones they store, so that an old migration never needs today's code."""
    plain = {UTCDateTime: "sa.DateTime(timezone=True)", Word: "sa.String(length=40)", Json: "sa.JSON()"}
    return plain.get(type(item), False) if kind == "type" else False


def run() -> None:
    """Run the migrations in one transaction."""
    url = context.config.attributes.get("url") or os.environ.get("DATABASE_URL", "sqlite:///labcoat.db")
    database = Database(url)
    with database.writing() as tx:
        migrating.take_turn(tx)
        context.configure(connection=tx, target_metadata=metadata, render_as_batch=True, render_item=_plain_type)
        context.run_migrations()
    database.dispose()


run()
