"""Opening every form in a workspace with thousands of hypotheses; prints one JSON line.

The bot is `labcoat serve` on SQLite, Slack is `labcoat sandbox`, each a process of its own. What is timed is all that a
person waits for: from the command to its ack, with the form that the bot opened in between through Slack's Web API.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.acking.requests import SECRET
from benchmarks.acking.servers import LABCOAT, free_port, process

from labcoat.db.database import Database
from labcoat.db.migrating import migrate
from labcoat.demo import past, people
from labcoat.domain.hypothesis import Statement
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.member import Member
from labcoat.stats.rule import Direction
from labcoat.usecases.hypotheses import hypotheses
from slack_sandbox.client import Person, SandboxClient

WORKSPACE = WorkspaceId(people.workspace().team.id)
LARGEST_MS = 100.0
PROTOTYPE = {"summary": "A SQL query", "cap": "2", "stop_when": "Nobody notices"}
EVIDENCE = {"kind": "interview", "count": "5", "summary": "4 of 5 asked for it"}
PLAN = {"baseline": "10 %", "minimum_effect": "5 %", "evidence_reason": "A switch"}
ASK = {"conclusion": "supported", "learning": "They do", "amount": "20", "lead": people.LENA}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hypotheses", type=int, default=2000, help="open ones beside the demo's past year")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="labcoat-bench-") as folder,
        running(Path(folder), given.hypotheses) as slack,
    ):
        ana, commands = slack.person(people.ANA), at_every_stage(slack, first=past.HYPOTHESES + given.hypotheses + 1)
        for command in commands:
            opened(ana, command)
        times = {command: [opened(ana, command) for _ in range(given.rounds)] for command in commands}
        ben = slack.person(people.BEN)  # who owns them all
        times["Home"] = [home_opened(ben) for _ in range(given.rounds)]
    shown = {command: round(statistics.median(all_ms), 1) for command, all_ms in times.items()}
    slowest = max(max(all_ms) for all_ms in times.values())
    print(
        json.dumps(
            {
                "benchmark": "forms",
                "hypotheses": given.hypotheses + past.HYPOTHESES,
                "rounds": given.rounds,
                "database": "sqlite",
                "median_ms": shown,
                "slowest_ms": round(slowest, 1),
                "limits": {"slowest_ms": LARGEST_MS},
                "is_within_limits": slowest < LARGEST_MS,
            }
        )
    )


def opened(person: Person, command: str) -> float:
    """Type a command that opens a form; return the milliseconds until it is there."""
    root, _, text = command.partition(" ")
    begun = time.perf_counter()
    done = person.command(root, text, channel=people.CHANNEL)
    took = (time.perf_counter() - begun) * 1000
    if not done.ok or person.find_view() is None:
        message = f"{command} opened no form: {done}"
        raise RuntimeError(message)
    person.close()
    return took


def home_opened(person: Person) -> float:
    """Open Home; return the milliseconds until it is published."""
    begun = time.perf_counter()
    done = person.open_home()
    took = (time.perf_counter() - begun) * 1000
    if not done.ok or person.home() is None:
        message = f"Home did not open: {done}"
        raise RuntimeError(message)
    return took


def at_every_stage(slack: SandboxClient, *, first: int) -> list[str]:
    """Bring hypotheses to every stage; return the commands that open a form there."""
    ana = slack.person(people.ANA)
    new, tried, drafted, running_one, stopped = (f"H-{first + position}" for position in range(5))
    for _ in range(5):
        does(ana, "/hypothesis", {"change": "Measure", "metric": "orders", "because": "Five people asked for it"})
    does(ana, f"/hypothesis prototype {tried}", PROTOTYPE)
    does(ana, f"/hypothesis evidence {tried}", EVIDENCE)
    for subject in (drafted, running_one, stopped):
        does(ana, f"/experiment plan {subject}", PLAN)
    for subject in (running_one, stopped):
        does(ana, f"/experiment start {subject}", {"since": int((datetime.now(UTC) - timedelta(days=2)).timestamp())})
    does(ana, f"/experiment stop {stopped}", {"reason": "Enough seen"})
    return [
        "/hypothesis",
        "/hypothesis import",
        "/hypothesis search",
        "/experiment settings",
        "/experiment away",
        "/experiment size",
        "/experiment need A log of views",
        "/hypothesis Show the newest offers first to people who come back",
        f"/hypothesis prototype {new}",
        f"/hypothesis edit {new}",
        f"/hypothesis handover {new}",
        f"/hypothesis pivot {new}",
        f"/experiment adopt {new}",
        f"/hypothesis close {new}",
        f"/hypothesis evidence {tried}",
        f"/experiment plan {tried}",
        f"/experiment ask {tried}",
        f"/hypothesis cap {tried}",
        f"/experiment plan {drafted}",
        f"/experiment predict {drafted}",
        f"/experiment start {drafted}",
        f"/experiment cancel {drafted}",
        f"/experiment record {running_one}",
        f"/experiment stop {running_one}",
        f"/experiment ask {stopped}",
    ]


def does(person: Person, command: str, values: dict[str, Any]) -> None:
    """Type a command and submit the form that opens; once more where the form asks whether that is meant."""
    root, _, text = command.partition(" ")
    person.command(root, text, channel=people.CHANNEL)
    for _ in range(2):
        outcome = person.submit(values)
        if not outcome.ok or outcome.errors:
            message = f"{command}: {outcome}"
            raise RuntimeError(message)
        if person.find_view() is None:
            return


@contextmanager
def running(folder: Path, count: int) -> Iterator[SandboxClient]:
    """Run sandbox and bot over a database with that many open hypotheses and the demo's past."""
    url = f"sqlite:///{folder / 'labcoat.db'}"
    fill(url, count)
    bot_port, sandbox_port = free_port(), free_port()
    workspace = folder / "workspace.json"
    workspace.write_text(people.workspace().model_dump_json(), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": people.workspace().bot.token,
        "SLACK_SIGNING_SECRET": SECRET,
        "LABCOAT_SLACK_API_URL": f"http://127.0.0.1:{sandbox_port}/api/",
        "DATABASE_URL": url,
        "LABCOAT_HOST": "127.0.0.1",
        "PORT": str(bot_port),
        "LABCOAT_HOME_CHANNEL": people.CHANNEL,
        "LABCOAT_LEADS": people.LENA,
    }
    app_url = f"http://127.0.0.1:{bot_port}/slack/events"
    sandbox = [LABCOAT, "sandbox", "--app-url", app_url, "--signing-secret", SECRET, "--port", str(sandbox_port)]
    with ExitStack() as stack:
        stack.enter_context(process([*sandbox, "--workspace", str(workspace)], port=sandbox_port))
        stack.enter_context(process([LABCOAT, "serve"], port=bot_port, environment=environment))
        yield stack.enter_context(SandboxClient(f"http://127.0.0.1:{sandbox_port}"))


def fill(url: str, count: int) -> None:
    """Write the past and that many open hypotheses; all of it was told."""
    database, now = Database(url), datetime.now(UTC)
    migrate(database)
    channel = ChannelId(people.CHANNEL)
    past.write(database, workspace=WORKSPACE, channel=channel, now=now)
    with database.writing() as tx:
        for number in range(count):
            words = Statement(
                change=f"Show {number} more of what {number % 37} people look for on page {number % 11}",
                metric=f"metric {number % 50}",
                direction=Direction.UP,
                because=f"{number % 9} of 10 people asked for it in interview {number}",
            )
            by = Member(user=UserId(people.BEN))
            hypotheses.file(tx, WORKSPACE, words, by=by, owner=by.user, channel=channel, now=now)
        past.settle_all(tx, channel)
    database.dispose()


if __name__ == "__main__":
    main()
