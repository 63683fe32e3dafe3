"""What Slack's troubles do to a message: said once where someone can look it up, and by its kind where nobody can."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from journeys.playing import FILE, PROTOTYPE, Play, read, workspace
from labcoat.db import outbox
from labcoat.demo import people
from labcoat.domain.notice import NoticeKind
from labcoat.slack.outgoing.delivery import SENT_AGAIN_WITHOUT_LOOK_UP
from slack_sandbox.faults import FaultKind
from slack_sandbox.wire import Json

WITHOUT_HISTORY = ("chat:write", "commands", "im:write", "users:read")
MONDAY = datetime(2026, 11, 30, 9, 31, tzinfo=ZoneInfo(people.ZONE))
LOST = [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.ERROR_500]


@pytest.mark.parametrize("fault", LOST)
def test_message_whose_answer_was_lost_is_there_once(play: Play, fault: FaultKind) -> None:
    _files_and_loses(play, fault)

    assert len(play.channel()) == 1


@pytest.mark.parametrize("fault", LOST)
def test_line_of_the_story_whose_answer_was_lost_is_there_once(play: Play, fault: FaultKind) -> None:
    play.files(play.ana)
    _tries_and_loses(play, fault)

    assert ["began a prototype" in line for line in play.thread()] == [True]


def test_messages_to_one_channel_keep_their_order_while_one_waits(play: Play) -> None:
    play.files(play.ana)
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_BEFORE)
    play.tries(play.ana)
    before = play.thread()
    _delivers_all(play)

    assert before == []
    assert [line.split(" ")[1] for line in play.thread()] == ["began", "added"]


def test_trouble_in_one_channel_holds_nobody_else_up(play: Play) -> None:
    play.slack.invite_bot("CGENERAL")
    play.deliver()  # the welcome
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_BEFORE)
    play.files(play.ana)

    play.types(play.ben, "/hypothesis Bigger photos", channel="CGENERAL")
    play.submits(play.ben, **FILE)

    assert play.channel() == []
    assert [text for one in play.channel("CGENERAL") if (text := read(one)).startswith("# H-")] != []


def test_rate_limit_is_waited_for(play: Play) -> None:
    play.slack.faults.add("chat.postMessage", FaultKind.RATELIMITED, seconds=1)
    play.files(play.ana)
    before = play.channel()
    _delivers_all(play)

    assert before == []
    assert len(play.channel()) == 1


def test_channel_without_the_bot_is_told_to_the_owner(play: Play) -> None:
    play.types(play.ana, "/hypothesis Bigger photos", channel="CGENERAL")
    play.submits(play.ana, **FILE)

    assert "I could not show H-1 in @CGENERAL" in read(play.direct(play.ana)[-1]).replace("#", "@")
    play.slack.invite_bot("CGENERAL")
    play.types(play.ana, "/hypothesis prototype H-1", channel="CGENERAL")
    play.submits(play.ana, **PROTOTYPE)
    welcome, card = play.channel("CGENERAL")
    assert "I help this team" in read(welcome)
    assert "H-1 · Prototype" in read(card)


def test_digest_that_someone_asked_for_where_the_bot_is_not_is_told_to_them(play: Play) -> None:
    play.files(play.ana)

    play.types(play.ana, "/experiment digest now", channel="CGENERAL")

    said = read(play.direct(play.ana)[-1])
    assert "I could not show the digest in" in said
    assert "invite me there with /invite" in said


def test_without_history_only_lines_of_the_story_are_never_sent_again() -> None:
    assert frozenset(NoticeKind) - SENT_AGAIN_WITHOUT_LOOK_UP == {NoticeKind.STORY}


@pytest.mark.parametrize(("fault", "times"), [(FaultKind.DROP_BEFORE, 1), (FaultKind.DROP_AFTER, 2)])
def test_without_history_a_card_is_rather_there_twice_than_never(
    play_with: Callable[..., Play], fault: FaultKind, times: int
) -> None:
    play = play_with(slack=workspace(scopes=WITHOUT_HISTORY))
    _files_and_loses(play, fault)

    assert len(play.channel()) == times


@pytest.mark.parametrize(("fault", "times"), [(FaultKind.DROP_BEFORE, 0), (FaultKind.DROP_AFTER, 1)])
def test_without_history_a_line_of_the_story_is_rather_missing_than_there_twice(
    play_with: Callable[..., Play], fault: FaultKind, times: int
) -> None:
    play = play_with(slack=workspace(scopes=WITHOUT_HISTORY))
    play.files(play.ana)
    _tries_and_loses(play, fault)
    play.types(play.ben, "/hypothesis evidence H-1")
    play.submits(play.ben, kind="interview", count="5", summary="4 of 5 asked for it")
    _delivers_all(play)

    assert sum("began a prototype" in line for line in play.thread()) == times
    assert "4 of 5 asked for it" in play.thread()[-1]
    with play.bot.database.reading() as tx:
        assert outbox.count(tx, kind=NoticeKind.STORY) == {outbox.DEAD: 1, outbox.SENT: 1}


@pytest.mark.parametrize(("fault", "times"), [(FaultKind.DROP_BEFORE, 1), (FaultKind.DROP_AFTER, 2)])
def test_without_history_a_digest_is_rather_there_twice_than_never(
    play_with: Callable[..., Play], fault: FaultKind, times: int
) -> None:
    play = play_with(slack=workspace(scopes=WITHOUT_HISTORY))
    play.files(play.ana)
    play.slack.faults.add("chat.postMessage", fault)
    play.set_clock(MONDAY)
    play.tick()
    _delivers_all(play)

    assert len(play.digests()) == times


@pytest.mark.parametrize(("fault", "times"), [(FaultKind.DROP_BEFORE, 1), (FaultKind.DROP_AFTER, 2)])
def test_without_history_a_request_is_rather_there_twice_than_never(
    play_with: Callable[..., Play], fault: FaultKind, times: int
) -> None:
    play = play_with(slack=workspace(scopes=WITHOUT_HISTORY))
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")
    _submits_held_back(play)
    play.slack.faults.add("chat.postMessage", fault)  # the next message but the thread's, which is told first
    _delivers_all(play)

    assert len(play.direct(play.lena)) == times


def _files_and_loses(play: Play, fault: FaultKind) -> None:
    play.slack.faults.add("chat.postMessage", fault)
    play.files(play.ana)
    _delivers_all(play)


def _tries_and_loses(play: Play, fault: FaultKind) -> None:
    play.slack.faults.add("chat.postMessage", fault)
    play.tries(play.ana, with_users=False)
    _delivers_all(play)


def _submits_held_back(play: Play) -> None:
    """Ask Lena, and tell all of it but the last: what goes to her."""
    asked: Json = {"conclusion": "supported", "learning": "People want it", "amount": "20"}
    play.ana.submit({**asked, "no_experiment": "legal or safety", "lead": people.LENA})
    while len(play.thread()) < 3:
        play.bot.jobs.deliver_one()


def _delivers_all(play: Play) -> None:
    """Deliver until nothing is left that waits for another try, which takes seconds of real time."""

    def is_done() -> bool:
        play.deliver()
        with play.bot.database.reading() as tx:
            return not {outbox.PENDING, outbox.SENDING, outbox.UNKNOWN} & outbox.count(tx).keys()

    play.slack.wait_for(is_done, timeout_seconds=20)


def test_other_months_are_not_looked_through(play: Play) -> None:
    """A look-up begins when the notice was written, so a long history costs nothing."""
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_AFTER)
    play.files(play.ana)
    _delivers_all(play)

    looked_up = [call for call in play.slack.calls() if call["method"] == "conversations.history"]

    assert len(looked_up) == 1
    oldest = datetime.fromtimestamp(float(looked_up[0]["payload"]["oldest"]), ZoneInfo("UTC"))
    assert timedelta(minutes=4) < datetime.now(ZoneInfo("UTC")) - oldest < timedelta(minutes=7)


def test_a_method_that_slack_wants_later_is_called_by_nobody_and_the_others_are(play: Play) -> None:
    play.slack.faults.add("conversations.open", FaultKind.RATELIMITED, seconds=600)
    play.files(play.ana)
    play.tries(play.ana)
    play.asks_lead(play.ana, no_experiment="legal or safety")
    play.types(play.ben, "/hypothesis Bigger photos")
    play.submits(play.ben, **FILE)
    play.types(play.ben, "/hypothesis prototype H-2")
    play.submits(play.ben, **PROTOTYPE)
    play.asks_lead(play.ben, "H-2", no_experiment="legal or safety", lead=people.OMAR)

    assert [call["method"] for call in play.slack.calls(limit=500)].count("conversations.open") == 1
    assert "asked" in play.thread("H-1")[-1]
    assert "asked" in play.thread("H-2")[-1]
