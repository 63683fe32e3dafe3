"""A Slack and a bot in this process: real signed HTTP between them, a database of their own, time that moves when told.

Nothing runs in the background, so a test says when the clock ticks and when the outbox is delivered.
"""

import asyncio
import json
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from starlette.applications import Starlette

from labcoat import settings, wiring
from labcoat.db import clock, dossiers
from labcoat.demo import people
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.slack.incoming.socket_mode import Connections
from labcoat.wiring import Bot
from slack_sandbox import outbound, serving
from slack_sandbox.client import Person, SandboxClient
from slack_sandbox.local_slack import Timing
from slack_sandbox.reading import plain_text
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.wire import Json
from slack_sandbox.workspace import Bot as SlackBot
from slack_sandbox.workspace import Workspace

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
"""A Tuesday, 9:00 in Berlin, where everybody is."""

TEAM = WorkspaceId(people.workspace().team.id)
H1, E1 = HypothesisNumber(1), ExperimentNumber(1)
DAY = timedelta(days=1)
GROUP_SEQUENTIAL, CONFIDENCE_SEQUENCE, ONE_LOOK = "group sequential", "confidence sequence", "one look at the end"

FILE = {"metric": "orders per user", "because": "People told us so"}
PROTOTYPE = {"summary": "A SQL query and five users", "cap": "2", "stop_when": "Nobody notices", "build_guess": "30"}
EVIDENCE = {"kind": "interview", "count": "5", "summary": "4 of 5 asked for it", "spent": "1"}
PLAN = {"minimum_effect": "0.5 points", "design": CONFIDENCE_SEQUENCE}
ASK = {"conclusion": "supported", "learning": "Fresh offers bring orders", "amount": "20", "lead": people.LENA}
CLOSE = {"outcome": "refuted", "learning": "Age matters less than price", "days_spent": "4"}
NO_PROTOTYPE = {"evidence_reason": "Built by the vendor already"}


@dataclass(frozen=True, slots=True)
class Play:
    """What is running, and what people do and see there. Whatever people do is told at once."""

    sandbox: RunningSandbox
    slack: SandboxClient
    bot: Bot
    url: str

    @property
    def ana(self) -> Person:
        """Owns what a test files, unless it says otherwise."""
        return self.slack.person(people.ANA)

    @property
    def ben(self) -> Person:
        return self.slack.person(people.BEN)

    @property
    def lena(self) -> Person:
        """A lead."""
        return self.slack.person(people.LENA)

    @property
    def omar(self) -> Person:
        """Another lead."""
        return self.slack.person(people.OMAR)

    def now(self) -> datetime:
        """Return business now."""
        with self.bot.database.reading() as tx:
            return clock.business_now(tx)

    def set_clock(self, moment: datetime) -> None:
        with self.bot.database.writing() as tx:
            clock.set_offset(tx, (moment - datetime.now(UTC)).total_seconds())

    def move_to(self, moment: datetime, *, step: timedelta = timedelta(hours=6)) -> None:
        """Move time forward; what is due at each step happens and is told."""
        at = self.now()
        while at < moment:
            at = min(at + step, moment)
            self.set_clock(at)
            self.tick()

    def tick(self) -> None:
        self.bot.jobs.tick()
        self.deliver()

    def deliver(self) -> None:
        self.bot.jobs.deliver_all()

    def types(self, person: Person, text: str, *, channel: str = people.CHANNEL) -> Json | None:
        """Type "/command text"; return the form that opened."""
        command, _, rest = text.partition(" ")
        done = person.command(command, rest, channel=channel)
        assert done.ok, done.error
        self.deliver()
        return person.find_view()

    def asks(self, person: Person, text: str, *, channel: str = people.CHANNEL) -> str:
        """Type a command that is answered in private; return the answer."""
        before = len(self.private_messages(person, channel))
        self.types(person, text, channel=channel)
        answers = self.private_messages(person, channel)
        assert len(answers) == before + 1, f"{text}: {len(answers) - before} answers"
        return read(answers[-1])

    def presses(self, person: Person, message: Json, verb: str) -> Json | None:
        """Press a button; return the form that opened."""
        done = person.click(message, action_id=verb)
        assert done.ok, done.error
        self.deliver()
        return person.find_view()

    def submits(self, person: Person, **values: Any) -> None:
        """Fill in and submit the top form, which must be taken."""
        done = person.submit(values)
        assert done.ok, done
        assert not done.errors, done.errors
        assert person.find_view() is None
        self.deliver()

    def is_refused(self, person: Person, **values: Any) -> dict[str, str]:
        """Submit the top form, which must not be taken; return what it says under its fields, and leave it."""
        done = person.submit(values)
        assert done.ok, done
        assert done.errors
        self.deliver()
        return done.errors

    def files(self, person: Person, change: str = "Show fresh offers first", **values: Any) -> None:
        self.types(person, f"/hypothesis {change}")
        if person.submit(FILE | values).ok and person.find_view() is not None:
            self.submits(person)  # the first time it asked whether this was tried before
        self.deliver()

    def tries(self, person: Person, subject: str = "H-1", *, with_users: bool = True) -> None:
        """Begin a prototype, and add what users did."""
        self.types(person, f"/hypothesis prototype {subject}")
        self.submits(person, **PROTOTYPE)
        if with_users:
            self.types(person, f"/hypothesis evidence {subject}")
            self.submits(person, **EVIDENCE)

    def plans(self, person: Person, subject: str = "H-1", **values: Any) -> None:
        view = self.types(person, f"/experiment plan {subject}")
        asks_why = "evidence_reason" in (view or {})["state"]["values"]
        self.submits(person, **PLAN | (NO_PROTOTYPE if asks_why else {}) | values)

    def starts(self, person: Person, subject: str = "E-1", **values: Any) -> None:
        self.types(person, f"/experiment start {subject}")
        self.submits(person, **values)

    def stops(self, person: Person, subject: str = "E-1", reason: str = "Enough seen") -> None:
        """Stop an experiment; its last look is made."""
        self.types(person, f"/experiment stop {subject}")
        self.submits(person, reason=reason)
        self.tick()

    def asks_lead(self, person: Person, subject: str = "H-1", **values: Any) -> None:
        self.types(person, f"/experiment ask {subject}")
        self.submits(person, **ASK | values)

    def runs(self, person: Person, change: str = "Show fresh offers first", *, number: int = 1, **plan: Any) -> None:
        """File, plan and start, without a prototype."""
        self.files(person, change, **({"metric": plan["goal"]} if "goal" in plan else {}))
        self.plans(person, f"H-{number}", **plan)
        self.starts(person, f"H-{number}")

    def channel(self, channel: str = people.CHANNEL) -> list[Json]:
        """Return what everybody sees in the channel, oldest first."""
        return [message for message in self.lena.messages(channel) if not message["is_ephemeral"]]

    def card(self, subject: str = "H-1") -> Json:
        """Return a hypothesis's card."""
        cards = [one for one in self.channel() if read(one).startswith(f"# {subject} ·")]
        assert len(cards) == 1, f"{len(cards)} cards of {subject}"
        return cards[0]

    def thread(self, subject: str = "H-1") -> list[str]:
        """Return the story in a card's thread, line by line."""
        messages = self.lena.messages(people.CHANNEL, thread=self.card(subject)["ts"])
        return [read(message) for message in messages[1:] if not message["is_ephemeral"]]

    def private_messages(self, person: Person, channel: str = people.CHANNEL) -> list[Json]:
        return [message for message in person.messages(channel) if message["is_ephemeral"]]

    def private(self, person: Person, channel: str = people.CHANNEL) -> Json:
        """Return the newest message that only this person sees."""
        return self.private_messages(person, channel)[-1]

    def direct(self, person: Person) -> list[Json]:
        """Return the bot's direct messages to a person."""
        return [message for message in person.direct_messages() if not message["is_ephemeral"]]

    def digests(self, channel: str = people.CHANNEL) -> list[str]:
        return [text for message in self.channel(channel) if "hat we learned" in (text := read(message))]

    def keys(self) -> list[str]:
        """Return the delivery keys of all messages of the bot, wherever they are."""
        return [key(message) for message in told(self.slack)]

    def dossier(self, number: int = 1) -> Dossier | None:
        with self.bot.database.reading() as tx:
            return dossiers.find(tx, TEAM, HypothesisNumber(number))

    def send(self, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send the bot a request as Slack does, signed unless headers say otherwise."""
        body = urlencode(fields).encode()
        signed = outbound.signature(serving.DEFAULT_SIGNING_SECRET, body) if headers is None else dict(headers)
        return httpx.post(
            self.url, content=body, headers={"Content-Type": outbound.FORM, **signed}, timeout=10, verify=False
        )


def command_fields(text: str, *, user: str = people.ANA, team: str = TEAM, channel: str = people.CHANNEL) -> Json:
    """Return what Slack sends for "/command text"."""
    command, _, rest = text.partition(" ")
    return {
        "command": command,
        "text": rest,
        "team_id": team,
        "user_id": user,
        "channel_id": channel,
        "channel_name": "search-experiments",
        "trigger_id": secrets.token_hex(8),
        "response_url": "http://127.0.0.1:9/nobody",
        "api_app_id": "A0SANDBOX",
    }


def payload_fields(payload: Json) -> Json:
    """Return what Slack sends for a click or a form."""
    return {"payload": json.dumps(payload)}


def read(message: Json) -> str:
    """Return a message as people read it, without the signs of bold and code."""
    return plain_text(message).replace("*", "").replace("`", "")


def told(slack: SandboxClient) -> list[Json]:
    """Return every message of the bot, in whatever channel, thread or direct messages, oldest first."""
    found: dict[tuple[str, str], Json] = {}
    for person in map(slack.person, (people.ANA, people.BEN, people.LENA, people.OMAR)):
        for place in person.conversations():
            messages = person.messages(place["id"])
            for parent in [one for one in messages if one.get("thread_ts") == one["ts"] or one.get("reply_count")]:
                messages += person.messages(place["id"], thread=parent["ts"])
            found |= {(place["id"], one["ts"]): one for one in messages if one.get("metadata")}
    return [found[where] for where in sorted(found, key=lambda where: where[1])]


def key(message: Json) -> str:
    """Return what delivery knows a message by."""
    return str(message["metadata"]["event_payload"]["key"])


def workspace(*, scopes: tuple[str, ...] | None = None) -> Workspace:
    """Return the demo's people; scopes: of the bot, all of the manifest's unless given."""
    default = people.workspace()
    if scopes is None:
        return default
    return default.model_copy(update={"bot": SlackBot(name="Labcoat", scopes=scopes)})


@contextmanager
def playing(
    database_url: str,
    *,
    slack: Workspace | None = None,
    leads: tuple[str, ...] = people.LEADS,
    metrics: str = "",
    timing: Timing | None = None,
    environment: Mapping[str, str] | None = None,
    has_links: bool = False,
) -> Iterator[Play]:
    """Run a sandbox and a bot over a migrated database until the end, at START.

    environment: more of the bot's. has_links: Slack reaches the bot by Socket Mode.
    """
    with ending_together() as threads, serving.running_sandbox(slack or workspace(), timing=timing) as sandbox:
        read_settings = settings.read(
            {
                "SLACK_BOT_TOKEN": sandbox.slack.workspace.bot.token,
                "SLACK_SIGNING_SECRET": serving.DEFAULT_SIGNING_SECRET,
                "SLACK_APP_TOKEN": sandbox.slack.workspace.bot.app_token if has_links else "",
                "LABCOAT_SLACK_API_URL": sandbox.api_url,
                "DATABASE_URL": database_url,
                "LABCOAT_HOME_CHANNEL": people.CHANNEL,
                "LABCOAT_LEADS": ",".join(leads),
                "LABCOAT_METRICS": metrics,
                "LABCOAT_TIMEZONE": people.ZONE,
                "LABCOAT_SETTLE_SECONDS": "0",  # this Slack shows at once what it takes
                "LABCOAT_ACTS_PER_MINUTE": "0",  # people act as fast as the machine can
                "LABCOAT_ANSWER_WITHIN_MS": "2500",  # a test looks at once for what was answered
                **(environment or {}),
            }
        )
        bot = wiring.build(read_settings)
        try:
            with served(bot.web, threads) as address, SandboxClient(sandbox.url) as client:
                url = f"{address}/slack/events"
                sandbox.app_url = None if has_links else url
                play = Play(sandbox, client, bot, url)
                play.set_clock(START)
                with linked(bot.links) if bot.links else nullcontext():
                    client.wait_for(lambda: client.links.count() == (read_settings.links if has_links else 0))
                    yield play
        finally:
            bot.desk.close()
            bot.database.dispose()


@contextmanager
def linked(links: Connections) -> Iterator[None]:
    """Keep links of Socket Mode up, in a thread with an event loop of their own."""
    is_over = threading.Event()

    async def run() -> None:
        links.start()
        await asyncio.to_thread(is_over.wait)
        await links.stop()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="links", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(30)


@contextmanager
def ending_together() -> Iterator[list[threading.Thread]]:
    """Wait in the end for servers that were told to stop before: each takes its time, and they need not queue."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(10)


@contextmanager
def served(web: Starlette, threads: list[threading.Thread]) -> Iterator[str]:
    """Serve an app in a thread, without its lifespan: of the bot nothing ticks and nothing is delivered by itself."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as sandbox.serving does
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(web, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="bot", daemon=True)
    thread.start()
    threads.append(thread)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
