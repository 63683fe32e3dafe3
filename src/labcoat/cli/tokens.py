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
        "token", help="create, list or revoke tokens for the results API", description=_DESCRIPTION
    )
    acts = token.add_subparsers(dest="act", metavar="ACT", required=True)
    create = acts.add_parser("create", help="create a token and print it once")
    create.add_argument("--name", required=True, help="the sender's name, as shown in Slack: CI pipeline")
    create.add_argument("--workspace", metavar="ID", help="Slack workspace ID (T...); required if there are several")
    create.set_defaults(run=_create)
    listed = acts.add_parser("list", help="list all tokens, without their secrets")
    listed.set_defaults(run=_list)
    revoke = acts.add_parser("revoke", help="revoke a token")
    revoke.add_argument("id", metavar="ID", help="the token's ID, as listed")
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
        print("No tokens yet. To create one: labcoat token create --name NAME")
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
        print(f"Revoked {given.id}.")
        return 0

    return on_database(work)
