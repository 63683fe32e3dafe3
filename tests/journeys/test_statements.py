"""How often a step asks the database, from Slack's request to our answer, with what it puts off; on both databases.

BEGIN, SAVEPOINT and COMMIT are not counted. The limits are those of docs/architecture.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from journeys.playing import ASK, CLOSE, DAY, EVIDENCE, FILE, PLAN, PROTOTYPE, Play
from labcoat.demo import people
from slack_sandbox.client import Person

ORDINARY, OF_A_REQUEST_OR_THE_END, FILING, PIVOT = 9, 12, 13, 16
_NOT_COUNTED = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile, by whatever thread."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(_NOT_COUNTED):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


Submit = Callable[..., int]


def _submits(play: Play) -> Submit:
    """Return what opens a form, submits it, and returns how many statements the submission took."""

    def submit(person: Person, command: str, **values: Any) -> int:
        play.types(person, command)
        with counted() as sent:
            done = person.submit(values)
            assert done.ok, done
            assert not done.errors, done.errors
        play.deliver()
        return len(sent)

    return submit


def test_steps_stay_within_their_statements(play_on_both: Play) -> None:
    play, submit = play_on_both, _submits(play_on_both)
    ana, lena = play.ana, play.lena
    # Not counted: the first of all makes the workspace and its people.
    play.files(ana, "Greet newcomers by name", metric="visits per week")

    found = {
        "file": submit(ana, "/hypothesis Show fresh offers first", **FILE),
        "prototype": submit(ana, "/hypothesis prototype H-2", **PROTOTYPE),
        "evidence": submit(ana, "/hypothesis evidence H-2", **EVIDENCE),
        "cap": submit(ana, "/hypothesis cap H-2", cap="9", reason="Nearly there"),
        "plan": submit(ana, "/experiment plan H-2", **PLAN),
        "start": submit(ana, "/experiment start E-1"),
    }
    play.set_clock(play.now() + DAY)
    found["stop"] = submit(ana, "/experiment stop E-1", reason="Enough seen")
    with counted() as sent:
        ana.command("/experiment", "again E-1", channel=people.CHANNEL)
    found["again"] = len(sent)
    play.deliver()
    found["cancel"] = submit(ana, "/experiment cancel E-2", reason="Not now")
    found["ask"] = submit(ana, "/experiment ask H-2", **ASK)
    form = play.presses(lena, play.direct(lena)[-1], "send_back")
    assert form is not None
    with counted() as sent:
        assert lena.submit({"reason": "Show the costs"}).ok
    found["send back"] = len(sent)
    play.deliver()
    found["ask again"] = submit(ana, "/experiment ask H-2", **ASK)
    play.presses(lena, play.direct(lena)[-1], "approve")
    with counted() as sent:
        assert lena.submit({}).ok
    found["approve"] = len(sent)
    play.deliver()
    found["ship"] = submit(ana, "/hypothesis ship H-2", link="https://example.com/1", days_spent="5")
    found["close"] = submit(ana, "/hypothesis close H-1", **CLOSE)
    found["reopen"] = submit(ana, "/hypothesis reopen H-1", reason="Twice as many see it")
    found["pivot"] = submit(ana, "/hypothesis pivot H-1", **CLOSE, change="Wave at the end", **FILE)

    limits = dict.fromkeys(found, ORDINARY)
    limits |= dict.fromkeys(
        ("ask", "ask again", "approve", "send back", "ship", "close", "again"), OF_A_REQUEST_OR_THE_END
    )
    limits |= {"file": FILING, "pivot": PIVOT}
    assert {step: number for step, number in found.items() if number > limits[step]} == {}
    assert min(found.values()) > 4  # what counts them counts
