"""What a request says of what has changed, was skipped or is unusual."""

from dataclasses import replace

from builders import (
    DAY,
    LEAD,
    OWNER,
    a_dossier,
    a_dropped,
    a_fixed_cause,
    a_plan,
    a_readout,
    a_request,
    an_experiment,
)
from labcoat.domain.lifecycle import ExperimentState, RequestState
from labcoat.domain.request import Request
from labcoat.slack.blocks import Block
from labcoat.slack.views.asking import ask_form, decision_form
from labcoat.slack.views.request import request_message, request_notes
from labcoat.stats.results import Readout, Verdict
from labcoat.usecases.hypotheses.requests import Candidates
from readouts import BIG, SMALL, a_photo_plan, a_win_and_a_harm, as_stored_before
from slack_sandbox.reading import plain_text

STOPPED = a_dossier(an_experiment(ExperimentState.STOPPED))


def _said(**changes: object) -> str:
    request = replace(a_request(), **changes)  # type: ignore[arg-type]
    message = request_message(STOPPED, request, readout=a_readout(Verdict.GOAL_HARM), zone="UTC")
    return plain_text(message.arguments()).replace("*", "")


def test_a_verdict_that_changed_since_it_was_asked_is_said() -> None:
    assert "This has changed since it was asked: then it was “Win”" in _said(verdict=Verdict.WIN)
    assert "This has changed" not in _said(verdict=Verdict.GOAL_HARM)


def test_what_goes_against_the_verdict_is_said() -> None:
    assert "Asked against the verdict “goal harm”" in _said(verdict=Verdict.GOAL_HARM)


def test_who_released_it_alone_is_said() -> None:
    said = _said(
        is_self_release=True, asked_of=OWNER, state=RequestState.APPROVED, decided_by=OWNER, answer="Easy to undo"
    )

    assert f"Approved by its owner @{OWNER}, the only lead here" in said


def test_what_a_lead_decided_after_all_is_no_release_alone() -> None:
    said = _said(is_self_release=True, asked_of=OWNER, state=RequestState.APPROVED, decided_by=LEAD)

    assert f"Approved by @{LEAD}" in said


def test_only_what_ended_before_its_planned_end_was_stopped_early() -> None:
    full = replace(an_experiment(ExperimentState.STOPPED), stop_reason="Enough seen")
    assert full.ended_at is not None
    short = replace(full, ended_at=full.ended_at - DAY)

    assert request_notes(a_dossier(full), a_request()) == ["E-7 was stopped: Enough seen"]
    assert request_notes(a_dossier(short), a_request()) == ["E-7 was stopped early: Enough seen"]


def test_what_was_done_while_it_ran_is_worth_knowing() -> None:
    tested = replace(
        an_experiment(ExperimentState.STOPPED, plan=a_plan(weights=(0.5, 0.25, 0.25))),
        dropped=(a_dropped(),),
        fixed_cause=a_fixed_cause(),
    )
    message = request_message(a_dossier(tested), a_request(), readout=None, zone="UTC")
    said = plain_text(message.arguments())

    assert "• E-7: treatment was dropped on Mon 23 Nov: it crashes" in said
    assert "• E-7: the cause of an uneven split was fixed on Fri 20 Nov: a redirect lost users (once)" in said


THREE = a_dossier(an_experiment(ExperimentState.STOPPED, plan=a_photo_plan(BIG, SMALL, margin=0.003)))


def _said_of(treatment: str | None, readout: Readout) -> str:
    request = replace(a_request(), treatment=treatment)
    return plain_text(request_message(THREE, request, readout=readout, zone="UTC").arguments()).replace("*", "")


def test_a_request_names_its_treatment_its_guardrails_and_the_other_arms() -> None:
    said = _said_of(BIG, a_win_and_a_harm())

    assert "H-12: 20 person-days to productionize photos_big?" in said
    assert "photos_big wins: +4.1 % orders per user (1.2 to 7.0), day 21 of 28" in said
    assert "• refunds: safe, +0.05 points (-0.10 to 0.20), margin 0.30 points" in said
    assert "• photos_small harms refunds, +94 % (32 to 200)" in said


def test_a_request_for_another_arm_shows_what_is_said_of_that_one() -> None:
    said = _said_of(SMALL, a_win_and_a_harm())

    assert "photos_small harms refunds: +94 % (32 to 200), day 21 of 28" in said
    assert "• refunds: harmed, " in said
    assert "• photos_big wins, +4.1 % orders per user (1.2 to 7.0)" in said


def test_a_request_of_an_earlier_version_is_about_the_one_verdict_it_had() -> None:
    said = _said_of(None, as_stored_before(a_win_and_a_harm()))

    assert "20 person-days to productionize?" in said
    assert "Win: +4.1 % orders per user, photos_big (1.2 to 7.0)" in said
    assert "Other arms" not in said


def _form(readout: Readout | None, earlier: Request | None = None) -> tuple[dict[str, Block], str]:
    view = ask_form(
        THREE, candidates=Candidates(leads=(LEAD,), default=LEAD), readout=readout, earlier=earlier, zone="UTC",
        metadata="",
    )  # fmt: skip
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}, plain_text(view)


def test_the_form_asks_which_treatment_with_each_verdict_and_wins_first() -> None:
    blocks, _ = _form(a_win_and_a_harm())
    element = blocks["treatment"]["element"]

    assert [one["text"]["text"] for one in element["options"]] == ["photos_big: win", "photos_small: guardrail harm"]
    assert element["initial_option"]["value"] == BIG
    assert blocks["conclusion"]["element"]["initial_option"]["value"] == "supported"


def test_the_form_keeps_the_treatment_that_was_asked_for_before() -> None:
    blocks, _ = _form(a_win_and_a_harm(), replace(a_request(RequestState.SENT_BACK), treatment=SMALL))

    assert blocks["treatment"]["element"]["initial_option"]["value"] == SMALL


def test_a_form_before_any_look_offers_the_treatments_of_the_plan() -> None:
    blocks, _ = _form(None)

    assert [one["value"] for one in blocks["treatment"]["element"]["options"]] == [BIG, SMALL]
    assert "initial_option" not in blocks["treatment"]["element"]


def test_where_there_is_no_choice_nothing_is_asked() -> None:
    view = ask_form(
        STOPPED, candidates=Candidates(leads=(LEAD,), default=LEAD), readout=None, earlier=None, zone="UTC", metadata=""
    )

    assert "treatment" not in {block.get("block_id") for block in view["blocks"]}


def test_the_approval_of_an_open_guardrail_asks_for_a_sentence_and_says_why() -> None:
    form = decision_form(
        "approve", THREE, replace(a_request(), treatment=BIG), verdict=Verdict.WIN_GUARDRAIL_OPEN, metadata=""
    )
    reason = next(block for block in form["blocks"] if block.get("block_id") == "reason")

    assert not reason["optional"]
    assert reason["hint"]["text"] == "A guardrail is not shown safe: say why you build it all the same."
    assert "20 person-days to productionize photos_big" in plain_text(form)
