"""`labcoat backup` and `labcoat restore`: copies of a SQLite database; for PostgreSQL, which of its commands do it."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from labcoat.cli.database import refuse

if TYPE_CHECKING:
    from labcoat.db.database import Database

_POSTGRESQL = """\
This database is PostgreSQL ({address}), which has commands of its own, run where its client is installed:
  pg_dump --format=custom --no-owner --file=labcoat.dump "$DATABASE_URL"
  pg_restore --clean --if-exists --no-owner --single-transaction --dbname="$DATABASE_URL" labcoat.dump
A dump may be made while Labcoat runs. Stop every replica before you restore; run labcoat migrate after it."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both commands."""
    backup = commands.add_parser("backup", help="back up the SQLite database while the bot runs")
    backup.add_argument("file", metavar="FILE", type=Path, help="the backup to write; never left half-written")
    backup.add_argument("--force", action="store_true", help="replace FILE if it exists")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="replace the SQLite database with a backup; stop the bot first")
    restore.add_argument("file", metavar="FILE", type=Path, help="a backup made by labcoat backup")
    restore.add_argument("--force", action="store_true", help="replace an existing database; a copy of it is kept")
    restore.set_defaults(run=_restore)


def _backup(given: argparse.Namespace) -> int:
    from labcoat.db import backing_up

    database = _database()
    if database is None:
        return 1
    if database.file is not None and not database.file.is_file():
        return refuse(f"There is no database at {database.file}. Set DATABASE_URL to the one that labcoat serve uses.")
    try:
        backing_up.back_up(database, given.file, is_forced=given.force)
    except backing_up.CopyRefusedError as refused:
        return refuse(str(refused))
    print(f"Backed up {database.file} to {given.file} and verified it ({given.file.stat().st_size:,} bytes).")
    return 0


def _restore(given: argparse.Namespace) -> int:
    from labcoat.db import backing_up, migrating

    database = _database()
    if database is None:
        return 1
    try:
        kept = backing_up.restore(database, given.file, is_forced=given.force)
    except backing_up.CopyRefusedError as refused:
        return refuse(str(refused))
    print(f"Restored {database.file} from {given.file}.")
    if kept is not None:
        print(f"The previous database is kept in {kept}.")
    found = migrating.revision(database)
    database.dispose()
    if found is not None and not migrating.is_known(found):
        print("The backup was made by a newer version. Install that version before running labcoat serve.")
    elif found != migrating.newest():
        print("The backup was made by an older version. Before labcoat serve, run: labcoat migrate")
    return 0


def _database() -> "Database | None":
    """Return the SQLite database of DATABASE_URL, None after saying what to do instead."""
    from labcoat import settings
    from labcoat.db.database import Database, DatabaseUnusableError

    try:
        database = Database(settings.database_url(os.environ))
    except DatabaseUnusableError as error:
        refuse(f"DATABASE_URL cannot be used: {error}")
        return None
    if not database.is_sqlite:
        refuse(_POSTGRESQL.format(address=database.address))
        return None
    return database
