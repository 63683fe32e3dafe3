"""`labcoat import` and `labcoat export`: totals from a file, and everything as files, without Slack."""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from labcoat.cli.database import on_database, refuse

if TYPE_CHECKING:
    from labcoat.db.database import Database

_IMPORT = """\
Store the totals of a CSV, Excel or Parquet file in an experiment, as the form of /experiment record does.

  labcoat import E-7 players.parquet
  labcoat import E-7 totals.csv --metric retention_7 --as-of 2026-11-23T18:00+01:00

Every metric of the plan that the file has is stored. labcoat serve on the same DATABASE_URL tells it in Slack.

Columns are found by their names (docs/operate.md, Files in and out, lists them). Where two could be meant, say which:

  labcoat import E-7 totals.csv --column n=visitors --column successes=events

Roles: variant, n, successes, rate, mean, sd, se, variance, sum, sum_squares, unit.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to those of the command line."""
    taken = commands.add_parser(
        "import",
        help="record an experiment's totals from a file",
        description=_IMPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    taken.add_argument("experiment", metavar="E-7", help="the experiment; H-12 means its newest one")
    taken.add_argument("file", metavar="FILE", type=Path, help="one row per unit, or one row of totals per variant")
    taken.add_argument("--metric", metavar="NAME", help="the metric in the file (default: the goal)")
    taken.add_argument(
        "--column", metavar="ROLE=COLUMN", action="append", default=[], help="use this column in this role; repeatable"
    )
    taken.add_argument(
        "--as-of", metavar="TIME", help="the totals run up to this time, such as 2026-11-23T18:00 (UTC; default: now)"
    )
    taken.add_argument(
        "--by", metavar="USER", help="Slack user ID of who supplied them (default: the hypothesis's owner)"
    )
    taken.add_argument("--correct", action="store_true", help="replace earlier totals that were wrong")
    taken.add_argument(
        "--wrong-since",
        metavar="TIME",
        help="with --correct: when they began to be wrong (default: the newest entry only)",
    )
    taken.add_argument("--workspace", metavar="ID", help="Slack workspace ID (T...); required if there are several")
    taken.set_defaults(run=_import)
    export = commands.add_parser("export", help="export hypotheses, experiments and readouts to files")
    export.add_argument("--format", choices=("csv", "parquet"), default="csv", help="file format (default csv)")
    export.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="the folder to write to; created if missing"
    )
    export.add_argument("--workspace", metavar="ID", help="Slack workspace ID (T...); required if there are several")
    export.set_defaults(run=_export)


def _import(given: argparse.Namespace) -> int:
    from labcoat.db import clock
    from labcoat.domain.refusal import Reason, Refusal
    from labcoat.domain.subject import find_subject
    from labcoat.usecases import finding
    from labcoat.usecases.experiments import files, uploads
    from labcoat.warehouse.errors import SourceError
    from labcoat.warehouse.files.columns import Chosen
    from labcoat.words import files as words

    def work(database: "Database") -> int:
        if given.wrong_since and not given.correct:
            message = "--wrong-since says since when earlier totals were wrong, so it needs --correct."
            raise ValueError(message)
        subject = find_subject(given.experiment)
        if subject is None:
            raise Refusal(Reason.UNKNOWN_ID, id=given.experiment[:20])
        with database.reading() as tx:
            workspace = finding.get_workspace(tx, given.workspace)
            experiment = finding.get_experiment(finding.get_dossier(tx, workspace, subject), subject)
        plan = experiment.plan
        chosen = plan.metric(given.metric) if given.metric else plan.goal
        try:
            read = uploads.read_file(
                given.file,
                plan,
                chosen,
                name=given.file.name,
                field="file",
                may_lack=experiment.dropped_treatments,
                seconds=uploads.SECONDS,
                columns=Chosen(by_role=_roles(given.column), flags=uploads.IMPORT_FLAGS),
                threads=uploads.THREADS,
            )
        except SourceError as error:  # it takes too long
            raise Refusal(Reason.FILE_FAULT, "file", text=words.TOO_MUCH) from error
        with database.writing() as tx:
            now = clock.business_now(tx)
            taken = files.record_from_disk(
                tx,
                finding.get_dossier(tx, workspace, subject),
                experiment.number,
                totals=read.totals,
                taken=read.taken,
                by=given.by,
                as_of=_moment(given.as_of, "--as-of") if given.as_of else now,
                is_correction=given.correct,
                wrong_since=_moment(given.wrong_since, "--wrong-since") if given.wrong_since else None,
                file=given.file.name,
                now=now,
            )
        stored = f"Stored for E-{experiment.number}: {', '.join(taken.metrics)}."
        print(f"{given.file.name}: {read.taken}")
        print(stored if taken.metrics else "These numbers are already stored; nothing changed.")
        return 0

    return _with_files(work)


def _roles(given: Sequence[str]) -> dict[str, str]:
    from labcoat.warehouse.files.columns import NAMES

    roles = {}
    for text in given:
        role, equals, column = text.partition("=")
        if role not in NAMES or not equals or not column:
            message = f"--column {text} can't be read. Write ROLE=COLUMN, with a role of {', '.join(NAMES)}."
            raise ValueError(message)
        roles[role] = column
    return roles


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option} can't be read: {text}. Write it as 2026-11-23T18:00, in UTC, or with its zone: +01:00."
        raise ValueError(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _export(given: argparse.Namespace) -> int:
    from labcoat.domain.file_job import ExportFormat
    from labcoat.usecases import finding
    from labcoat.usecases.hypotheses import exports

    def work(database: "Database") -> int:
        with database.reading() as tx:
            workspace = finding.get_workspace(tx, given.workspace)
            given.out.mkdir(parents=True, exist_ok=True)
            written = exports.write(tx, workspace, given.out, ExportFormat(given.format))
        for one in written:
            print(f"{one.path}: {one.rows:,} rows")
        return 0

    return _with_files(work)


def _with_files(work: "Callable[[Database], int]") -> int:
    """Do the work on the database; a file that cannot be read or written is a sentence and exit code 1."""
    from labcoat.warehouse.errors import SourceError

    try:
        return on_database(work)
    except SourceError as error:
        return refuse(error.message)
    except OSError as error:
        return refuse(f"{error.filename}: {error.strerror}")
    except ValueError as error:
        return refuse(str(error))
