"""Instants keep their zone, words and values come back as they were."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from builders import NOW
from labcoat.db.database import Database
from labcoat.db.tables import schema


def _store(database: Database, at: datetime) -> datetime:
    with database.writing() as tx:
        tx.execute(insert(schema.deliveries).values(key="k", received_at=at))
    with database.reading() as tx:
        read: datetime = tx.execute(select(schema.deliveries.c.received_at)).scalar_one()
    return read


def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="must be aware"):
        _store(database, datetime(2026, 11, 25, 12))  # noqa: DTZ001


def test_an_instant_comes_back_aware_in_utc_to_the_microsecond(database: Database) -> None:
    berlin = timezone(timedelta(hours=1))

    read = _store(database, datetime(2026, 11, 25, 13, 0, 0, 123456, tzinfo=berlin))

    assert (read, read.tzinfo) == (NOW.replace(microsecond=123456), UTC)


def test_instants_are_compared_as_instants(database: Database) -> None:
    east = NOW.astimezone(timezone(timedelta(hours=12)))
    _store(database, east)

    with database.reading() as tx:
        column = schema.deliveries.c
        found = tx.execute(select(column.key).where(column.received_at <= NOW)).scalars().all()

    assert found == ["k"]
