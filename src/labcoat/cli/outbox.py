"""`labcoat outbox`: list what could not be delivered, try it again, or forget it."""

import argparse
from typing import TYPE_CHECKING

from labcoat.cli.database import on_database, refuse

if TYPE_CHECKING:
    from labcoat.db.database import Database

MOST_LISTED = 200


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its verbs."""
    outbox = commands.add_parser("outbox", help="list, retry or drop messages that could not be delivered")
    outbox.set_defaults(run=_run_list)
    verbs = outbox.add_subparsers(dest="verb", metavar="retry | drop")
    retry = verbs.add_parser("retry", help="retry; messages that may have arrived are looked up first")
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("number", metavar="ID", nargs="?", type=int, help="the message's ID, as listed")
    which.add_argument("--all", action="store_true", help="retry all")
    retry.set_defaults(run=_run_retry)
    drop = verbs.add_parser("drop", help="drop a message; it will never be delivered")
    drop.add_argument("number", metavar="ID", type=int, help="the message's ID, as listed")
    drop.set_defaults(run=_run_drop)


def _run_list(_given: argparse.Namespace) -> int:
    return on_database(_list)


def _list(database: "Database") -> int:
    from labcoat.db import undelivered
    from labcoat.words import undelivered as words

    with database.reading() as tx:
        found = undelivered.list_of(tx, limit=MOST_LISTED)
    for one in found:
        print(f"{one.id}  {one.since:%Y-%m-%d %H:%M} UTC  {words.what(one.kind)} for {words.where(one)}")
        print(f"    {words.why(one.problem)}")
    print("To retry: labcoat outbox retry ID, or --all" if found else "Everything was delivered or is on its way.")
    return 0


def _run_retry(given: argparse.Namespace) -> int:
    from labcoat.db import undelivered

    def work(database: "Database") -> int:
        with database.writing() as tx:
            retried = undelivered.retry(tx, number=given.number)
        if given.number is not None and not retried:
            return _refuse_unknown(given.number)
        print(f"labcoat serve will retry {retried}.")
        return 0

    return on_database(work)


def _run_drop(given: argparse.Namespace) -> int:
    from labcoat.db import undelivered

    def work(database: "Database") -> int:
        with database.writing() as tx:
            is_dropped = undelivered.drop(tx, given.number)
        if not is_dropped:
            return _refuse_unknown(given.number)
        print(f"Dropped {given.number}.")
        return 0

    return on_database(work)


def _refuse_unknown(number: int) -> int:
    return refuse(f"{number} is none of what could not be delivered. To see what is: labcoat outbox")
