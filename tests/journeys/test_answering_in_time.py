"""While the database keeps a listener waiting Slack is answered in time, and what the listener says follows; once."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection, Engine, event

from journeys.playing import H1, Play, read
from labcoat.words import waiting

PROMPT = {"LABCOAT_ANSWER_WITHIN_MS": "50"}


@dataclass
class Gate:
    """What every transaction of a listener waits at while it is shut."""

    is_open: threading.Event = field(default_factory=threading.Event)

    def hold(self, _: Connection) -> None:
        if threading.current_thread().name.startswith("listener"):
            assert self.is_open.wait(60)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    made.is_open.set()
    event.listen(Engine, "begin", made.hold)
    yield made
    made.is_open.set()
    event.remove(Engine, "begin", made.hold)


def comes(seen: Callable[[], object]) -> bool:
    """Whether something is seen within a minute."""
    until, pause = time.monotonic() + 60, threading.Event()
    while not seen():
        if time.monotonic() > until:
            return False
        pause.wait(0.02)
    return True


def test_a_command_is_taken_at_once_and_its_answer_follows(play_with: Callable[..., Play], gate: Gate) -> None:
    play = play_with(environment=PROMPT)
    gate.is_open.clear()

    done = play.ana.command("/hypothesis", "list")

    assert done.ok
    assert play.private_messages(play.ana) == []
    gate.is_open.set()
    assert comes(lambda: len(play.private_messages(play.ana)) == 1)
    assert "none" in read(play.private(play.ana))


def test_a_click_is_taken_at_once_and_its_form_opens_when_it_can(play_with: Callable[..., Play], gate: Gate) -> None:
    play = play_with(environment=PROMPT)
    play.files(play.ana)
    card = play.card()
    gate.is_open.clear()

    done = play.ana.click(card, action_id="prototype")

    assert done.ok
    assert play.ana.find_view() is None
    gate.is_open.set()
    assert comes(lambda: play.ana.find_view() is not None)


def test_a_form_says_that_it_takes_longer_and_then_that_it_is_done(play_with: Callable[..., Play], gate: Gate) -> None:
    play = play_with(environment=PROMPT)
    play.files(play.ana)
    play.types(play.ana, "/hypothesis edit H-1")
    assert comes(play.ana.find_view)  # a busy machine takes longer than 50 ms for it too
    gate.is_open.clear()

    errors = play.ana.submit({"change": "Show fresh offers last"}).errors

    assert set(errors.values()) == {waiting.STILL_WORKING}
    gate.is_open.set()
    assert comes(lambda: waiting.DONE_LATE in read(play.ana.view))
    dossier = play.dossier(H1)
    assert dossier is not None
    assert dossier.hypothesis.change == "Show fresh offers last"


def test_a_form_that_is_pressed_again_is_done_once(play_with: Callable[..., Play], gate: Gate) -> None:
    play = play_with(environment=PROMPT)
    play.files(play.ana)
    play.types(play.ana, "/hypothesis prototype H-1")
    assert comes(play.ana.find_view)  # a busy machine takes longer than 50 ms for it too
    answers = {"summary": "A SQL query", "cap": "2", "stop_when": "Nobody notices", "build_guess": "30"}
    play.slack.faults.add("views.update", "error_500")
    gate.is_open.clear()

    first = play.ana.submit(answers)
    gate.is_open.set()
    again = play.ana.submit(answers)

    assert set(first.errors.values()) == {waiting.STILL_WORKING}
    assert (again.ok, again.errors) == (True, {})
    assert play.ana.find_view() is None
    dossier = play.dossier(H1)
    assert dossier is not None
    assert len(dossier.prototypes) == 1


def test_what_is_more_than_can_be_done_is_said_at_once(play_with: Callable[..., Play], gate: Gate) -> None:
    play = play_with(environment={**PROMPT, "LABCOAT_THREADS": "1"})
    gate.is_open.clear()
    for _ in range(8):
        assert play.ana.command("/hypothesis", "list").ok

    refused = play.ana.command("/hypothesis", "list")

    assert refused.ok
    assert [read(message) for message in play.private_messages(play.ana)] == [waiting.TOO_BUSY]
    gate.is_open.set()
    assert comes(lambda: len(play.private_messages(play.ana)) == 9)


def test_who_ends_waits_for_what_was_answered_early(play_with: Callable[..., Play], gate: Gate) -> None:
    play = play_with(environment=PROMPT)
    gate.is_open.clear()
    play.ana.command("/hypothesis", "list")
    ending = threading.Thread(target=play.bot.desk.close)
    ending.start()

    gate.is_open.set()
    ending.join(60)

    assert not ending.is_alive()
    assert len(play.private_messages(play.ana)) == 1


def test_what_the_bot_does_is_logged_though_bolt_is_quiet(
    play_with: Callable[..., Play], caplog: pytest.LogCaptureFixture
) -> None:
    play = play_with()
    caplog.set_level(logging.INFO)

    play.types(play.ana, "/hypothesis help")

    assert any(one.getMessage().startswith("answered 200 in ") for one in caplog.records)
