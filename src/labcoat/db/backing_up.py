"""Copies of a SQLite database: made while the bot runs, checked, and put in place at once or not at all."""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from labcoat.db.database import Database


class CopyRefused(Exception):  # noqa: N818  says what to do instead
    """Raised when nothing was copied; the text says why, and what to do."""


def back_up(database: Database, target: Path, *, is_forced: bool = False) -> None:
    """Copy the database to a file; whoever writes meanwhile goes on, and the copy is of one moment."""
    source = _file(database)
    if target.exists() and target.resolve() == source.resolve():
        msg = f"{target} is the database itself. Name another file."
        raise CopyRefused(msg)
    if target.exists() and not is_forced:
        msg = f"{target} exists. Name another file, or replace it with --force."
        raise CopyRefused(msg)
    _copy(source, target)


def restore(database: Database, backup: Path, *, is_forced: bool = False) -> Path | None:
    """Put a copy in the database's place; return where what was there is kept, None if there was nothing."""
    place = _file(database)
    if not backup.is_file():
        msg = f"There is no file {backup}."
        raise CopyRefused(msg)
    _require_ours(backup)
    if not place.exists():
        _copy(backup, place)
        return None
    if not is_forced:
        msg = f"{place} exists. To put the backup in its place: --force. What is there is kept beside it."
        raise CopyRefused(msg)
    _require_alone(place)
    kept = _free_name(place)
    shutil.copy2(place, kept)
    _copy(backup, place)
    for rest in ("-wal", "-shm"):  # of a damaged file; a sound one has none now
        place.with_name(place.name + rest).unlink(missing_ok=True)
    return kept


def _file(database: Database) -> Path:
    if database.file is None:
        raise CopyRefused("DATABASE_URL is no SQLite file.")
    return database.file


def _free_name(place: Path) -> Path:
    numbers = iter(range(1, 1_000_000))
    return next(path for number in numbers if not (path := place.with_name(f"{place.name}.before-{number}")).exists())


def _copy(source: Path, target: Path) -> None:
    """Copy by SQLite's own means, which knows of transactions; the target appears whole, or not."""
    unfinished = target.with_name(f"{target.name}.unfinished-{os.getpid()}")
    try:
        with (
            contextlib.closing(_opened(source, mode="ro")) as read,
            contextlib.closing(sqlite3.connect(unfinished)) as written,
        ):
            unfinished.chmod(0o600)
            read.backup(written)
            written.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            _check(written, unfinished)
        _flush(unfinished)
        unfinished.replace(target)
        _flush(target.parent)
    except (sqlite3.Error, OSError) as error:
        msg = f"{source} could not be copied to {target}: {error}"
        raise CopyRefused(msg) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _opened(path: Path, *, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=10)


def _require_ours(path: Path) -> None:
    try:
        with contextlib.closing(_opened(path, mode="ro")) as read:
            _check(read, path)
            read.execute("SELECT version_num FROM alembic_version")
    except sqlite3.Error as error:
        msg = f"{path} is no backup of Labcoat: {error}"
        raise CopyRefused(msg) from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        msg = f"{path} is damaged: {found}. Take an earlier backup."
        raise CopyRefused(msg)


def _require_alone(place: Path) -> None:
    """Refuse while another process has the database open, which would go on writing to a file that is gone."""
    try:
        with contextlib.closing(_opened(place, mode="rw")) as connection:
            connection.execute("PRAGMA busy_timeout=0")
            # Leaving WAL needs every other connection to be gone; it also brings all of it into the one file.
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        msg = f"{place} is in use ({error}). Stop labcoat serve first."
        raise CopyRefused(msg) from error
    except sqlite3.DatabaseError:
        return  # what is there is damaged, which is why somebody restores


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
