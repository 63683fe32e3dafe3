"""`labcoat token`: make, list and revoke what programs show to send results."""

import argparse
import sys
from typing import TYPE_CHECKING

from labcoat.cli.database import on_database

if TYPE_CHECKING:
    from labcoat.db.database import Database

_DESCRIPTION = """\
Tokens let a program send results over HTTP (POST /api/v1/experiments/E-7/results), into one workspace.
The database is that of DATABASE_URL.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the command line."""
    token = commands.add_parser(
        "token", help="make, list or revoke a token for results over HTTP", description=_DESCRIPTION
    )
    acts = token.add_subparsers(dest="act", metavar="ACT", required=True)
    create = acts.add_parser("create", help="make one, and print it this once")
    create.add_argument("--name", required=True, help="who sends with it, as people read it in Slack: CI pipeline")
    create.add_argument("--workspace", metavar="ID", help="Slack's id, T...; needed if there are several")
    create.set_defaults(run=_create)
    listed = acts.add_parser("list", help="print all, without their secrets")
    listed.set_defaults(run=_list)
    revoke = acts.add_parser("revoke", help="let one work no more")
    revoke.add_argument("id", metavar="ID", help="as labcoat token list prints it")
    revoke.set_defaults(run=_revoke)


def _create(given: argparse.Namespace) -> int:
    from labcoat.db import clock
    from labcoat.usecases.people import tokens

    def work(database: "Database") -> int:
        with database.writing() as tx:
            made, shown = tokens.create(tx, name=given.name, workspace=given.workspace, at=clock.machine_now())
        print(shown)
        note = f"Keep it: it is shown this once. It sends results into {made.workspace} as “{made.program.name}”."
        print(f"{note} To end it: labcoat token revoke {made.id}", file=sys.stderr)
        return 0

    return on_database(work)


def _list(_given: argparse.Namespace) -> int:
    return on_database(_print_all)


def _print_all(database: "Database") -> int:
    from labcoat.db import tokens

    with database.reading() as tx:
        found = tokens.list_of(tx)
    if not found:
        print("No token yet. To make one: labcoat token create --name NAME")
    for one in found:
        used = f"used {one.last_used_at:%Y-%m-%d %H} h UTC" if one.last_used_at else "never used"
        state = f"revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else "works"
        scopes = " ".join(sorted(one.scopes))
        print(f"{one.id}  {one.workspace}  {state}  {scopes}  made {one.created_at:%Y-%m-%d}, {used}  {one.name}")
    return 0


def _revoke(given: argparse.Namespace) -> int:
    from labcoat.db import clock
    from labcoat.usecases.people import tokens

    def work(database: "Database") -> int:
        with database.writing() as tx:
            tokens.revoke(tx, given.id, at=clock.machine_now())
        print(f"{given.id} works no more.")
        return 0

    return on_database(work)
