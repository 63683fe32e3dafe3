"""Who takes care of what: handing over, taking, a deputy, going away, and an owner who is gone."""

from datetime import UTC, datetime

import pytest

from journeys.playing import ASK, DAY, FILE, START, TEAM, Play, read
from labcoat.db import people as known
from labcoat.db.clock import machine_now
from labcoat.demo import people
from labcoat.domain.ids import UserId
from labcoat.domain.person import Person, Standing
from slack_sandbox.faults import FaultKind


def hands_over(play: Play, person: object, **values: object) -> None:
    play.types(person, "/hypothesis handover H-1")  # type: ignore[arg-type]
    play.submits(person, **values)  # type: ignore[arg-type]


def goes_away(play: Play, person: object, *, until: str = "2026-12-07", stand_in: str | None = None) -> None:
    play.types(person, "/experiment away")  # type: ignore[arg-type]
    play.submits(person, back_on=until, stand_in=stand_in)  # type: ignore[arg-type]


def test_a_new_owner_is_told_with_the_next_steps_and_a_way_out(play: Play) -> None:
    play.files(play.ana)

    hands_over(play, play.ana, owner=people.BEN, reason="You know <!channel> checkout")

    told = play.direct(play.ben)[-1]
    assert "H-1 is yours now" in read(told)
    assert "You know <!channel> checkout" in read(told)
    assert "handed it over: @UANA → @UBEN. Why: You know <!channel> checkout" in play.thread()[-1]
    assert "Owner\n@UBEN" in read(play.card())
    play.presses(play.ben, told, "prototype")
    play.ben.close()
    play.presses(play.ben, told, "handover")
    play.submits(play.ben, owner=people.ANA)
    assert "Owner\n@UANA" in read(play.card())


def test_a_deputy_may_do_what_the_owner_may_and_may_not_approve(play: Play) -> None:
    play.files(play.ana)

    hands_over(play, play.ana, deputy=people.LENA)

    assert "You are deputy of H-1" in read(play.direct(play.lena)[-1])
    assert "named a deputy: nobody → @ULENA" in play.thread()[-1]
    assert "Owner\n@UANA, deputy @ULENA" in read(play.card())
    play.tries(play.lena)
    play.types(play.ana, "/experiment ask H-1")
    refused = play.is_refused(play.ana, **ASK, no_experiment="too little traffic")
    assert "a lead who never owned H-1" in refused["lead"]


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"deputy": people.ANA}, "deputy", "it takes two people"),
        ({}, "owner", "That is how it is already"),
        ({"owner": people.GIA}, "owner", "They are a guest here"),
        ({"deputy": people.GIA}, "deputy", "They are a guest here"),
    ],
)
def test_who_cannot_own_or_stand_in_is_refused_under_the_field(
    play: Play, values: dict[str, str], field: str, words: str
) -> None:
    play.types(play.slack.person(people.GIA), "/hypothesis list")  # so that Slack was asked about her
    play.files(play.ana)
    play.types(play.ana, "/hypothesis handover H-1")

    assert words in play.is_refused(play.ana, **values)[field]


def test_of_two_who_hand_over_the_second_is_told_and_loses_nothing(play: Play) -> None:
    play.files(play.ana)
    play.types(play.lena, "/hypothesis handover H-1")
    hands_over(play, play.ana, deputy=people.BEN)

    play.lena.submit({"owner": people.OMAR, "reason": "Omar asked for it"})

    form = play.lena.view
    assert "Somebody handed it over while you were typing. Now with @UANA, deputy @UBEN" in read(form)
    assert "Omar asked for it" in read(form)
    play.submits(play.lena)
    assert "Owner\n@UOMAR, deputy @UBEN" in read(play.card())


def test_the_cards_menu_hands_over(play: Play) -> None:
    play.files(play.ana)

    done = play.ana.click(play.card(), action_id="more", option="handover H-1")

    assert done.ok, done.error
    assert "Now with @UANA" in read(play.ana.view)


def test_a_guest_is_given_no_hypothesis_to_own(play: Play) -> None:
    play.types(play.slack.person(people.GIA), "/hypothesis list")  # so that Slack was asked about her
    play.types(play.ana, "/hypothesis Show fresh offers first")

    refused = play.is_refused(play.ana, **FILE, owner=people.GIA)

    assert "They are a guest here" in refused["owner"]


def test_others_cannot_hand_over_but_leads_can(play: Play) -> None:
    play.files(play.ana)

    assert "Only the owner of H-1 (@UANA) or a lead can do that" in play.asks(play.ben, "/hypothesis handover H-1")
    hands_over(play, play.lena, owner=people.BEN)

    assert "@ULENA handed it over: @UANA → @UBEN" in play.thread()[-1]


def test_what_nobody_owns_is_taken_by_the_first(play: Play) -> None:
    play.files(play.ana)
    hands_over(play, play.ana, owner=None)
    assert "Owner\nnobody yet" in read(play.card())

    card = play.card()
    play.presses(play.ben, card, "take")

    assert "H-1 is yours now." in read(play.private(play.ben))
    assert "took it over: nobody → @UBEN" in play.thread()[-1]
    assert "H-1 already has an owner (@UBEN)" in play.asks(play.omar, "/hypothesis take H-1")


def test_a_hypothesis_that_is_tried_keeps_an_owner(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/hypothesis handover H-1")

    done = play.ana.submit({"owner": None})

    assert done.errors == {"owner": "Please complete this required field."}


def test_who_stands_in_may_do_what_the_owner_may_until_they_are_back(play: Play) -> None:
    play.files(play.ana)
    assert "Only the owner of H-1" in play.asks(play.ben, "/hypothesis prototype H-1")

    goes_away(play, play.ana, stand_in=people.BEN)

    assert "@UANA is away until Mon 7 Dec, and you stand in" in read(play.direct(play.ben)[-1])
    play.tries(play.ben)
    assert people.BEN in play.dossier().hypothesis.involved  # type: ignore[union-attr]
    form = play.types(play.ana, "/experiment away")
    assert form is not None
    assert "You are away until Mon 7 Dec, and @UBEN stands in for you" in read(form)
    play.ana.click_in_view(action_id="back")
    assert "Only the owner of H-1" in play.asks(play.ben, "/hypothesis handover H-1")


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"back_on": "2026-11-24"}, "back_on", "That day has begun already"),
        ({"back_on": "2028-01-01"}, "back_on", "more than a year away"),
        ({"back_on": "2026-12-07", "stand_in": people.ANA}, "stand_in", "someone else has to stand in"),
        ({"back_on": "2026-12-07", "stand_in": people.OMAR}, "stand_in", "They are away until Thu 10 Dec"),
    ],
)
def test_what_cannot_be_said_of_an_absence_is_refused_under_its_field(
    play: Play, values: dict[str, str], field: str, words: str
) -> None:
    goes_away(play, play.omar, until="2026-12-10")
    play.types(play.ana, "/experiment away")

    assert words in play.is_refused(play.ana, **values)[field]


def test_nudges_go_to_who_stands_in(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + DAY)
    play.stops(play.ana)
    goes_away(play, play.ana, stand_in=people.BEN)

    play.move_to(datetime(2026, 11, 26, 9, tzinfo=UTC))  # Thursday 10:00 in Berlin

    assert "One thing waits for you" in read(play.direct(play.ben)[-1])
    assert play.direct(play.ana) == []


def loses_their_account(play: Play, user: str) -> None:
    """As the tick finds out, once a day."""
    with play.bot.database.writing() as tx:
        gone = Person(user=UserId(user), standing=Standing.DEACTIVATED, zone="Europe/Berlin")
        known.know(tx, TEAM, gone, at=machine_now())


def test_of_an_owner_who_is_gone_the_leads_hear_once_and_hand_it_over(play: Play) -> None:
    play.files(play.ana)
    loses_their_account(play, people.ANA)

    play.move_to(START + 3 * DAY)

    told = [one for one in play.direct(play.lena) if "its owner is not here any more" in read(one)]
    assert len(told) == 1
    play.presses(play.lena, told[0], "handover:1")
    play.submits(play.lena, owner=people.BEN)
    assert "Owner\n@UBEN" in read(play.card())


def test_of_an_owner_who_is_gone_the_deputy_hears_first(play: Play) -> None:
    play.files(play.ana)
    hands_over(play, play.ana, deputy=people.BEN)
    loses_their_account(play, people.ANA)

    play.move_to(START + 3 * DAY)

    assert "its owner is not here any more" in read(play.direct(play.ben)[-1])
    assert play.direct(play.lena) == []


def test_anybody_takes_what_somebody_left_who_is_gone(play: Play) -> None:
    play.files(play.ana)
    loses_their_account(play, people.ANA)

    play.types(play.ben, "/hypothesis take H-1")

    assert "Owner\n@UBEN" in read(play.card())


def asked_about(play: Play) -> int:
    return [call["method"] for call in play.slack.calls(limit=500)].count("users.info")


def meets(play: Play, *users: str) -> None:
    with play.bot.database.writing() as tx:
        for user in users:
            known.meet(tx, TEAM, UserId(user))


@pytest.mark.parametrize("fault", [FaultKind.RATELIMITED, FaultKind.DROP_BEFORE])
def test_a_slack_that_cannot_tell_now_is_asked_about_nobody_else(play: Play, fault: FaultKind) -> None:
    meets(play, people.BEN, people.LENA, people.OMAR, people.GIA)
    play.slack.faults.add("users.info", fault, times=None, seconds=600)

    play.bot.jobs.ask_about_people()

    assert asked_about(play) == 1


def test_a_slack_that_wants_to_be_asked_later_is_asked_by_nobody(play: Play) -> None:
    meets(play, people.BEN, people.LENA)
    play.slack.faults.add("users.info", FaultKind.RATELIMITED, seconds=600)

    for _ in range(3):
        play.bot.jobs.ask_about_people()
    play.types(play.omar, "/hypothesis list")

    assert asked_about(play) == 1


def test_digests_and_expiries_wait_for_no_answer_about_people(play: Play) -> None:
    meets(play, people.BEN, people.LENA)

    play.bot.jobs.keep_time()
    before = asked_about(play)
    play.bot.jobs.ask_about_people()

    assert (before, asked_about(play)) == (0, 2)
