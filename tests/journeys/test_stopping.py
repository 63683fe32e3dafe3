"""SIGTERM while people act: whoever was heard is answered, nothing is done twice, and the process ends with 0."""

import signal
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labcoat.demo import people, stage
from labcoat.demo.stage import Stage
from slack_sandbox.client import Person
from slack_sandbox.faults import FaultKind

ACTORS = (people.ANA, people.BEN, people.LENA, people.OMAR)
PATIENCE_SECONDS = 60
DIGEST = ("/experiment", "digest now")
ON_ITS_WAY = "on its way"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stage]:
    with stage.raised(tmp_path) as raised:
        yield raised


@pytest.fixture(params=["http", "socket mode"])
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """What Slack reaches by either way."""
    has_links = request.param == "socket mode"
    with stage.raised(tmp_path, has_links=has_links) as raised:
        if has_links:
            raised.slack.wait_for(lambda: raised.slack.links.count() == 2, timeout_seconds=PATIENCE_SECONDS)
        yield raised


def test_everybody_who_was_heard_before_the_stop_is_answered_and_nobody_twice(reached: Stage, tmp_path: Path) -> None:
    running = reached
    outcomes: Counter[str] = Counter()
    process = _process(running)
    heard = threading.Event()

    def acts(user: str) -> None:
        person = running.slack.person(user)
        error = None
        while error is None:  # until nobody listens any more
            error = person.command(*DIGEST, channel=people.CHANNEL).error
            outcomes[error or "ok"] += 1
            if outcomes["ok"] >= len(ACTORS):
                heard.set()

    with ThreadPoolExecutor(len(ACTORS)) as actors:
        acting = [actors.submit(acts, user) for user in ACTORS]
        assert heard.wait(PATIENCE_SECONDS)
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_SECONDS)
        for one in acting:
            one.result(PATIENCE_SECONDS)

    answers = sum(_answers(running.slack.person(user)) for user in ACTORS)
    assert code == 0
    assert outcomes.keys() == {"ok", "dispatch_failed"}, outcomes  # the latter is what Slack says where nobody is
    assert answers == _digests(tmp_path) >= outcomes["ok"]  # one by a link may be answered after it closed


def test_post_that_is_being_sent_is_finished_first(running: Stage, tmp_path: Path) -> None:
    process = _process(running)
    running.slack.faults.add("chat.postMessage", FaultKind.HOLD_AFTER)
    running.slack.person(people.ANA).command(*DIGEST, channel=people.CHANNEL)
    running.slack.wait_for(running.slack.faults.held, timeout_seconds=PATIENCE_SECONDS)

    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    running.slack.faults.release()

    assert process.wait(PATIENCE_SECONDS) == 0
    assert _states(tmp_path) == {"sent": 1}


def test_second_signal_ends_it_at_once(running: Stage) -> None:
    process = _process(running)
    running.slack.faults.add("chat.postMessage", FaultKind.HOLD_BEFORE)
    running.slack.person(people.ANA).command(*DIGEST, channel=people.CHANNEL)
    running.slack.wait_for(running.slack.faults.held, timeout_seconds=PATIENCE_SECONDS)

    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert running.slack.person(people.ANA).messages(people.CHANNEL)[0]["is_ephemeral"]


def _process(running: Stage) -> "subprocess.Popen[bytes]":
    assert running.bot.process is not None
    return running.bot.process


def _answers(person: Person) -> int:
    return sum(ON_ITS_WAY in message["text"] for message in person.messages(people.CHANNEL) if message["is_ephemeral"])


def _states(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "labcoat.db") as database:
        return dict(database.execute("SELECT state, count(*) FROM outbox WHERE kind = 'digest' GROUP BY state"))


def _digests(folder: Path) -> int:
    return sum(_states(folder).values())
