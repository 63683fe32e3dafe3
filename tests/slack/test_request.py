"""What a request says of what has changed, was skipped or is unusual."""

from dataclasses import replace

from builders import (
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
from labcoat.sandbox.reading import plain_text
from labcoat.slack.views.request import request_message
from labcoat.stats.results import Verdict

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
