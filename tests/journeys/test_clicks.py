"""Two clicks, two people, old messages: one effect, and the others are told who was first and when."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from journeys.playing import CLOSE, DAY, FILE, START, Play, read
from labcoat.demo import people
from labcoat.domain.lifecycle import ExperimentState, RequestState
from slack_sandbox.client import SandboxClient
from slack_sandbox.local_slack import Timing


def asked(play: Play) -> None:
    """Ana has asked Lena, straight from a prototype; Omar has seen the request too."""
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
    play.asks(play.omar, "/experiment decide H-1")


def test_two_leads_at_the_same_moment_have_one_effect(play_on_both: Play) -> None:
    play = play_on_both
    asked(play)
    play.presses(play.lena, play.direct(play.lena)[-1], "approve")
    play.presses(play.omar, play.private(play.omar), "decline")

    def submit(person: str) -> bool:
        with SandboxClient(play.sandbox.url) as own_line:
            return own_line.person(person).submit({"reason": "I say so"}).ok

    with ThreadPoolExecutor(2) as both:
        oks = list(both.map(submit, (people.LENA, people.OMAR)))
    play.deliver()

    dossier = play.dossier()
    assert dossier is not None
    request = dossier.requests[0]
    assert oks == [True, True]
    assert request.decided_by in (people.LENA, people.OMAR)
    loser = play.omar if request.decided_by == people.LENA else play.lena
    assert f"This request was already {request.state} by @{request.decided_by} on Tue 24 Nov 09:00" in read(loser.view)
    assert len([line for line in play.thread() if "I say so" in line]) == 1


def test_second_click_on_an_old_request_says_who_was_first(play: Play) -> None:
    asked(play)
    old = play.private(play.omar)
    play.presses(play.lena, play.direct(play.lena)[-1], "approve")
    play.submits(play.lena)

    form = play.presses(play.omar, old, "decline")

    assert form is None
    assert "already approved by @ULENA on Tue 24 Nov 09:00. Nothing was changed" in read(play.private(play.omar))


def test_owner_cannot_approve_own_request(play: Play) -> None:
    asked(play)

    answer = play.asks(play.ana, "/experiment decide H-1")

    assert "[Approve]" not in answer
    assert "[Ask someone else] [Withdraw]" in answer


def test_lead_who_owns_it_cannot_approve_it(play: Play) -> None:
    play.files(play.lena)
    play.tries(play.lena)
    play.types(play.lena, "/experiment ask H-1")
    refused = play.is_refused(
        play.lena,
        conclusion="supported",
        learning="People want it",
        amount="20",
        no_experiment="too little traffic",
        lead=people.LENA,
    )

    assert "a lead who never owned H-1" in refused["lead"]


def test_asking_twice_says_whom_it_waits_for(play: Play) -> None:
    asked(play)

    assert "already waits for @ULENA" in play.asks(play.ana, "/experiment ask H-1")


def test_two_clicks_on_run_again_make_one_draft(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + DAY)
    play.stops(play.ana)
    card = play.card()

    play.presses(play.ana, card, "again")
    play.asks(play.ana, "/experiment again E-1")

    dossier = play.dossier()
    assert dossier is not None
    assert [one.state for one in dossier.experiments] == [ExperimentState.STOPPED, ExperimentState.DRAFT]
    assert "E-2 is already planned" in read(play.private(play.ana))


@pytest.mark.parametrize("verb", ["prototype", "plan", "close"])
def test_button_of_an_old_card_says_what_is_true_now(play: Play, verb: str) -> None:
    play.files(play.ana)
    play.asks(play.ana, "/hypothesis show H-1")
    old = play.private(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, **CLOSE)

    form = play.presses(play.ana, old, verb)

    assert form is None
    assert "H-1 is closed (not built), so nothing was changed" in read(play.private(play.ana))


def test_form_opened_before_a_change_is_refused_when_it_comes_late(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis prototype H-1")
    play.types(play.lena, "/hypothesis close H-1")
    play.submits(play.lena, **CLOSE)

    refused = play.is_refused(play.ana, summary="A query", cap="2", stop_when="Nobody notices")

    assert "H-1 is closed (not built)" in refused["summary"]


def test_two_people_who_change_one_hypothesis_lose_nothing(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana, with_users=False)
    play.types(play.ben, "/hypothesis evidence H-1")
    play.types(play.omar, "/hypothesis evidence H-1")

    def submit(person: str) -> bool:
        with SandboxClient(play.sandbox.url) as own_line:
            done = own_line.person(person).submit({"kind": "interview", "count": "3", "summary": f"{person} heard it"})
        return done.ok and not done.errors

    with ThreadPoolExecutor(2) as both:
        oks = list(both.map(submit, (people.BEN, people.OMAR)))
    play.deliver()

    dossier = play.dossier()
    assert dossier is not None
    assert oks == [True, True]
    assert {one.summary for one in dossier.evidence} == {"UBEN heard it", "UOMAR heard it"}


def test_form_sent_again_because_the_answer_was_late_is_filed_once(play_with: Callable[..., Play]) -> None:
    play = play_with(timing=Timing(ack_seconds=0.5))
    play.types(play.ana, "/hypothesis Bigger photos")

    with play.bot.database.writing():  # somebody else writes for longer than Slack waits
        first = play.ana.submit(FILE)
    play.slack.wait_for(play.dossier)
    again = play.ana.submit(FILE)
    play.deliver()

    assert first.error == "operation_timeout"
    assert again.ok
    assert play.ana.find_view() is None
    assert len(play.channel()) == 1
    assert play.dossier(2) is None


def test_decided_request_is_stored_with_the_version_that_was_seen(play: Play) -> None:
    asked(play)
    play.presses(play.lena, play.direct(play.lena)[-1], "approve")
    seen = play.dossier()
    play.submits(play.lena)

    dossier = play.dossier()
    assert seen is not None
    assert dossier is not None
    assert dossier.requests[0].state is RequestState.APPROVED
    assert dossier.requests[0].seen_version == seen.hypothesis.version
