"""The commands. Each loads only what it needs, so that `labcoat --help` answers at once."""

import argparse
import os
from collections.abc import Sequence

import labcoat
from labcoat.cli import analyse, backup, doctor, files, metrics, outbox, sandbox, tokens
from labcoat.cli.database import refuse


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

    serve = commands.add_parser("serve", help="run the bot; configured by environment variables")
    serve.set_defaults(run=_serve)

    migrate = commands.add_parser("migrate", help="upgrade the database (DATABASE_URL) to this version's schema")
    migrate.set_defaults(run=_migrate)

    demo = commands.add_parser("demo", help="a local Slack in your browser, with a live example")
    demo.add_argument("--tour", action="store_true", help="play the main story without a browser, print it, and exit")
    demo.add_argument("--port", type=int, default=8010, help="port of the page (default 8010)")
    demo.set_defaults(run=_demo)

    sandbox.add(commands)
    analyse.add(commands)
    metrics.add(commands)
    tokens.add(commands)
    outbox.add(commands)
    files.add(commands)
    backup.add(commands)
    doctor.add(commands)
    return parser


def _serve(_given: argparse.Namespace) -> int:
    from labcoat import settings, wiring
    from labcoat.observability import logs
    from labcoat.web import serving

    try:
        read = settings.read(os.environ)
        logs.configure(level=read.log_level, format_=read.log_format, hidden=read.hidden)
        with wiring.occupied(read):
            bot = wiring.build(read)
            serving.run(bot.web, host=read.host, port=read.port, stop_seconds=read.stop_seconds)
    except settings.SettingsError as error:
        return refuse(str(error))
    return 0


def _migrate(_given: argparse.Namespace) -> int:
    from labcoat import settings
    from labcoat.db import migrating
    from labcoat.db.database import Database, DatabaseUnusableError

    try:
        database = Database(settings.database_url(os.environ))
        database.require_reachable()
    except DatabaseUnusableError as error:
        return refuse(f"DATABASE_URL cannot be used: {error}")
    migrating.migrate(database)
    print("The database is at this version's schema.")
    return 0


def _demo(given: argparse.Namespace) -> int:
    from labcoat.demo import commands

    return commands.play_tour() if given.tour else commands.run(port=given.port)
