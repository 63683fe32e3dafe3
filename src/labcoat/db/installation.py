"""What our database says of itself, asked by `labcoat doctor`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from labcoat.db import clock, migrating
from labcoat.db.database import Database
from labcoat.db.outbox import GIVEN_UP
from labcoat.db.tables import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """server: product and version. at: its clock. is_newer: a newer version than this one migrated it.

    given_up: notices that could not be delivered, channels: where hypotheses live, the busiest first; both None
    before it is migrated.
    """

    server: str
    at: datetime
    is_current: bool
    is_newer: bool
    given_up: int | None
    channels: tuple[str, ...] | None


def inspect(database: Database, *, most_channels: int) -> Inspection:
    """Return what it says; raise DatabaseError where it says nothing."""
    found = migrating.revision(database)
    is_current = found == migrating.newest()
    column = schema.hypotheses.c
    busiest = select(column.channel).where(column.ended_at.is_(None)).group_by(column.channel)
    with database.reading() as tx:
        ask = "SELECT sqlite_version()" if database.is_sqlite else "SHOW server_version"
        product = "SQLite" if database.is_sqlite else "PostgreSQL"
        server = f"{product} {tx.execute(text(ask)).scalar_one()}"
        at = clock.lease_now(tx)
        dead = select(func.count()).where(GIVEN_UP)
        return Inspection(
            server=server,
            at=at,
            is_current=is_current,
            is_newer=found is not None and not migrating.is_known(found),
            given_up=tx.execute(dead).scalar_one() if is_current else None,
            channels=tuple(tx.execute(busiest.order_by(func.count().desc()).limit(most_channels)).scalars())
            if is_current
            else None,
        )
