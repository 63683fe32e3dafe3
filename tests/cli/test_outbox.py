"""`labcoat outbox` on a real database: what could not be delivered is listed, tried again, or forgotten."""

import pytest

from builders import CHANNEL, H12, OWNER, WORKSPACE
from labcoat.cli import app as cli
from labcoat.db import clock, outbox
from labcoat.db.database import Database
from labcoat.db.migrating import migrate
from labcoat.domain.facts import CardChanged, NudgesChanged
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.slack.outgoing.delivery import WAITS


@pytest.fixture
def database(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("DATABASE_URL", database.url)
    return database


def given_up(database: Database, *, problem: str = "not_in_channel", may_be_sent: bool = False) -> int:
    """Give up a card, after a word to its owner was given up too; return the card's number."""
    card = Notice(
        kind=NoticeKind.CARD, workspace=WORKSPACE, channel=CHANNEL, subject="card H-1", fact=CardChanged(hypothesis=H12)
    )
    numbers = []
    with database.writing() as tx:
        for notice in (Notice(kind=NoticeKind.NUDGE, workspace=WORKSPACE, person=OWNER, fact=NudgesChanged()), card):
            outbox.put(tx, notice)
            claim = outbox.claim(tx, at=clock.lease_now(tx), lease=WAITS[0])
            assert claim is not None
            outbox.dead_letter(tx, claim, problem=problem, may_be_sent=may_be_sent)
            numbers.append(claim.id)
    return numbers[-1]


def states(database: Database) -> dict[str, int]:
    with database.reading() as tx:
        return outbox.count(tx)


def test_it_lists_what_where_and_why(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    number = given_up(database)

    code = cli.main(["outbox"])

    said = capsys.readouterr().out
    assert code == 0
    assert said.startswith(f"{number}  ")
    assert f"a card for {CHANNEL}" in said
    assert f"a nudge for {OWNER}" in said
    assert "Labcoat is not in the channel: invite it there with /invite." in said


def test_with_nothing_to_list_it_says_so(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["outbox"]) == 0
    assert capsys.readouterr().out == "Everything was delivered or is on its way.\n"


@pytest.mark.parametrize(("may_be_sent", "state"), [(False, outbox.PENDING), (True, outbox.UNKNOWN)])
def test_one_is_tried_again_and_looked_up_first_if_it_may_have_arrived(
    database: Database, *, may_be_sent: bool, state: str
) -> None:
    number = given_up(database, may_be_sent=may_be_sent)

    code = cli.main(["outbox", "retry", str(number)])

    assert (code, states(database)) == (0, {outbox.DEAD: 1, state: 1})
    with database.writing() as tx:
        claim = outbox.claim(tx, at=clock.lease_now(tx), lease=WAITS[0])
    assert claim is not None
    assert (claim.id, claim.failures, claim.may_be_sent) == (number, 0, may_be_sent)


def test_all_are_tried_again(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    given_up(database)

    assert cli.main(["outbox", "retry", "--all"]) == 0
    assert capsys.readouterr().out == "labcoat serve will retry 2.\n"
    assert states(database) == {outbox.PENDING: 2}


def test_one_is_forgotten(database: Database) -> None:
    number = given_up(database)

    assert cli.main(["outbox", "drop", str(number)]) == 0
    assert states(database) == {outbox.DEAD: 1}


@pytest.mark.parametrize("verb", ["retry", "drop"])
def test_what_was_delivered_is_neither_tried_again_nor_forgotten(
    database: Database, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    with database.writing() as tx:
        outbox.put(tx, Notice(kind=NoticeKind.NUDGE, workspace=WORKSPACE, person=OWNER, fact=NudgesChanged()))
        claim = outbox.claim(tx, at=clock.lease_now(tx), lease=WAITS[0])
        assert claim is not None
        outbox.settle(tx, claim, channel=CHANNEL, ts="1.2")

    assert cli.main(["outbox", verb, str(claim.id)]) == 1
    assert "is none of what could not be delivered. To see what is: labcoat outbox" in capsys.readouterr().err
    assert states(database) == {outbox.SENT: 1}


def test_a_database_that_is_not_migrated_is_refused(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database.url)

    assert cli.main(["outbox"]) == 1
    assert "Run: labcoat migrate" in capsys.readouterr().err
    migrate(empty_database)
    assert cli.main(["outbox"]) == 0
