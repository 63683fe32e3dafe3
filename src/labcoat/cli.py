"""The commands. Each loads only what it needs, so that `labcoat --help` answers at once."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import labcoat


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 1 it could not be done, 2 not understood."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 2
    code: int = given.run(given)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="labcoat", description="A Slack bot for experimentation culture.")
    parser.add_argument("--version", action="version", version=f"labcoat {labcoat.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the bot; settings come from the environment")
    serve.set_defaults(run=_serve)

    migrate = commands.add_parser("migrate", help="bring the database (DATABASE_URL) to this version's schema")
    migrate.set_defaults(run=_migrate)

    demo = commands.add_parser("demo", help="a local Slack in the browser with a living example")
    demo.add_argument("--tour", action="store_true", help="play the main story without a browser, print it, and exit")
    demo.add_argument("--port", type=int, default=8010, help="of the page (default 8010)")
    demo.set_defaults(run=_demo)

    sandbox = commands.add_parser("sandbox", help="a local Slack for any Bolt app")
    sandbox.add_argument("--app-url", required=True, help="where the app takes Slack's requests")
    sandbox.add_argument("--signing-secret", required=True, help="what the app checks signatures with")
    sandbox.add_argument("--port", type=int, default=8010, help="of the page and the Web API (default 8010)")
    sandbox.add_argument("--workspace", metavar="FILE", type=Path, help="people, channels and commands, as JSON")
    sandbox.set_defaults(run=_sandbox)
    return parser


def _serve(_given: argparse.Namespace) -> int:
    import logging

    import uvicorn

    from labcoat import settings, wiring

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # at INFO it writes two lines a tick
    try:
        read = settings.read(os.environ)
        bot = wiring.build(read)
    except settings.SettingsError as error:
        return _refuse(str(error))
    uvicorn.run(bot.web, host=read.host, port=read.port, log_level="warning")
    return 0


def _migrate(_given: argparse.Namespace) -> int:
    from labcoat import settings
    from labcoat.db import migrating
    from labcoat.db.database import Database, DatabaseUnusable

    try:
        database = Database(settings.database_url(os.environ))
        database.require_reachable()
    except DatabaseUnusable as error:
        return _refuse(f"DATABASE_URL cannot be used: {error}")
    migrating.migrate(database)
    print("The database is at this version's schema.")
    return 0


def _demo(given: argparse.Namespace) -> int:
    from labcoat.demo import commands

    return commands.play_tour() if given.tour else commands.run(port=given.port)


def _sandbox(given: argparse.Namespace) -> int:
    from pydantic import ValidationError

    from labcoat.sandbox import serving

    try:
        serving.run(
            port=given.port,
            app_url=given.app_url,
            signing_secret=given.signing_secret,
            workspace_file=given.workspace,
        )
    except (OSError, ValidationError) as error:
        return _refuse(f"The sandbox could not run: {error}")
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
