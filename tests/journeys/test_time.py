"""What the clock does: digests, nudges, expiry; each once, in local time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from journeys.playing import DAY, START, Play, read
from labcoat.demo import people

BERLIN = ZoneInfo(people.ZONE)
MONDAY = datetime(2026, 11, 30, 9, 30, tzinfo=BERLIN)
THURSDAY = datetime(2026, 11, 26, 10, 0, tzinfo=BERLIN)
"""Two working days after START, at ten."""


@pytest.fixture
def asked(play: Play) -> Play:
    """Ana has asked Lena, straight from a prototype."""
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")
    play.submits(
        play.ana,
        conclusion="supported",
        learning="People want it",
        amount="20",
        no_experiment="too little traffic",
        lead=people.LENA,
    )
    return play


def test_digest_comes_on_monday_at_half_past_nine_and_once(play: Play) -> None:
    play.files(play.ana)

    play.move_to(MONDAY - timedelta(minutes=1))
    before = play.digests()
    play.move_to(MONDAY + timedelta(minutes=1))
    play.tick()
    play.move_to(MONDAY + DAY)

    assert before == []
    assert len(play.digests()) == 1
    assert "No new results. 1 hypothesis is waiting; the oldest, for 6 days: H-1" in play.digests()[0]
    assert "(late)" not in play.digests()[0]


def test_digest_of_a_missed_monday_comes_late_and_says_so(play: Play) -> None:
    play.files(play.ana)

    play.set_clock(MONDAY + 8 * DAY)
    play.tick()

    assert len(play.digests()) == 1
    assert "(late)" in play.digests()[0]


def test_digest_mentions_only_who_must_decide(asked: Play) -> None:
    asked.move_to(MONDAY + timedelta(minutes=1))

    digest = asked.digests()[-1]

    assert "Decide now" in digest
    assert "H-1 Show fresh offers first: @ULENA" in digest
    assert "@UANA" not in digest


def test_digest_preview_is_private_and_now_goes_to_the_channel(asked: Play) -> None:
    preview = asked.asks(asked.ben, "/experiment digest preview")
    in_channel_before = asked.digests()
    answer = asked.asks(asked.ben, "/experiment digest now")

    assert "Preview" in preview
    assert "@ULENA" not in preview
    assert in_channel_before == []
    assert "on its way" in answer
    assert len(asked.digests()) == 1


def test_digest_with_nothing_open_is_said_once_and_then_silent(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, outcome="abandoned", learning="Nothing, because nobody had time", days_spent="0")

    for week in range(4):
        play.set_clock(MONDAY + timedelta(days=7 * week, minutes=1))
        play.tick()

    assert ["Nothing is open" in digest for digest in play.digests()] == [False, True]


def test_waiting_request_is_nudged_after_two_working_days_and_once(asked: Play) -> None:
    asked.move_to(THURSDAY - timedelta(minutes=1))
    before = _nudges(asked, people.LENA)
    asked.move_to(THURSDAY + timedelta(minutes=1))
    asked.tick()
    after = _nudges(asked, people.LENA)
    asked.move_to(THURSDAY + timedelta(hours=20))

    assert before == []
    assert len(after) == 1
    assert "a request has been waiting for a lead's answer since Tue 24 Nov" in after[0]
    assert _nudges(asked, people.LENA) == after


def test_other_leads_are_asked_after_two_working_days(asked: Play) -> None:
    asked.move_to(THURSDAY + timedelta(minutes=1))

    messages = [read(message) for message in asked.direct(asked.omar)]

    assert len(_nudges(asked, people.OMAR)) == 1
    assert any("20 person-days to productionize?" in text for text in messages)


def test_request_that_another_lead_answered_is_told_to_everybody_asked(asked: Play) -> None:
    asked.move_to(THURSDAY + timedelta(minutes=1))
    request = next(one for one in asked.direct(asked.omar) if "to productionize?" in read(one))
    asked.presses(asked.omar, request, "approve")
    asked.submits(asked.omar)

    shown = [read(one) for one in asked.direct(asked.lena) if "to productionize?" in read(one)]

    assert ["Approved by @UOMAR" in text for text in shown] == [True]


def test_request_expires_after_ten_working_days_and_the_owner_can_ask_again(asked: Play) -> None:
    asked.move_to(START + 14 * DAY - timedelta(minutes=1), step=DAY)
    still = asked.dossier()
    asked.move_to(START + 14 * DAY + timedelta(minutes=1))
    asked.tick()
    answers = [one for one in asked.direct(asked.ana) if "Expired" in read(one)]

    form = asked.presses(asked.ana, answers[-1], "ask")

    assert still is not None
    assert still.waiting_request is not None
    assert len(answers) == 1
    assert "Ask again" in read(answers[0])
    assert form is not None
    assert "People want it" in read(form)  # its words are kept
    assert "The request expired without an answer" in asked.thread()[-1]


def test_answered_request_is_not_nudged(asked: Play) -> None:
    asked.presses(asked.lena, asked.direct(asked.lena)[-1], "send_back")
    asked.submits(asked.lena, reason="How many came back?")

    asked.move_to(THURSDAY + DAY)

    assert _nudges(asked, people.LENA) == []


def test_reached_end_is_nudged_at_ten_on_the_next_working_day_and_nothing_stops(play: Play) -> None:
    play.runs(play.ana, planned_days="7")  # until Tuesday, 1 December, 9:00
    wednesday = datetime(2026, 12, 2, 10, 0, tzinfo=BERLIN)

    play.move_to(wednesday - timedelta(minutes=1), step=DAY)
    before = _nudges(play, people.ANA)
    play.move_to(wednesday + timedelta(minutes=1))
    play.move_to(wednesday + timedelta(hours=12))

    assert before == []
    assert len(_nudges(play, people.ANA)) == 1
    assert "planned end" in _nudges(play, people.ANA)[0]
    assert "E-1 running" in read(play.card())


def test_nudge_comes_at_ten_where_the_person_is(play_with: Callable[..., Play]) -> None:
    workspace = people.workspace()
    users = tuple(user.model_copy(update={"tz": "America/New_York"}) for user in workspace.users)
    play = play_with(slack=workspace.model_copy(update={"users": users}))
    play.runs(play.ana, planned_days="7")
    ten = datetime(2026, 12, 2, 10, 0, tzinfo=ZoneInfo("America/New_York"))

    play.move_to(ten - timedelta(minutes=1), step=DAY)
    before = _nudges(play, people.ANA)
    play.move_to(ten + timedelta(minutes=1))

    assert before == []
    assert len(_nudges(play, people.ANA)) == 1


def test_nudge_can_be_answered_where_it_is(play: Play) -> None:
    play.runs(play.ana, planned_days="7")
    play.move_to(START + 8 * DAY + DAY / 12, step=DAY)

    play.presses(play.ana, play.direct(play.ana)[-1], "stop:1")
    play.submits(play.ana)

    assert "E-1 stopped" in read(play.card())
    after = read(play.direct(play.ana)[-1])
    assert "Done, nothing of this waits any more" in after
    assert "E-1 Show fresh offers first: @UANA stopped E-1" in after
    assert "Result" not in after


def test_nudge_can_be_snoozed_for_a_while_or_until_a_day(play: Play) -> None:
    play.runs(play.ana, planned_days="7")
    play.move_to(START + 8 * DAY + DAY / 12, step=DAY)  # Wednesday, 2 December
    nudge = play.direct(play.ana)[-1]

    assert play.ana.click(nudge, action_id="more:1", option="snooze H-1 date").ok
    refused = play.is_refused(play.ana, until="2026-12-02")
    play.submits(play.ana, until="2026-12-07")
    play.move_to(START + 13 * DAY + DAY / 12, step=DAY)  # Monday
    before = _nudges(play, people.ANA)
    play.move_to(START + 14 * DAY + DAY / 12)

    assert "Pick a later one" in refused["until"]
    assert "you hear of it again from Mon 7 Dec on" in read(play.direct(play.ana)[0])
    assert before == []
    assert len(_nudges(play, people.ANA)) == 1


def test_untouched_hypothesis_is_kept_with_a_button(play: Play) -> None:
    play.files(play.ana)
    play.move_to(START + 38 * DAY + DAY / 12, step=DAY)  # Friday, 1 January
    nudge = play.direct(play.ana)[-1]

    play.presses(play.ana, nudge, "snooze:1")

    assert "Still worth testing?" in read(nudge)
    assert "you hear of it again from Sun 31 Jan on" in read(play.direct(play.ana)[-1])


def _nudges(play: Play, person: str) -> list[str]:
    texts = [read(message) for message in play.direct(play.slack.person(person))]
    return [text for text in texts if "waits for you" in text or "wait for you" in text]
