"""What Slack does not take is given up in time, shown to admins with its reason, and tried again when they say so."""

from datetime import UTC, datetime, timedelta

import pytest

from journeys.playing import FILE, TEAM, Play, read
from labcoat.db import clock, outbox, undelivered
from labcoat.db import people as known
from labcoat.demo import people
from labcoat.domain.facts import BotInvited
from labcoat.domain.ids import ChannelId, UserId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.person import Person
from labcoat.slack.outgoing import delivery
from labcoat.slack.outgoing.delivery import GIVE_UP_AFTER, MOST_TRIES, WAITS
from slack_sandbox.faults import FaultKind

NOT_INVITED = "CGENERAL"


class Wall:
    """The wall clock, ahead of the real one by what a test says. On SQLite leases go by it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    monkeypatch.setattr(clock, "machine_now", wall.now)
    return wall


def tried(play: Play) -> int:
    return [call["method"] for call in play.slack.calls(limit=1000)].count("chat.postMessage")


def counts(play: Play) -> dict[str, int]:
    with play.bot.database.reading() as tx:
        return outbox.count(tx)


def test_what_slack_takes_exception_to_is_given_up_after_eight_tries(play: Play, wall: Wall) -> None:
    play.slack.faults.add("chat.postMessage", FaultKind.ERROR_500, times=None)
    play.files(play.ana)
    for wait in WAITS:
        assert counts(play) == {outbox.UNKNOWN: 1}
        wall.ahead += wait
        play.deliver()

    with play.bot.database.reading() as tx:
        given_up = undelivered.list_of(tx, TEAM, limit=9)
    assert [(one.kind, one.channel) for one in given_up] == [("card", people.CHANNEL)]
    # The card, and the word to its owner that it could not be shown, which meets the same trouble.
    assert tried(play) - MOST_TRIES == 1


def test_a_slack_that_does_not_answer_is_waited_for_a_day(play: Play, wall: Wall) -> None:
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_BEFORE, times=None)
    play.files(play.ana)
    for _ in range(30):
        wall.ahead += timedelta(minutes=1)
        play.deliver()
    before = counts(play)
    wall.ahead += GIVE_UP_AFTER
    play.deliver()

    assert before == {outbox.UNKNOWN: 1}
    assert counts(play)[outbox.DEAD] == 1


def test_a_weekend_without_the_bot_ends_no_tries(play: Play, wall: Wall) -> None:
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_BEFORE)
    with play.bot.database.writing() as tx:
        channel = ChannelId(people.CHANNEL)
        outbox.put(tx, Notice(kind=NoticeKind.WELCOME, workspace=TEAM, channel=channel, fact=BotInvited()))
    wall.ahead += timedelta(hours=64)
    play.deliver()
    before = counts(play)
    wall.ahead += timedelta(minutes=2)
    play.deliver()

    assert before == {outbox.UNKNOWN: 1}
    assert counts(play) == {outbox.SENT: 1}


def test_a_long_history_is_looked_through_a_part_at_a_time(
    play: Play, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PAGE", 1)
    for number in range(4):
        play.ana.say(f"before {number}", channel=people.CHANNEL)
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_BEFORE)
    play.files(play.ana)
    for number in range(3):
        play.ana.say(f"after {number}", channel=people.CHANNEL)
    for _ in range(30):
        play.slack.faults.add("conversations.history", FaultKind.SLOW, seconds=0)  # one page is given
        play.slack.faults.add("conversations.history", FaultKind.RATELIMITED, seconds=60)
    for _ in range(12):
        wall.ahead += timedelta(seconds=61)
        play.deliver()

    assert counts(play) == {outbox.SENT: 1}


def test_what_was_retried_by_hand_is_looked_for_when_it_may_have_been_sent(play: Play, wall: Wall) -> None:
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_AFTER)
    play.slack.faults.add("conversations.history", FaultKind.RATELIMITED, times=None, seconds=3600)
    play.files(play.ana)
    sent = datetime.now(UTC)
    for _ in range(26):
        wall.ahead += timedelta(hours=1, seconds=1)
        play.deliver()
    held = counts(play)
    play.slack.faults.release()
    wall.ahead += timedelta(days=20)
    with play.bot.database.writing() as tx:
        undelivered.retry(tx)
    play.deliver()

    looked = [call["payload"] for call in play.slack.calls(limit=500) if call["method"] == "conversations.history"]
    window = [datetime.fromtimestamp(float(looked[-1][end]), UTC) for end in ("oldest", "latest")]
    assert held[outbox.DEAD] == 1
    assert len(play.channel()) == 1
    assert counts(play).get(outbox.DEAD) is None
    assert window[0] < sent < window[1] < sent + timedelta(minutes=10)


def test_a_token_that_is_taken_back_loses_nothing(play: Play, wall: Wall) -> None:
    slack = play.sandbox.slack
    other = slack.workspace.bot.model_copy(update={"token": "xoxb-sandbox-other"})
    slack.workspace = slack.workspace.model_copy(update={"bot": other})
    play.slack.invite_bot(NOT_INVITED)  # which it welcomes
    for _ in range(MOST_TRIES + 1):
        wall.ahead += timedelta(minutes=1)
        play.deliver()

    assert counts(play) == {outbox.PENDING: 1}


def test_admins_see_what_was_not_delivered_and_have_it_tried_again(play: Play) -> None:
    play.types(play.lena, "/hypothesis list")  # so that Slack was asked whether she is an admin
    play.types(play.ana, "/hypothesis Bigger photos", channel=NOT_INVITED)
    play.submits(play.ana, **FILE)
    play.lena.open_home()
    play.ana.open_home()
    shown = [read(person.home() or {}) for person in (play.lena, play.ana)]
    play.slack.invite_bot(NOT_INVITED)

    play.lena.click_in_view(action_id="redeliver")
    play.deliver()

    assert "# Not delivered: 1" in shown[0]
    assert "a card for" in shown[0]
    assert "Labcoat is not in the channel: invite it there with /invite." in shown[0]
    assert "Not delivered" not in shown[1]
    assert "Not delivered" not in read(play.lena.home() or {})
    assert any(read(one).startswith("# H-1") for one in play.channel(NOT_INVITED))


def test_who_is_no_admin_any_more_has_nothing_tried_again(play: Play) -> None:
    play.types(play.lena, "/hypothesis list")
    play.types(play.ana, "/hypothesis Bigger photos", channel=NOT_INVITED)
    play.submits(play.ana, **FILE)
    play.lena.open_home()
    home = play.lena.home()
    with play.bot.database.writing() as tx:
        known.know(tx, TEAM, Person(user=UserId(people.LENA)), at=clock.machine_now())

    play.lena.click_in_view(action_id="redeliver", view=home)

    assert "Only an admin of this Slack workspace can do that." in read(play.lena.view)
    assert counts(play)[outbox.DEAD] == 1
