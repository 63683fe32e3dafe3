"""Everything the statistics can say has words."""

from dataclasses import replace

import pytest

from builders import a_plan, a_readout
from labcoat.stats import readout as reading
from labcoat.stats.results import Design, Finding, NoLookReason, Readout, Reason, Verdict
from labcoat.words import verdicts
from usecases.storing import a_sample


def _read(treated: int = 600, *, day: float = 20) -> Readout:
    said = reading.read(a_plan().rule(), a_sample(treated=treated), day=day, past=())
    assert isinstance(said, Readout)
    return said


def _is_plain(text: str) -> bool:
    return bool(text) and not set("{}") & set(text) and "None" not in text


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_sign_a_name_and_a_next_step(verdict: Verdict) -> None:
    words = verdicts.WORDS[verdict]

    assert words.sign
    assert words.name
    assert verdicts.next_step(a_readout(verdict), is_running=True)
    assert verdicts.next_step(a_readout(verdict), is_running=False)


@pytest.mark.parametrize("verdict", Verdict)
def test_no_verdict_is_called_a_failure(verdict: Verdict) -> None:
    words = verdicts.WORDS[verdict]

    assert "fail" not in f"{words.name} {words.now} {words.then}".lower()


@pytest.mark.parametrize("verdict", Verdict)
def test_a_stopped_experiment_is_not_told_to_keep_running(verdict: Verdict) -> None:
    if verdict is Verdict.KEEP_COLLECTING:  # never final
        return
    after = verdicts.next_step(a_readout(verdict, is_final=True), is_running=False)

    assert "Keep it running" not in after
    assert "Stop it" not in after


@pytest.mark.parametrize("value", [None, 0.0, 0.013, 25.0])
@pytest.mark.parametrize("finding", Finding)
def test_every_finding_has_words_with_and_without_its_facts(finding: Finding, value: float | None) -> None:
    for one in (
        Reason(finding=finding, value=value),
        Reason(finding=finding, metric="orders", treatment="treatment", value=value),
    ):
        assert _is_plain(verdicts.reason(one))


@pytest.mark.parametrize("why", NoLookReason)
def test_every_reason_for_no_look_has_words(why: NoLookReason) -> None:
    assert verdicts.NO_LOOK[why].endswith(".")


@pytest.mark.parametrize("design", Design)
def test_every_design_has_words(design: Design) -> None:
    assert verdicts.DESIGNS[design]


def test_the_same_finding_is_said_once() -> None:
    said = a_readout(Verdict.WIN, Finding.GOOD_SIDE, Finding.GOOD_SIDE)

    assert verdicts.reasons(said) == "orders per user: the whole interval is on the good side."


def test_without_findings_nothing_is_said() -> None:
    assert verdicts.reasons(a_readout(Verdict.KEEP_COLLECTING)) == ""


@pytest.mark.parametrize("verdict", Verdict)
def test_effects_are_hidden_where_they_mean_nothing(verdict: Verdict) -> None:
    said = replace(_read(), verdict=verdict)
    is_hidden = verdict in (Verdict.INVALID, Verdict.DATA_ERROR)

    assert verdicts.may_show_effects(said) is not is_hidden
    assert (verdicts.telling_effect(said) is None) is is_hidden


def test_an_effect_goes_with_its_interval_and_unit_first() -> None:
    (line,) = verdicts.estimate_lines(_read())

    assert line.startswith("orders per user (goal): +20 % (")
    assert line.endswith("10.00 % to 12.00 %, n 5,000 / 5,000")


def test_a_look_says_where_it_stands() -> None:
    assert verdicts.look_line(_read(day=14), a_plan()).startswith("Look 1, day 14 of 28, interval at ")
    assert "day 30, planned 28" in verdicts.look_line(_read(day=30), a_plan())


def test_a_verdict_after_the_final_look_says_when_it_was_decided() -> None:
    assert verdicts.headline(replace(a_readout(Verdict.WIN), is_after_final=True)) == "Win (decided at the final look)"
