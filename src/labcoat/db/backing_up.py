"""Copies of a SQLite database: made while the bot runs, checked, and put in place at once or not at all."""

import contextlib
import os
import shutil
import sqlite3
import stat
from pathlib import Path

from labcoat.db import database_lock
from labcoat.db.database import Database

_LOGS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, and would play back into another one of the same name."""


class CopyRefusedError(Exception):  # says what to do instead
    """Raised when nothing was copied; the text says why, and what to do."""


def back_up(database: Database, target: Path, *, is_forced: bool = False) -> None:
    """Copy the database to a file; whoever writes meanwhile goes on, and the copy is of one moment."""
    source = _file(database)
    if target.exists() and target.resolve() == source.resolve():
        msg = f"{target} is the database itself. Name another file."
        raise CopyRefusedError(msg)
    if target.exists() and not is_forced:
        msg = f"{target} exists. Name another file, or replace it with --force."
        raise CopyRefusedError(msg)
    _copy(source, target)


def restore(database: Database, backup: Path, *, is_forced: bool = False) -> Path | None:
    """Put a copy in the database's place; return where what was there is kept, None if there was nothing."""
    place = _file(database)
    if not backup.is_file():
        msg = f"There is no file {backup}."
        raise CopyRefusedError(msg)
    _require_ours(backup)
    try:
        with database_lock.alone(database):
            return _put_in_place(backup, place, is_forced=is_forced)
    except (database_lock.DatabaseLockedError, OSError) as error:
        raise CopyRefusedError(str(error)) from error


def _put_in_place(backup: Path, place: Path, *, is_forced: bool) -> Path | None:
    if not place.exists():
        _copy(backup, place, replaces=place)
        return None
    if not is_forced:
        msg = f"{place} exists. To put the backup in its place: --force. What is there is kept beside it."
        raise CopyRefusedError(msg)
    kept = _free_name(place)
    try:
        # First of all: SQLite may throw away the log of a damaged file when it closes it.
        _keep(place, kept)
        _require_alone(place)
    except (CopyRefusedError, OSError):
        for one in _with_logs(kept):
            one.unlink()
        raise
    _copy(backup, place, replaces=place)
    return kept


def _keep(place: Path, kept: Path) -> None:
    for one in _with_logs(place):
        copy = kept.with_name(kept.name + one.name.removeprefix(place.name))
        shutil.copy2(one, copy)
        _flush(copy)
    _flush(place.parent)


def _with_logs(place: Path) -> list[Path]:
    """Return a database's files that are there."""
    paths = [place.with_name(place.name + rest) for rest in ("", *_LOGS)]
    return [path for path in paths if path.exists()]


def _file(database: Database) -> Path:
    if database.file is None:
        raise CopyRefusedError("DATABASE_URL is no SQLite file.")
    return database.file.resolve()  # where a link leads: SQLite keeps its logs there


def _free_name(place: Path) -> Path:
    numbers = iter(range(1, 1_000_000))
    return next(path for number in numbers if not (path := place.with_name(f"{place.name}.before-{number}")).exists())


def _copy(source: Path, target: Path, *, replaces: Path | None = None) -> None:
    """Copy by SQLite's own means, which knows of transactions; the target appears whole, or not.

    replaces: the database that the copy is to be from now on.
    """
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
        if replaces is not None:
            _make_like(unfinished, replaces)
        _flush(unfinished)
        if replaces is not None:
            _forget_logs(replaces)  # first: a crash between the two must not leave them beside the copy
        unfinished.replace(target)
        _flush(target.parent)
    except (sqlite3.Error, OSError) as error:
        msg = f"{source} could not be copied to {target}: {error}"
        raise CopyRefusedError(msg) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _make_like(copy: Path, place: Path) -> None:
    """Give a copy the mode and owner of what it replaces; where there is nothing, root gives it the folder's owner."""
    is_there = place.exists()
    before = (place if is_there else place.parent).stat()
    if is_there:
        copy.chmod(stat.S_IMODE(before.st_mode))
    if is_there or os.geteuid() == 0:
        os.chown(copy, before.st_uid, before.st_gid)


def _forget_logs(place: Path) -> None:
    for rest in _LOGS:
        place.with_name(place.name + rest).unlink(missing_ok=True)
    _flush(place.parent)


def _opened(path: Path, *, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=10)


def _require_ours(path: Path) -> None:
    try:
        with contextlib.closing(_opened(path, mode="ro")) as read:
            _check(read, path)
            read.execute("SELECT version_num FROM alembic_version")
    except sqlite3.Error as error:
        msg = f"{path} is no backup of Labcoat: {error}"
        raise CopyRefusedError(msg) from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        msg = f"{path} is damaged: {found}. Take an earlier backup."
        raise CopyRefusedError(msg)


def _require_alone(place: Path) -> None:
    """Refuse while another process has the database open, which would go on writing to a file that is gone."""
    try:
        with contextlib.closing(_opened(place, mode="rw")) as connection:
            connection.execute("PRAGMA busy_timeout=0")
            # Leaving WAL needs every other connection to be gone; it also brings all of it into the one file.
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        msg = f"{place} is in use ({error}). Stop labcoat serve first."
        raise CopyRefusedError(msg) from error
    except sqlite3.DatabaseError:
        return  # what is there is damaged, which is why somebody restores


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
