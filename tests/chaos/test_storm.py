"""A storm of 429: half of all calls for five minutes of virtual time, to three replicas and one of two workspaces."""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from labcoat.db import clock, outbox
from labcoat.db import retry_after as holds
from labcoat.db.database import Database
from labcoat.db.tables import schema
from labcoat.demo import people
from labcoat.domain.facts import BotInvited, LeadNamed
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.slack import web_client
from labcoat.slack.outgoing.delivery import Delivery
from slack_sandbox import serving
from slack_sandbox.faults import Fault, FaultKind
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.workspace import Team, Workspace

STORMY, CALM = WorkspaceId("TSTORMY"), WorkspaceId("TCALM")
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Sky:
    """Two Slacks, three replicas that know both, and a clock that a test moves."""

    slacks: dict[WorkspaceId, RunningSandbox]
    replicas: list[Delivery]
    now: datetime = datetime(2026, 11, 24, 8, tzinfo=UTC)
    chance: random.Random = field(default_factory=lambda: random.Random(429))
    held: dict[tuple[WorkspaceId, str], datetime] = field(default_factory=dict)
    too_early: list[str] = field(default_factory=list)
    refused: int = 0
    calls: Counter[WorkspaceId] = field(default_factory=Counter)
    seen: Counter[WorkspaceId] = field(default_factory=Counter)

    @property
    def database(self) -> Database:
        return self.replicas[0].database

    def put(self, workspace: WorkspaceId, number: int) -> None:
        """Have a message told in a channel, and another to a person."""
        channel = ChannelId((people.CHANNEL, "CGENERAL")[number % 2])
        person = UserId((people.ANA, people.BEN, people.LENA, people.OMAR)[number % 4])
        lead = LeadNamed(by=UserId(people.LENA))
        with self.database.writing() as tx:
            outbox.put(tx, Notice(kind=NoticeKind.WELCOME, workspace=workspace, channel=channel, fact=BotInvited()))
            outbox.put(tx, Notice(kind=NoticeKind.OWNERSHIP, workspace=workspace, person=person, fact=lead))

    def deliver(self, *, is_storm: bool) -> None:
        """Let the replicas take turns until nothing is due."""
        idle = turn = 0
        stormy = self.slacks[STORMY].slack.faults
        while idle < len(self.replicas):
            seconds = float(self.chance.randint(1, 3))
            if is_storm and self.chance.random() < 0.5:
                stormy.add(Fault("*", FaultKind.RATELIMITED, times=1, seconds=seconds))
            did = self.replicas[turn % len(self.replicas)].deliver_next(now=self.now)
            stormy.lift(FaultKind.RATELIMITED)
            idle, turn = 0 if did else idle + 1, turn + 1
            self._watch(timedelta(seconds=seconds))

    def _watch(self, retry_after: timedelta) -> None:
        for workspace, running in self.slacks.items():
            journal = running.slack.journal
            for call in journal.latest(1000, after=self.seen[workspace]):
                self.seen[workspace] = call["number"]
                method = (workspace, str(call["method"]))
                self.calls[workspace] += 1
                if self.now < self.held.get(method, self.now):
                    self.too_early.append(f"{method} at {self.now}, wanted at {self.held[method]}")
                if call["error"] == "ratelimited":
                    self.refused += 1
                    self.held[method] = self.now + retry_after

    def unfinished(self, workspace: WorkspaceId) -> int:
        """Return how much is still to be told there."""
        column = schema.outbox.c
        query = select(func.count()).where(column.finished_at.is_(None), column.workspace == workspace)
        with self.database.reading() as tx:
            return tx.execute(query).scalar_one()

    def keys(self, workspace: WorkspaceId) -> list[str]:
        """Return the keys of the messages that a Slack has."""
        conversations = self.slacks[workspace].slack.conversations.all()
        return [one["metadata"]["event_payload"]["key"] for where in conversations for one in where.messages]


@pytest.fixture
def sky(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sky]:
    shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
    with (
        serving.running_sandbox(_workspace(STORMY)) as stormy,
        serving.running_sandbox(_workspace(CALM)) as calm,
    ):
        slacks = {STORMY: stormy, CALM: calm}
        replicas = [_replica(f"sqlite:///{tmp_path / 'labcoat.db'}", slacks) for _ in range(3)]
        made = Sky(slacks, replicas)
        monkeypatch.setattr(clock, "machine_now", lambda: made.now)
        yield made
        for replica in replicas:
            replica.database.dispose()


def _workspace(team: WorkspaceId) -> Workspace:
    default = people.workspace()
    everybody = ("UBOT", *(user.id for user in default.users))
    channels = tuple(one.model_copy(update={"members": everybody}) for one in default.channels)
    return default.model_copy(update={"team": Team(id=team, name=team), "channels": channels})


def _replica(url: str, slacks: dict[WorkspaceId, RunningSandbox]) -> Delivery:
    clients = {
        team: web_client.connect(token=running.slack.workspace.bot.token, api_url=running.api_url)
        for team, running in slacks.items()
    }
    return Delivery(
        database=Database(url, pool_size=4),
        client_of=clients.__getitem__,
        zone=people.ZONE,
        lease=timedelta(minutes=1),
        sending=timedelta(seconds=20),
        settling=timedelta(seconds=5),
    )


def test_a_storm_loses_nothing_and_nobody_calls_too_early(
    sky: Sky, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    seconds = size(20, 300)

    put = _storm(sky, seconds)

    tell(
        f"{seconds} s of storm: {sky.refused} of {sky.calls[STORMY]} calls refused, {len(sky.too_early)} too early; "
        f"{put - len(set(sky.keys(STORMY)))} of {put} messages lost"
    )
    assert sky.refused > seconds / 5
    assert sky.too_early == []
    for workspace in (STORMY, CALM):
        assert len(sky.keys(workspace)) == len(set(sky.keys(workspace))) == put


def test_without_the_shared_hold_replicas_call_too_early(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "find", lambda *_: None)

    _storm(sky, 10)

    assert sky.too_early != []


def _storm(sky: Sky, seconds: int) -> int:
    """Let it storm, and then clear up; return how many messages were put in each workspace."""
    for number in range(seconds):
        for workspace in (STORMY, CALM):
            sky.put(workspace, number)
        sky.deliver(is_storm=True)
        assert sky.unfinished(CALM) == 0  # in the very second that it was put
        sky.now += SECOND
    while sky.unfinished(STORMY):
        sky.now += SECOND
        sky.deliver(is_storm=False)
    return 2 * seconds
