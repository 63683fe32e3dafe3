"""A story goes on though `labcoat demo`'s bot dies with `kill -9`; every other point of death is in tests/chaos."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from journeys.playing import FILE, PROTOTYPE, key, read, told
from labcoat.demo import people, stage
from labcoat.demo.stage import Stage
from slack_sandbox.client import Person
from slack_sandbox.faults import FaultKind
from slack_sandbox.wire import Json

LEASE = {"LABCOAT_LEASE_SECONDS": "2"}
"""So that the next process may soon take over what the dead one began."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stage]:
    with stage.raised(tmp_path, environment=LEASE) as raised:
        yield raised


def test_story_goes_on_after_kills_around_a_post(running: Stage) -> None:
    ana, ben = running.slack.person(people.ANA), running.slack.person(people.BEN)
    running.slack.faults.add("chat.postMessage", FaultKind.HOLD_AFTER)

    _files(ana, "Show fresh offers first")
    _dies_while_held(running)
    _waits(running, "H-1 · Hypothesize")

    running.slack.faults.add("chat.postMessage", FaultKind.HOLD_AFTER)
    ana.click(_card(running), action_id="prototype")
    ana.submit(PROTOTYPE)
    running.slack.wait_for(running.slack.faults.held)
    ben.command("/hypothesis", "evidence H-1")
    ben.submit({"kind": "interview", "count": "5", "summary": "4 of 5 asked for it"})
    _dies_while_held(running)
    _waits(running, "4 of 5 asked for it")
    _waits(running, "1 from users")

    firsts = _firsts(running)
    assert firsts[0] == "# H-1 · Prototype · day 1"
    assert [line.split(" ")[1] for line in firsts[1:]] == ["began", "added"]


def test_request_and_its_answer_are_there_once_after_kills(running: Stage) -> None:
    ana, lena = running.slack.person(people.ANA), running.slack.person(people.LENA)
    _files(ana, "Show fresh offers first")
    ana.command("/hypothesis", "prototype H-1")
    ana.submit(PROTOTYPE)
    _waits(running, "began a prototype")
    ana.command("/experiment", "ask H-1")
    running.slack.faults.add("conversations.open", FaultKind.HOLD_AFTER)
    asked = {
        "conclusion": "supported",
        "learning": "People want it",
        "amount": "20",
        "no_experiment": "legal or safety",
    }
    ana.submit({**asked, "lead": people.LENA})
    _dies_while_held(running)
    _waits(running, "to productionize?")

    running.slack.faults.add("chat.update", FaultKind.HOLD_AFTER)
    request = next(one for one in lena.direct_messages() if "to productionize?" in read(one))
    lena.click(request, action_id="approve")
    lena.submit({})
    _dies_while_held(running)
    _waits(running, "your request was approved", of="text")
    _waits(running, "H-1 · Productionize")
    _waits(running, "@ULENA approved")

    assert [read(one).splitlines()[0][:5] for one in lena.direct_messages()] == ["# H-1"]
    assert ["Approved" in read(one) for one in ana.direct_messages()] == [True]
    story = [line.split(" ")[1] for line in _firsts(running) if line.startswith("@")]
    assert story == ["began", "asked", "approved"]


def _files(person: Person, change: str, *, channel: str = people.CHANNEL) -> None:
    assert person.command("/hypothesis", change, channel=channel).ok
    done = person.submit(FILE)
    assert done.ok
    assert not done.errors


def _dies_while_held(running: Stage) -> None:
    """Kill the bot while Slack keeps it waiting, and start another over the same database."""
    running.slack.wait_for(running.slack.faults.held)
    running.bot.kill()
    running.slack.wait_for(lambda: running.slack.faults.held() == 0)
    running.bot.start()


def _firsts(running: Stage) -> list[str]:
    """Return the first line of every message, oldest first; no key may be there twice."""
    messages = told(running.slack)
    keys = [key(message) for message in messages]
    assert len(keys) == len(set(keys))
    return [read(message).splitlines()[0] for message in messages]


def _waits(running: Stage, text: str, *, is_there: bool = True, of: str = "") -> None:
    def found() -> bool:
        return any(text in (str(one[of]) if of else read(one)) for one in told(running.slack)) is is_there

    running.slack.wait_for(found, timeout_seconds=15)


def _card(running: Stage) -> Json:
    return next(one for one in told(running.slack) if read(one).startswith("# H-1 ·"))
