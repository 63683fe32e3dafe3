"""What was answered to requests over HTTP that carry a key, so that one sent again has one effect and one answer.

Decision 26 says why a key and its effect share a transaction.
"""

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from labcoat.db.database import Transaction
from labcoat.db.tables import schema


class KeyTakenError(Exception):  # not an error: another transaction answers this request
    """Raised when another transaction took the key; the whole request is to be decided anew."""


def find(tx: Transaction, token: str, key: str) -> tuple[str, str] | None:
    """Return the hash of the request that came with this key, and what was answered; None for a new key."""
    column = schema.api_answers.c
    query = select(column.request_hash, column.answer).where(column.token == token, column.key == key)
    row = tx.execute(query).first()
    return None if row is None else (row.request_hash, row.answer)


def claim(tx: Transaction, token: str, key: str, *, request_hash: str, at: datetime) -> None:
    """Take a key before anything is done, so that of two at once the second waits; raise KeyTakenError for that one."""
    row = {"token": token, "key": key, "request_hash": request_hash, "received_at": at}
    try:
        tx.execute(insert(schema.api_answers).values(row))
    except IntegrityError as error:
        raise KeyTakenError from error


def settle(tx: Transaction, token: str, key: str, *, answer: str) -> None:
    """Store what is answered, in the transaction that did what was asked."""
    column = schema.api_answers.c
    tx.execute(update(schema.api_answers).where(column.token == token, column.key == key).values(answer=answer))


def forget(tx: Transaction, *, before: datetime) -> None:
    """Drop what nobody asks for again."""
    tx.execute(delete(schema.api_answers).where(schema.api_answers.c.received_at < before))
