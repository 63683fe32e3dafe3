"""Business time: the wall clock plus an offset that only `labcoat demo` ever moves."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, select, update

from labcoat.db.database import CLOCK_OFFSET, Transaction
from labcoat.db.tables import schema

SERVER_STAMP: ColumnElement[datetime] = func.clock_timestamp()
_OFFSET = select(schema.clock.c.offset_seconds)


def machine_now() -> datetime:
    """Return the wall clock, which leases and retries are measured by and nothing moves."""
    return datetime.now(UTC)


def lease_now(tx: Transaction) -> datetime:
    """Return machine time as all replicas agree on it: by the database's clock on PostgreSQL, by ours on SQLite."""
    stamp = lease_stamp(tx)
    return stamp if isinstance(stamp, datetime) else tx.execute(select(stamp)).scalar_one().astimezone(UTC)


def lease_stamp(tx: Transaction) -> datetime | ColumnElement[datetime]:
    """Return what stores `lease_now` in a row, without asking the database first."""
    return machine_now() if tx.dialect.name == "sqlite" else SERVER_STAMP


def business_now(tx: Transaction) -> datetime:
    """Return the instant that slots, stages, nudges and expiries are measured by."""
    return machine_now() + timedelta(seconds=offset_seconds(tx))


def offset_seconds(tx: Transaction) -> float:
    """Return how far business time is ahead of the wall clock; one transaction reads it once."""
    known: float | None = tx.info.get(CLOCK_OFFSET)
    if known is None:
        known = tx.info[CLOCK_OFFSET] = tx.execute(_OFFSET).scalar_one_or_none() or 0.0
    return known


def know_offset(tx: Transaction, seconds: float | None) -> None:
    """Remember the offset that another statement of this transaction has read; None for no row."""
    tx.info.setdefault(CLOCK_OFFSET, seconds or 0.0)


def set_offset(tx: Transaction, seconds: float) -> None:
    """Move business time."""
    tx.info.pop(CLOCK_OFFSET, None)
    if tx.execute(update(schema.clock).values(offset_seconds=seconds)).rowcount == 0:
        tx.execute(insert(schema.clock).values(id=1, offset_seconds=seconds))
