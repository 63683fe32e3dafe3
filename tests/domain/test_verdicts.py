"""One verdict a treatment: what is new, who is harmed, and what looks of earlier versions are taken for."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from builders import a_readout
from labcoat.domain import verdicts
from labcoat.stats.results import Finding, Readout, Verdict
from readouts import BIG, ORDERS, REFUNDS, SMALL, a_look, a_win_and_a_harm, an_estimate, as_stored_before, called

OLD_ESTIMATE = {
    "metric": "orders per user", "role": "goal", "kind": "mean", "control_count": 5000, "treatment_count": 5000,
    "control_mean": 1.0, "treatment_mean": 1.2, "information": 2500.0, "difference": 0.2, "standard_error": 0.03,
    "multiplier": 2.9, "low": 0.1, "high": 0.3, "lift": 0.2, "lift_low": 0.1, "lift_high": 0.3, "p_value": None,
    "log_e_value": None, "variance_reduction": None, "is_approximate": False, "missing": None,
}  # fmt: skip
OLD_LOOK: dict[str, Any] = {
    "look": 2, "day": 14.0, "spent": 0.5, "is_final": False, "is_after_final": False,
    "sample_ratio": {
        "exposed": [5000, 5000, 5000], "weights": [0.4, 0.3, 0.3], "p_value": 1.0, "log_bayes_factor": 0.0,
        "chi_square_p": 1.0,
    },
    "estimates": [{**OLD_ESTIMATE, "treatment": name} for name in ("t1", "t2")],
    "verdict": "win", "days_left": None,
    "reasons": [
        {"finding": "interval on the good side", "metric": "orders per user", "treatment": "t2", "value": None},
    ],
}  # fmt: skip
"""As the version before stored it: one verdict for both treatments."""


def test_a_win_of_an_earlier_version_is_of_the_treatment_it_named_and_of_the_others_nothing_is_clear() -> None:
    readout = TypeAdapter(Readout).validate_python(OLD_LOOK)

    deciding = verdicts.deciding(readout, verdicts.leading(readout))

    assert {name: verdicts.verdict_of(readout, name).verdict for name in ("t1", "t2", None)} == {
        "t1": Verdict.KEEP_COLLECTING,
        "t2": Verdict.WIN,
        None: Verdict.WIN,
    }
    assert deciding is not None
    assert deciding.treatment == "t2"
    assert verdicts.others(readout, verdicts.leading(readout)) == ()


def test_a_look_that_names_no_treatment_has_the_verdict_that_it_has() -> None:
    readout = a_readout(Verdict.GOAL_HARM)

    assert verdicts.verdict_of(readout, "treatment").verdict is Verdict.GOAL_HARM
    assert [one.verdict for one in verdicts.harmed(readout)] == [Verdict.GOAL_HARM]


def test_a_treatment_that_does_harm_is_seen_beside_a_win_until_it_is_dropped() -> None:
    beside = a_win_and_a_harm()
    win, harm = beside.treatments
    dropped = replace(beside, treatments=(win, replace(harm, is_dropped=True)))

    assert [one.treatment for one in verdicts.harmed(beside)] == [SMALL]
    assert (verdicts.is_unhealthy(beside), verdicts.is_unhealthy(dropped)) == (True, False)


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        ((Verdict.WIN, Verdict.KEEP_COLLECTING), (Verdict.WIN, Verdict.KEEP_COLLECTING), False),
        ((Verdict.WIN, Verdict.KEEP_COLLECTING), (Verdict.WIN, Verdict.GOAL_HARM), True),
    ],
)
def test_any_treatments_verdict_is_news(
    before: tuple[Verdict, Verdict], after: tuple[Verdict, Verdict], is_news: bool
) -> None:
    looks = [a_look(called(BIG, big), called(SMALL, small)) for big, small in (before, after)]

    assert verdicts.has_changed(*map(verdicts.called, looks)) is is_news


def test_which_treatment_comes_first_is_no_news() -> None:
    look = a_look(called(BIG, Verdict.WIN), called(SMALL, Verdict.WIN))
    turned = a_look(called(SMALL, Verdict.WIN), called(BIG, Verdict.WIN))

    assert not verdicts.has_changed(verdicts.called(look), verdicts.called(turned))


def test_a_look_of_an_earlier_version_is_compared_by_its_one_verdict() -> None:
    look = a_win_and_a_harm()

    assert not verdicts.has_changed(verdicts.called(as_stored_before(look)), verdicts.called(look))


def test_a_verdict_is_about_the_metric_that_decided() -> None:
    goal, guardrail = an_estimate(), an_estimate(BIG, REFUNDS, points=(1.0, 0.5, 1.5))
    harm = called(BIG, Verdict.GUARDRAIL_HARM, Finding.BAD_SIDE, metric=REFUNDS)
    undecided = called(BIG, Verdict.KEEP_COLLECTING, Finding.CROSSES_ZERO)

    for one, estimate in ((harm, guardrail), (replace(harm, metric=None), guardrail), (undecided, goal)):
        assert verdicts.deciding(a_look(one, estimates=(goal, guardrail)), one) == estimate
    assert goal.metric == ORDERS
