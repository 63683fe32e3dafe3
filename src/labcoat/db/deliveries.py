"""Requests of Slack that were acted on, so that an exact replay has no second effect."""

from datetime import datetime

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from labcoat.db.database import Transaction
from labcoat.db.tables import schema

_INSERT = insert(schema.deliveries)


class AlreadyHandledError(Exception):  # not an error: it was done already
    """Raised when a delivery was acted on before."""


def accept(tx: Transaction, key: str, *, at: datetime) -> None:
    """Remember the delivery in the transaction of its effect; raise AlreadyHandledError for the second of its kind."""
    try:
        tx.execute(_INSERT, {"key": key, "received_at": at})
    except IntegrityError as error:
        raise AlreadyHandledError from error


def forget(tx: Transaction, *, before: datetime) -> None:
    """Drop what comes no more: Slack gave up on it, and its signature is too old."""
    tx.execute(delete(schema.deliveries).where(schema.deliveries.c.received_at < before))
