"""What a tick, a claim, a step and a Home cost after much finished work; prints one JSON line.

On SQLite, or in the empty database that --database-url names: with so many notices that were sent, as many messages
and nudges, a hypothesis with its experiment that was closed long ago for each ten of them, a digest for each hundred,
and ten open hypotheses. Medians in milliseconds; "is_flat": the largest costs at most twice what the smallest does, or
a millisecond more.

claim: puts a notice, claims and settles it. tick: all that the calendar asks for, when nothing is due. readings: what
the readers of sources ask for then. step: an edit of a hypothesis that waits for a lead, with all that is told of it.
home: what its owner's Home shows.
"""

import argparse
import json
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.nudges import PLAN
from slack_sdk import WebClient
from sqlalchemy import Table, insert, select

from labcoat.db import clock, dossiers, outbox, workspaces
from labcoat.db.database import Database, Transaction
from labcoat.db.migrating import migrate
from labcoat.db.tables import schema
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import BotInvited
from labcoat.domain.hypothesis import Outcome, Statement
from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.member import Member
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.request import NoExperimentReason
from labcoat.domain.steps.hypothesis import statement_of
from labcoat.slack.incoming.downloads import downloader
from labcoat.slack.outgoing.delivery import Delivery
from labcoat.stats.rule import Direction
from labcoat.usecases.experiments import experiments
from labcoat.usecases.hypotheses import hypotheses, prototypes, requests
from labcoat.usecases.looks import counting, live_drafts, looks
from labcoat.usecases.people import home
from labcoat.worker.file_worker import FileWork
from labcoat.worker.schedule import Jobs

WORKSPACE, CHANNEL, OWNER, LEAD = WorkspaceId("T1"), ChannelId("C1"), UserId("U1"), UserId("U2")
LEASE = timedelta(minutes=1)
CHUNK = 10_000
OPEN, CLOSED = 10, 11
"""How many are open; the number of the one that is not."""
MORE = 1_000
"""What its copies are numbered from."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--database-url", help="of an empty PostgreSQL database")
    given = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with _database(given.database_url) as database:
        _file(database)
        filled = 0
        for finished in sorted(given.finished):
            _fill(database, filled, finished)
            filled = finished
            jobs = _jobs(database)
            found[str(finished)] = {
                "claim_ms": _median(lambda: _claim(database), given.rounds),
                "tick_ms": _median(jobs.keep_time, given.rounds),
                "readings_ms": _median(lambda: _ask_for_readings(database), given.rounds),
                "home_ms": _median(lambda: _show_home(database), given.rounds),
                "step_ms": _median(lambda: _edit(database), given.rounds, after=lambda: _settle_all(database)),
            }
    first, last = (found[str(size)] for size in (min(given.finished), max(given.finished)))
    is_flat = all(last[what] <= max(2 * first[what], first[what] + 1) for what in first)
    print(
        json.dumps(
            {
                "benchmark": "tick",
                "database": "postgresql" if given.database_url else "sqlite",
                "finished": found,
                "is_flat": is_flat,
            }
        )
    )


@contextmanager
def _database(url: str | None) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="labcoat-bench-") as folder:
        database = Database(url or f"sqlite:///{Path(folder) / 'labcoat.db'}")
        migrate(database)
        yield database
        database.dispose()


def _file(database: Database) -> None:
    """File the hypotheses that are open and one that was closed long ago, and take what is told of them as told."""
    now, by = datetime.now(UTC), Member(user=OWNER)
    long_ago = now - timedelta(days=200)
    with database.writing() as tx:
        filed = [_filed(tx, number, by, long_ago if number == CLOSED else now) for number in range(1, CLOSED + 1)]
        _ask(tx, filed[0], by, now)
        planned = experiments.plan(tx, filed[-1], PLAN, by=by, reason="Cheap enough", now=long_ago)
        number = planned.experiments[0].number
        cancelled = experiments.cancel(tx, planned, number, by=by, reason="Asked for by nobody", now=long_ago)
        hypotheses.close(
            tx,
            cancelled,
            by=by,
            outcome=Outcome.ABANDONED,
            learning="Asked for by nobody",
            days_spent=0,
            overrides=None,
            now=long_ago,
        )
    _settle_all(database)


def _filed(tx: Transaction, number: int, by: Member, now: datetime) -> Dossier:
    statement = Statement(
        change=f"Change {number}", metric="orders per user", direction=Direction.UP, because="People told us so"
    )
    return hypotheses.file(tx, WORKSPACE, statement, by=by, owner=OWNER, channel=CHANNEL, now=now)


def _ask(tx: Transaction, filed: Dossier, by: Member, now: datetime) -> None:
    """Let it wait for a lead, so that each of its steps looks who has the request."""
    workspaces.set_leads(tx, WORKSPACE, [LEAD], from_settings=True)
    tried = prototypes.begin(
        tx, filed, by=by, summary="By hand", cap_days=3, stop_when="nobody asks", build_guess_days=None, now=now
    )
    requests.ask(
        tx,
        tried,
        by=by,
        of=LEAD,
        conclusion=Outcome.SUPPORTED,
        learning="People want it",
        amount_days=20,
        no_experiment_reason=NoExperimentReason.TOO_LITTLE_TRAFFIC,
        no_experiment_note="",
        zone="UTC",
        now=now,
    )


def _fill(database: Database, first: int, last: int) -> None:
    at = datetime.now(UTC) - timedelta(days=30)
    for start in range(first, last, CHUNK):
        numbers = range(start, min(start + CHUNK, last))
        _insert(database, schema.outbox, [_sent(number, at) for number in numbers])
        nudge = {"workspace": WORKSPACE, "person": OWNER, "made_at": at}
        _insert(database, schema.nudges, [nudge | {"key": f"old {number}"} for number in numbers])
        digest = {"workspace": WORKSPACE, "made_at": at, "is_silent": False, "said_nothing_open": False}
        post: dict[str, object] = {"workspace": WORKSPACE, "channel": CHANNEL, "ts": "1.2"}
        _insert(database, schema.posts, [post | {"subject": f"card H-{number + MORE}"} for number in numbers])
        for name in ("hypotheses", "experiments", "history"):
            _copy_closed(database, schema.metadata.tables[name], [number for number in numbers if number % 10 == 0])
        weeks = [number for number in numbers if number % 100 == 0]
        _insert(
            database,
            schema.digests,
            [digest | {"channel": f"C{number}", "monday": date(2026, 1, 5)} for number in weeks],
        )


def _copy_closed(database: Database, table: Table, numbers: Sequence[int]) -> None:
    """Copy the rows of the hypothesis that is closed, each number plus MORE once."""
    of_hypothesis = "number" if table is schema.hypotheses else "hypothesis"
    with database.reading() as tx:
        rows = [dict(row) for row in tx.execute(select(table).where(table.c[of_hypothesis] == CLOSED)).mappings()]
    kept = [{name: value for name, value in row.items() if name != "id"} for row in rows]
    keys = {of_hypothesis, "number"} & set(table.c.keys())
    _insert(database, table, [row | dict.fromkeys(keys, number + MORE) for number in numbers for row in kept])


def _insert(database: Database, table: Table, rows: list[dict[str, object]]) -> None:
    if rows:
        with database.writing() as tx:
            tx.execute(insert(table), rows)


def _sent(number: int, at: datetime) -> dict[str, object]:
    return {
        "key": f"old-{number}",
        "workspace": WORKSPACE,
        "kind": NoticeKind.STORY,
        "channel": f"C{number % 1000}",
        "target": f"C{number % 1000}",
        "is_loud": False,
        "details": {"hypothesis": 1, "entry": number},
        "state": outbox.SENT,
        "created_at": at,
        "tried_since": at,
        "next_try_at": at,
        "finished_at": at,
    }


def _jobs(database: Database) -> Jobs:
    delivery = Delivery(
        database=database,
        client_of=lambda _workspace: WebClient(),  # a tick tells nothing
        zone="UTC",
        lease=LEASE,
        sending=LEASE / 2,
        settling=timedelta(0),
    )
    files = FileWork(database=database, client=WebClient(), download=downloader(WebClient()), zone="UTC")
    return Jobs(
        database=database,
        delivery=delivery,
        files=files,
        metrics=None,
        workspace=WORKSPACE,
        zone="UTC",
        describe=lambda _person: None,
    )


def _claim(database: Database) -> None:
    with database.writing() as tx:
        outbox.put(tx, Notice(kind=NoticeKind.WELCOME, workspace=WORKSPACE, channel=CHANNEL, fact=BotInvited()))
    _claim_one(database)


def _settle_all(database: Database) -> None:
    while _claim_one(database):
        pass


def _edit(database: Database) -> None:
    with database.writing() as tx:
        dossier = dossiers.find(tx, WORKSPACE, HypothesisNumber(1))
        assert dossier is not None
        words = replace(statement_of(dossier.hypothesis), tags=(secrets.token_hex(4),))
        hypotheses.edit(tx, dossier, words, by=Member(user=OWNER), reason=None, now=datetime.now(UTC))


def _show_home(database: Database) -> None:
    with database.reading() as tx:
        home.compose(tx, WORKSPACE, OWNER, now=datetime.now(UTC))


def _ask_for_readings(database: Database) -> None:
    with database.reading() as tx:
        now = datetime.now(UTC)
        for ask in (counting.due, live_drafts.due, looks.due):
            ask(tx, now=now)


def _claim_one(database: Database) -> bool:
    with database.writing() as tx:
        claimed = outbox.claim(tx, at=clock.lease_now(tx), lease=LEASE)
    if claimed is None:
        return False
    with database.writing() as tx:
        outbox.settle(tx, claimed, channel=CHANNEL, ts="1.2")
    return True


def _median(act: Callable[[], object], rounds: int, *, after: Callable[[], object] = lambda: None) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
        after()
    return round(statistics.median(times), 2)


if __name__ == "__main__":
    main()
