"""A Slack with many channels, people who act there, and what must be true in the end: 0 lost, 0 twice, order kept."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from sqlalchemy import select

from chaos.replicas import FAST
from journeys.playing import EVIDENCE, FILE, PROTOTYPE
from labcoat.db import clock, outbox
from labcoat.db.database import Database
from labcoat.db.tables import schema
from labcoat.demo import people
from labcoat.domain.ids import WorkspaceId
from labcoat.domain.lifecycle import Step
from slack_sandbox import serving
from slack_sandbox.client import NotPossibleError, Person, SandboxClient
from slack_sandbox.local_slack import Timing
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.wire import Json
from slack_sandbox.workspace import Channel, User, Workspace

CHANNELS = tuple(f"CWORK{index:02}" for index in range(12))
TEAM = WorkspaceId(people.workspace().team.id)
PATIENCE_SECONDS = 240.0
FORM_SECONDS = 5.0
"""How long a person waits for a form from a bot that may be dead."""


@dataclass(slots=True)
class World:
    """Slack, the database, and what people did that was taken."""

    sandbox: RunningSandbox
    slack: SandboxClient
    database: Database
    environment: Mapping[str, str]
    taken: Counter[str] = field(default_factory=Counter)

    def person(self, user: str) -> Person:
        return self.slack.person(user)

    def files(self, channel: str) -> None:
        """File a hypothesis there and begin its prototype."""
        ana, number = self.person(people.ANA), self.count_hypotheses() + 1
        self.opens(ana, "/hypothesis", f"Show what is near, in {channel}", channel=channel)
        self.submits(ana, FILE)
        self.opens(ana, "/hypothesis", f"prototype H-{number}", channel=channel)
        self.submits(ana, PROTOTYPE)

    def opens(self, person: Person, command: str, text: str, *, channel: str) -> None:
        """Type a command that opens a form, which on a busy machine may come after its answer."""
        while person.find_view() is not None:
            person.close()
        assert person.command(command, text, channel=channel).ok
        self.slack.wait_for(person.find_view, timeout_seconds=PATIENCE_SECONDS)

    def submits(self, person: Person, values: Json) -> None:
        """Submit the top form until it is taken: it asks whether this was tried before, and again if it is busy."""
        person.submit(values)
        while person.find_view() is not None:
            person.submit({})

    def count_hypotheses(self) -> int:
        with self.database.reading() as tx:
            return len(tx.execute(select(schema.hypotheses.c.number)).all())

    def adds_evidence(self, number: int, user: str = people.BEN) -> bool:
        """Add evidence; return whether the bot took it, as far as the person can see."""
        return self._does(self.person(user), "evidence", number, EVIDENCE)

    def keeps_adding_evidence(self, user: str, is_over: Event) -> None:
        """Add evidence to one hypothesis after the other until it is over."""
        turn = len(user)
        while not is_over.is_set():
            self.adds_evidence(turn % len(CHANNELS) + 1, user)
            turn += 1

    def hands_over(self, number: int) -> bool:
        """Hand a hypothesis to whoever does not have it; the new owner gets a direct message."""
        with self.database.reading() as tx:
            owner = tx.execute(
                select(schema.hypotheses.c.owner).where(schema.hypotheses.c.number == number)
            ).scalar_one()
        other = people.BEN if owner == people.ANA else people.ANA
        return self._does(self.person(people.LENA), "handover", number, {"owner": other, "reason": "It is their turn"})

    def _does(self, person: Person, verb: str, number: int, values: Json) -> bool:
        channel = CHANNELS[(number - 1) % len(CHANNELS)]
        with suppress(NotPossibleError, TimeoutError):
            while person.find_view() is not None:
                person.close()
            if person.command("/hypothesis", f"{verb} H-{number}", channel=channel).ok:
                self.slack.wait_for(person.find_view, timeout_seconds=FORM_SECONDS)
                done = person.submit(values)
                if done.ok and not done.errors:
                    self.taken[verb] += 1
                    return True
        return False

    def set_clock(self, moment: datetime) -> None:
        with self.database.writing() as tx:
            clock.set_offset(tx, (moment - datetime.now(UTC)).total_seconds())

    def move(self, step: timedelta) -> None:
        with self.database.reading() as tx:
            now = clock.business_now(tx)
        self.set_clock(now + step)

    def wait_until_all_is_told(self) -> None:
        def is_done() -> bool:
            with self.database.reading() as tx:
                return not outbox.has_unfinished(tx)

        self.slack.wait_for(is_done, timeout_seconds=PATIENCE_SECONDS)

    def wait_for_another_message(self) -> None:
        before = len(self.messages())
        self.slack.wait_for(lambda: len(self.messages()) > before, timeout_seconds=PATIENCE_SECONDS)

    def messages(self) -> dict[str, list[Json]]:
        """Return every message of the bot by its key, as often as Slack has it."""
        found: dict[str, list[Json]] = defaultdict(list)
        for conversation in self.sandbox.slack.conversations.all():
            for message in list(conversation.messages):
                key = message.get("metadata", {}).get("event_payload", {}).get("key")
                if key:
                    found[key].append(message)
        return found

    def rows(self) -> list[Any]:
        with self.database.reading() as tx:
            return list(tx.execute(select(schema.outbox).order_by(schema.outbox.c.id)).mappings())

    def twice(self) -> list[str]:
        """Return the keys of what was said more than once."""
        return [key for key, said in self.messages().items() if len(said) > 1]

    def lost(self) -> list[str]:
        """Return what Slack does not have: of each change its line, of each hypothesis its card, and the rest."""
        rows, said = self.rows(), self.messages()
        shown = {message["ts"] for messages in said.values() for message in messages}
        missing = [
            f"{row['kind']} {row['id']} {row['state']} {row['problem']}"
            for row in rows
            if row["subject"] is None and row["key"] not in said
        ]
        with self.database.reading() as tx:
            changes = {
                row.id for row in tx.execute(select(schema.history).where(schema.history.c.step != Step.FILE)).all()
            }
            cards = {row.subject: row.ts for row in tx.execute(select(schema.posts)).all()}
            numbers = tx.execute(select(schema.hypotheses.c.number)).scalars().all()
        told = {row["details"]["entry"] for row in rows if _is_step(row)}
        missing += [f"no line of change {entry}" for entry in changes - told]
        missing += [f"no card of H-{number}" for number in numbers if cards.get(f"card H-{number}") not in shown]
        return missing

    def out_of_order(self) -> list[str]:
        """Return the lines of a card's thread that stand before a line of an earlier change."""
        stamps: dict[str, list[tuple[int, str]]] = defaultdict(list)
        said = self.messages()
        for row in self.rows():
            if _is_step(row) and row["key"] in said:
                stamps[row["parent"]].append((row["details"]["entry"], said[row["key"]][0]["ts"]))
        return [
            f"{parent}: change {later[0]} before {earlier[0]}"
            for parent, lines in stamps.items()
            for earlier, later in zip(sorted(lines), sorted(lines)[1:], strict=False)
            if earlier[1] > later[1]
        ]

    def changes(self, step: Step) -> int:
        with self.database.reading() as tx:
            return len(tx.execute(select(schema.history.c.id).where(schema.history.c.step == step)).all())


def workspace(*more: str) -> Workspace:
    """Return the demo's workspace with more channels, and more people; everybody is in each channel."""
    default = people.workspace()
    users = (*default.users, *(User(id=user, name=user.lower(), real_name=user, tz=people.ZONE) for user in more))
    everybody = ("UBOT", *(user.id for user in users))
    work = (Channel(id=name, name=name.lower(), members=everybody) for name in CHANNELS)
    return default.model_copy(update={"users": users, "channels": (*default.channels, *work)})


@contextmanager
def a_world(database_url: str, *, leads: tuple[str, ...] = people.LEADS) -> Iterator[World]:
    """Run a Slack over a migrated database; the bot's processes are the test's to start."""
    database = Database(database_url, pool_size=8)
    timing = Timing(ack_seconds=60)
    slack_workspace = workspace(*(lead for lead in leads if lead not in people.LEADS))
    with (
        # A machine that is busy with all this must not let a trigger go stale.
        serving.running_sandbox(slack_workspace, timing=timing, clock=lambda: 0.0) as sandbox,
        SandboxClient(sandbox.url) as slack,
    ):
        environment = {
            "SLACK_BOT_TOKEN": sandbox.slack.workspace.bot.token,
            "SLACK_SIGNING_SECRET": serving.DEFAULT_SIGNING_SECRET,
            "LABCOAT_SLACK_API_URL": sandbox.api_url,
            "DATABASE_URL": database_url,
            "LABCOAT_HOME_CHANNEL": CHANNELS[0],
            "LABCOAT_LEADS": ",".join(leads),
            "LABCOAT_TIMEZONE": people.ZONE,
            "LABCOAT_ACTS_PER_MINUTE": "0",  # people act as fast as the machine can
            **FAST,
        }
        try:
            yield World(sandbox, slack, database, environment)
        finally:
            database.dispose()


def _is_step(row: Any) -> bool:
    """Whether a row of the outbox is the line of a step in a card's thread."""
    return bool(row["kind"] == "story" and row["details"]["type"] == "StepTaken")
