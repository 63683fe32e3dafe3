"""Every finding has words, and says what it is about."""

from dataclasses import replace

import pytest

from builders import a_readout
from labcoat.stats.results import Finding, Reason, Verdict
from labcoat.words import findings
from readouts import BIG, ORDERS, REFUNDS, SMALL, a_look, a_win_and_a_harm, an_estimate, called


def _is_plain(text: str) -> bool:
    return bool(text) and not set("{}") & set(text) and "None" not in text


@pytest.mark.parametrize("value", [None, 0.0, 0.013, 25.0])
@pytest.mark.parametrize("finding", Finding)
def test_every_finding_has_words_with_and_without_its_facts(finding: Finding, value: float | None) -> None:
    for one in (
        Reason(finding=finding, value=value),
        Reason(finding=finding, metric="orders", treatment="treatment", value=value),
    ):
        assert _is_plain(findings.reason(one))


def test_the_same_finding_is_said_once() -> None:
    said = a_readout(Verdict.WIN, Finding.GOOD_SIDE, Finding.GOOD_SIDE)

    assert findings.reasons(said) == "orders per user: the whole interval is on the good side."


def test_a_metric_is_not_named_again_in_the_next_breath() -> None:
    said = a_readout(Verdict.WIN, Finding.GOOD_SIDE, Finding.ABOVE_MINIMUM)

    assert findings.reasons(said) == (
        "orders per user: the whole interval is on the good side; all of it is above the smallest effect worth having."
    )


def test_an_arm_without_units_is_not_said_to_have_none_on_a_metric_too() -> None:
    empty = Reason(finding=Finding.ARM_EMPTY, treatment=BIG)
    shrunk = Reason(finding=Finding.SHRUNK, value=1.0)
    said = replace(a_readout(Verdict.DATA_ERROR), treatments=(), reasons=(empty, replace(empty, metric=ORDERS), shrunk))

    assert findings.reasons(said) == (
        "photos_big has no units; 100.0 % of a variant's units disappeared since the last good look."
    )


def test_without_findings_nothing_is_said() -> None:
    assert findings.reasons(a_readout(Verdict.KEEP_COLLECTING)) == ""


def test_each_treatment_has_its_own_reasons() -> None:
    look = a_win_and_a_harm()

    assert findings.reasons(look) == "orders per user: the whole interval is on the good side."
    assert findings.reasons(look, look.find(SMALL)) == "refunds: the whole interval is on the bad side."


def test_a_constant_arm_is_named() -> None:
    one = called(BIG, Verdict.KEEP_COLLECTING, Finding.CONSTANT_ARM, metric=ORDERS)
    look = a_look(one, estimates=(replace(an_estimate(BIG), constant_arm="control"),))

    assert findings.reasons(look) == (
        "orders per user: every unit of control has the same value, so harm can be seen and a win can't."
    )


def test_a_negative_baseline_has_a_sentence_of_its_own() -> None:
    look = a_look(called(BIG, Verdict.KEEP_COLLECTING, Finding.NEGATIVE_BASELINE, metric=ORDERS))

    assert findings.reasons(look).startswith("orders per user: control is below zero")


def test_a_guardrail_without_data_is_said() -> None:
    look = a_look(called(BIG, Verdict.WIN_GUARDRAIL_OPEN, Finding.GUARDRAIL_WITHOUT_DATA, metric=REFUNDS))

    assert findings.reasons(look) == "refunds: no data, so it is not shown safe."
