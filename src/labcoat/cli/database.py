"""What the commands share: work on the database of DATABASE_URL, and what cannot be done, said as a sentence."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from labcoat.db.database import Database


def on_database(work: "Callable[[Database], int]") -> int:
    """Do the work on the database at this version's schema; what cannot be done is a sentence and exit code 1."""
    from labcoat import settings
    from labcoat.db import migrating
    from labcoat.db.database import Database, DatabaseUnusableError
    from labcoat.domain.refusal import Refusal
    from labcoat.words import refusals

    try:
        database = Database(settings.database_url(os.environ))
        database.require_reachable()
    except DatabaseUnusableError as error:
        return refuse(f"DATABASE_URL cannot be used: {error}")
    try:
        if not migrating.is_current(database):
            return refuse("The database is not at this version's schema. Run: labcoat migrate")
        return work(database)
    except Refusal as refusal:
        return refuse(refusals.text(refusal))
    finally:
        database.dispose()


def refuse(message: str) -> int:
    """Say why something cannot be done; return the exit code."""
    print(message, file=sys.stderr)
    return 1
