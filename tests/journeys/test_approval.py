"""Approval with every dead end's way out, and decisions that are asked for again when their ground has moved."""

from collections.abc import Callable

import pytest

from journeys.playing import ASK, DAY, START, TEAM, Play, read
from labcoat.db import people as known
from labcoat.db import workspaces
from labcoat.db.clock import machine_now
from labcoat.demo import people
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import RequestState, Stage
from labcoat.domain.person import Person, Standing
from labcoat.domain.request import Request
from slack_sandbox.client import Person as Actor

RECORD = "/experiment record E-1 control=1200/24000 treatment=1500/24100"
LATE = "/experiment record E-1 control=1650/25000 treatment=1502/25000"
"""More of both, and treatment at -9.0 %: 1502 to 1650 of as many units."""
NO_TRAFFIC = {"no_experiment": "too little traffic"}


def asked(play: Play, **values: str) -> None:
    """A request of Ana's that waits for Lena, straight from a prototype."""
    play.files(play.ana)
    play.tries(play.ana)
    play.asks_lead(play.ana, **NO_TRAFFIC | values)


def asked_with_result(play: Play) -> None:
    """A request of Ana's that waits for Lena, with an experiment that was stopped with a win."""
    play.files(play.ana)
    play.tries(play.ana)
    play.plans(play.ana)
    play.starts(play.ana)
    play.set_clock(START + 15 * DAY)
    play.stops(play.ana)
    play.types(play.ana, RECORD)
    play.asks_lead(play.ana)


def requests_of(play: Play) -> tuple[Request, ...]:
    dossier = play.dossier()
    assert dossier is not None
    return dossier.requests


def goes_away(play: Play, person: Actor, *, stand_in: str | None = None) -> None:
    play.types(person, "/experiment away")
    play.submits(person, back_on="2027-01-04", stand_in=stand_in)


def leads(play: Play, *users: str) -> None:
    """Let these lead and nobody else."""
    with play.bot.database.writing() as tx:
        workspaces.set_leads(tx, TEAM, [UserId(user) for user in users], from_settings=True)


def test_the_request_tells_a_lead_all_they_need(play: Play) -> None:
    asked_with_result(play)

    request = read(play.direct(play.lena)[-1])

    assert "# H-1: 20 person-days to productionize?" in request
    assert "Learned, says @UANA\n> Fresh offers bring orders" in request
    assert "+24 % orders per user" in request  # 1500/24100 to 1200/24000
    assert "E-1, Tue 24 Nov to Wed 9 Dec, 48,100 users" in request
    assert "20 person-days (guessed at first: 30)" in request
    assert "interview, n 5: 4 of 5 asked for it" in request
    assert "[Approve] [Send back] [Decline]" in request


def test_a_decision_is_asked_for_again_when_the_result_has_moved(play: Play) -> None:
    asked_with_result(play)
    play.presses(play.lena, play.direct(play.lena)[-1], "approve")
    play.set_clock(START + 15 * DAY + DAY / 24)
    play.types(play.ana, LATE)

    play.lena.submit({"reason": "Go all in"})

    form = play.lena.view
    assert "This changed while you were reading" in read(form)
    assert "There is a newer look: -9 % orders per user" in read(form)
    assert form["state"]["values"]["reason"]["answer"]["value"] == "Go all in"
    assert requests_of(play)[0].state is RequestState.WAITING
    assert "; later data say -9 % (" in read(play.direct(play.lena)[-1])  # the message shows what is true now
    play.submits(play.lena)
    assert requests_of(play)[0].state is RequestState.APPROVED
    assert requests_of(play)[0].answer == "Go all in"


def test_a_decision_is_not_asked_for_again_for_what_does_not_matter(play: Play) -> None:
    asked(play)
    play.presses(play.lena, play.direct(play.lena)[-1], "approve")
    play.types(play.ana, "/hypothesis handover H-1")
    play.submits(play.ana, deputy=people.BEN)

    play.submits(play.lena)

    assert requests_of(play)[0].state is RequestState.APPROVED


def test_evidence_that_came_meanwhile_is_told_before_a_no(play: Play) -> None:
    asked(play)
    play.presses(play.lena, play.direct(play.lena)[-1], "decline")
    play.types(play.ben, "/hypothesis evidence H-1")
    play.submits(play.ben, kind="interview", count="9", summary="All nine asked for it")

    play.lena.submit({"reason": "Too few people"})

    assert "1 piece of evidence was added" in read(play.lena.view)


def test_without_any_lead_a_member_confirms(play_with: Callable[..., Play]) -> None:
    play = play_with(leads=())
    play.files(play.ana)
    play.tries(play.ana)
    form = play.types(play.ana, "/experiment ask H-1")
    assert form is not None
    assert "No lead is free to decide, so another member confirms" in read(form)

    play.submits(play.ana, **ASK | NO_TRAFFIC | {"lead": people.BEN})
    play.presses(play.ben, play.direct(play.ben)[-1], "approve")
    play.submits(play.ben)

    assert "confirmed by a member (@UBEN)" in read(play.card())


def test_the_only_lead_releases_alone_with_a_reason(play_with: Callable[..., Play]) -> None:
    play = play_with(leads=(people.LENA,))
    play.files(play.lena)
    play.tries(play.lena)
    form = play.types(play.lena, "/experiment ask H-1")
    assert form is not None
    assert "You are the only lead here, so you may also pick yourself" in read(form)
    play.submits(play.lena, **ASK | NO_TRAFFIC)
    request = play.direct(play.lena)[-1]
    assert "@ULENA owns it and was the only lead here" in read(request)

    play.presses(play.lena, request, "approve")
    assert play.lena.submit({}).errors == {"reason": "Please complete this required field."}
    play.submits(play.lena, reason="Two days of work, easy to undo")

    assert "released by its owner @ULENA, the only lead here" in read(play.card())
    assert "by its owner @ULENA, the only lead here" in read(play.direct(play.lena)[-2])


def test_a_second_lead_ends_releasing_alone(play_with: Callable[..., Play]) -> None:
    play = play_with(leads=(people.LENA,))
    play.files(play.lena)
    play.tries(play.lena)
    play.asks_lead(play.lena, **NO_TRAFFIC)
    mine = play.direct(play.lena)[-1]

    leads(play, people.LENA, people.OMAR)
    play.tick()

    play.presses(play.lena, mine, "approve")
    assert "This needs a lead who never owned H-1" in read(play.private(play.lena, mine["channel"]))
    play.presses(play.omar, play.direct(play.omar)[-1], "approve")
    play.submits(play.omar)
    assert requests_of(play)[0].decided_by == people.OMAR


def test_a_lead_on_vacation_is_not_proposed_and_kindly_refused(play: Play) -> None:
    goes_away(play, play.lena)
    play.files(play.ana)
    play.tries(play.ana)

    form = play.types(play.ana, "/experiment ask H-1")

    assert form is not None
    assert "Free to decide: @UOMAR." in read(form)
    assert "Away: @ULENA until Mon 4 Jan" in read(form)
    refused = play.is_refused(play.ana, **ASK | NO_TRAFFIC)
    assert "They are away until Mon 4 Jan" in refused["lead"]
    play.submits(play.ana, lead=people.OMAR)
    assert requests_of(play)[0].asked_of == people.OMAR


def test_while_all_leads_are_away_a_member_confirms(play: Play) -> None:
    goes_away(play, play.lena, stand_in=people.BEN)
    goes_away(play, play.omar)
    play.files(play.ana)
    play.tries(play.ana)
    form = play.types(play.ana, "/experiment ask H-1")
    assert form is not None
    assert "<UBEN>" in read(form)  # who stands in is proposed

    play.submits(play.ana, **{**ASK, **NO_TRAFFIC, "lead": people.BEN})

    assert requests_of(play)[0].is_member_confirmation


@pytest.mark.parametrize("how", ["goes away", "leads no more", "is gone"])
def test_a_request_moves_on_from_a_lead_who_cannot_answer(play: Play, how: str) -> None:
    asked(play)
    if how == "goes away":
        goes_away(play, play.lena)
    elif how == "leads no more":
        leads(play, people.OMAR)
    else:
        with play.bot.database.writing() as tx:
            gone = Person(user=UserId(people.LENA), standing=Standing.DEACTIVATED)
            known.know(tx, TEAM, gone, at=machine_now())

    play.tick()
    play.tick()

    assert len(play.direct(play.omar)) == 1
    assert "@ULENA can't answer now, so the request went to @UOMAR too" in play.thread()[-1]
    play.presses(play.omar, play.direct(play.omar)[-1], "approve")
    play.submits(play.omar)
    assert play.dossier().hypothesis.stage is Stage.PRODUCTIONIZE  # type: ignore[union-attr]


def test_an_owner_whom_nobody_can_answer_asks_someone_else(play_with: Callable[..., Play]) -> None:
    play = play_with(leads=(people.LENA,))
    asked(play)
    goes_away(play, play.lena)
    play.tick()
    play.tick()
    (stuck,) = play.direct(play.ana)
    assert "waits for @ULENA, who can't answer now" in read(stuck)

    form = play.presses(play.ana, stuck, "ask_other")
    assert form is not None
    assert "Fresh offers bring orders" in read(form)
    play.submits(play.ana, lead=people.BEN)

    assert [one.state for one in requests_of(play)] == [RequestState.WITHDRAWN, RequestState.WAITING]
    assert requests_of(play)[1].asked_of == people.BEN
    assert "Withdrawn by @UANA" in read(play.direct(play.lena)[-1])


def test_the_owner_takes_a_request_back(play: Play) -> None:
    asked(play)
    play.asks(play.ana, "/experiment decide H-1")
    play.presses(play.ana, play.private(play.ana), "withdraw")
    play.submits(play.ana, reason="One more week of data first")

    assert "Withdrawn by @UANA" in read(play.direct(play.lena)[-1])
    assert "took back the request for H-1. Why: One more week of data first" in play.thread()[-1]
    assert "[Approve]" not in read(play.direct(play.lena)[-1])
    play.asks_lead(play.ana, **NO_TRAFFIC)
    assert len(requests_of(play)) == 2


def test_who_becomes_owner_cannot_press_an_old_button(play: Play) -> None:
    asked(play)
    old = play.direct(play.lena)[-1]
    play.types(play.ana, "/hypothesis handover H-1")
    play.submits(play.ana, owner=people.LENA)

    form = play.presses(play.lena, old, "approve")

    assert form is None
    assert "This needs a lead who never owned H-1" in read(play.private(play.lena, old["channel"]))


def test_eligibility_is_checked_again_when_the_form_is_sent(play: Play) -> None:
    asked(play)
    play.presses(play.lena, play.direct(play.lena)[-1], "approve")
    leads(play, people.OMAR)

    refused = play.is_refused(play.lena, reason="Go")

    assert "This needs a lead" in refused["reason"]
    assert requests_of(play)[0].state is RequestState.WAITING


def test_a_guest_is_not_asked(play_with: Callable[..., Play]) -> None:
    play = play_with(leads=())
    play.types(play.slack.person(people.GIA), "/hypothesis list")  # so that Slack was asked about her
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")

    refused = play.is_refused(play.ana, **{**ASK, **NO_TRAFFIC, "lead": people.GIA})

    assert "They are a guest here" in refused["lead"]
