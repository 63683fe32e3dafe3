"""What counts as learned: the strict rule of STATISTICS."""

from dataclasses import replace

import pytest

from builders import (
    a_dossier,
    a_prototype,
    a_readout,
    an_ending,
    an_experiment,
    some_evidence,
)
from labcoat.domain.digest import days_not_spent, taught_by_experiment, taught_by_prototype
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind
from labcoat.domain.hypothesis import Decision, Ending, Outcome
from labcoat.domain.lifecycle import ExperimentState
from labcoat.stats.results import Finding, Verdict
from readouts import a_look, called

TEACHES = {
    Verdict.DATA_ERROR: False,
    Verdict.INVALID: False,
    Verdict.GUARDRAIL_HARM: True,
    Verdict.GOAL_HARM: True,
    Verdict.TOO_EARLY: False,
    Verdict.WIN: True,
    Verdict.WIN_GUARDRAIL_OPEN: True,
    Verdict.WIN_EFFECT_MOVED: True,
    Verdict.NO_EFFECT: True,
    Verdict.NO_GAIN: False,
    Verdict.INCONCLUSIVE: False,
    Verdict.KEEP_COLLECTING: False,
}


@pytest.mark.parametrize("verdict", Verdict)
def test_a_valid_experiment_taught_by_a_win_a_harm_or_no_effect(verdict: Verdict) -> None:
    assert taught_by_experiment(a_readout(verdict)) is TEACHES[verdict]


def test_futile_is_not_no_effect_with_the_planned_power() -> None:
    assert taught_by_experiment(a_readout(Verdict.NO_EFFECT, Finding.INSIDE_MINIMUM))
    assert not taught_by_experiment(a_readout(Verdict.NO_EFFECT, Finding.FUTILE))


def test_one_treatment_that_taught_is_enough() -> None:
    readout = a_look(called("a", Verdict.INCONCLUSIVE), called("b", Verdict.NO_EFFECT, Finding.INSIDE_MINIMUM))

    assert taught_by_experiment(readout)
    assert not taught_by_experiment(replace(readout, treatments=readout.treatments[:1]))


def test_an_experiment_without_a_readout_taught_nothing() -> None:
    assert not taught_by_experiment(None)


def _closed(
    kind: EvidenceKind = EvidenceKind.INTERVIEW, *, ending: Ending | None = None, guess: float | None = 20
) -> Dossier:
    return a_dossier(
        prototypes=(a_prototype(build_guess_days=guess),),
        evidence=(some_evidence(kind),),
        ending=ending or an_ending(),
    )


@pytest.mark.parametrize(
    ("outcome", "taught"),
    [
        (Outcome.SUPPORTED, True),
        (Outcome.REFUTED, True),
        (Outcome.INCONCLUSIVE, False),
        (Outcome.ABANDONED, False),
    ],
)
def test_a_prototype_taught_if_users_supported_or_refuted(outcome: Outcome, *, taught: bool) -> None:
    assert taught_by_prototype(_closed(ending=an_ending(outcome=outcome))) is taught


def test_a_prototype_without_users_taught_nothing() -> None:
    assert not taught_by_prototype(_closed(EvidenceKind.SQL))


def test_a_prototype_that_led_to_an_experiment_is_counted_there() -> None:
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED), evidence=(some_evidence(),), ending=an_ending())

    assert not taught_by_prototype(dossier)


def test_an_open_hypothesis_taught_nothing_yet() -> None:
    assert not taught_by_prototype(a_dossier(prototypes=(a_prototype(),), evidence=(some_evidence(),)))


def test_days_not_spent_are_the_build_guess_less_what_was_spent() -> None:
    assert days_not_spent(_closed(guess=20)) == 15.5  # 20 less the ending's 4.5
    assert days_not_spent(_closed(guess=2)) == 0
    assert days_not_spent(_closed(guess=None)) is None
    assert days_not_spent(_closed(ending=an_ending(Decision.SHIPPED))) is None
