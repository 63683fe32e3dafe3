"""Who has a SQLite database: `labcoat serve`, or `labcoat restore` and nobody else.

SQLite's own locks say so of a sound file only. This lock is a file beside it, and ends with the process that holds it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from labcoat.db.database import Database


class DatabaseLockedError(Exception):  # somebody else is at work
    """Raised where the database cannot be had; the text says why."""


@contextmanager
def serving(database: Database) -> Iterator[None]:
    """Keep a SQLite database from being restored until the block ends; on PostgreSQL nothing has to be kept."""
    with _held(database, fcntl.LOCK_SH, "It is being restored. Start again when that is done."):
        yield


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Keep a SQLite database from being served until the block ends."""
    with _held(database, fcntl.LOCK_EX, f"{database.file} is in use. Stop labcoat serve first."):
        yield


@contextmanager
def _held(database: Database, how: int, refusal: str) -> Iterator[None]:
    place = database.file.resolve() if database.file is not None else None
    if place is None or not place.parent.is_dir():  # whoever opens it says so
        yield
        return
    lock = place.with_name(f"{place.name}.lock")
    try:
        number = os.open(lock, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError as error:
        msg = f"{lock} cannot be opened: {error.strerror}"
        raise DatabaseLockedError(msg) from error
    try:
        _lock(number, how, refusal)
        yield
    finally:
        os.close(number)


def _lock(number: int, how: int, refusal: str) -> None:
    if os.fstat(number).st_uid == os.geteuid():
        os.fchmod(number, 0o644)  # whoever made it, the bot's user may open it
    try:
        fcntl.flock(number, how | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DatabaseLockedError(refusal) from error
    except OSError as error:
        msg = f"this file system takes no locks: {error.strerror}"
        raise DatabaseLockedError(msg) from error
