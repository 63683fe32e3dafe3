"""Everything the statistics can say has words."""

from dataclasses import replace

import pytest

from builders import E7, a_plan, a_readout
from labcoat.domain.verdicts import may_show_effects
from labcoat.stats import readout as reading
from labcoat.stats.results import Finding, NoLookReason, Readout, Verdict
from labcoat.stats.rule import Design
from labcoat.words import effects, verdicts
from labcoat.words.verdict_words import DESIGNS, NO_LOOK, WORDS
from readouts import (
    BIG,
    MID,
    ORDERS,
    SMALL,
    a_look,
    a_photo_plan,
    a_win_and_a_harm,
    an_estimate,
    as_stored_before,
    called,
)
from usecases.storing import a_sample


def _read(treated: int = 600, *, day: float = 20) -> Readout:
    said = reading.read(a_plan().rule(), a_sample(treated=treated), day=day, past=())
    assert isinstance(said, Readout)
    return said


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_sign_a_name_and_a_next_step(verdict: Verdict) -> None:
    words = WORDS[verdict]

    assert words.sign
    assert words.name
    assert verdicts.next_step(a_readout(verdict), is_running=True)
    assert verdicts.next_step(a_readout(verdict), is_running=False)


@pytest.mark.parametrize("verdict", Verdict)
def test_no_verdict_is_called_a_failure(verdict: Verdict) -> None:
    words = WORDS[verdict]

    assert "fail" not in f"{words.name} {words.now} {words.then}".lower()


@pytest.mark.parametrize("verdict", Verdict)
def test_a_stopped_experiment_is_not_told_to_keep_running(verdict: Verdict) -> None:
    if verdict is Verdict.KEEP_COLLECTING:  # never final
        return
    after = verdicts.next_step(a_readout(verdict, is_final=True), is_running=False)

    assert "Keep it running" not in after
    assert "Stop it" not in after


@pytest.mark.parametrize("why", NoLookReason)
def test_every_reason_for_no_look_has_words(why: NoLookReason) -> None:
    assert NO_LOOK[why].endswith(".")


@pytest.mark.parametrize("design", Design)
def test_every_design_has_words(design: Design) -> None:
    assert DESIGNS[design]


@pytest.mark.parametrize("verdict", Verdict)
def test_effects_are_hidden_where_they_mean_nothing(verdict: Verdict) -> None:
    read = _read()
    said = replace(read, verdict=verdict, treatments=(replace(read.treatments[0], verdict=verdict),))
    is_hidden = verdict in (Verdict.INVALID, Verdict.DATA_ERROR)

    assert may_show_effects(said) is not is_hidden
    assert ("%" not in verdicts.headline(said)) is is_hidden


def test_a_look_says_where_it_stands() -> None:
    assert verdicts.look_line(_read(day=14), a_plan()) == "Look 1, day 14 of 28"
    growing = replace(a_plan(), metrics=tuple(replace(one, is_complete_at_exposure=False) for one in a_plan().metrics))
    said = reading.read(growing.rule(), a_sample(), day=14, past=())
    assert isinstance(said, Readout)
    assert verdicts.look_line(said, growing).startswith("Look 1, day 14 of 28, approximate")
    assert "day 30, planned 28" in verdicts.look_line(_read(day=30), a_plan())


def test_a_verdict_after_the_final_look_says_when_it_was_decided() -> None:
    assert verdicts.headline(replace(a_readout(Verdict.WIN), is_after_final=True)) == "Win (decided at the final look)"


def test_with_one_treatment_no_name_is_needed() -> None:
    look = a_look(
        called(BIG, Verdict.WIN, Finding.GOOD_SIDE, metric=ORDERS), estimates=(an_estimate(lift=(4.1, 1.2, 7)),)
    )

    assert verdicts.headline(look) == "Win: +4.1 % orders per user (1.2 to 7.0)"
    assert verdicts.arms(look) == []


def test_a_headline_names_the_treatment_and_the_metric_that_decided() -> None:
    look = a_win_and_a_harm()

    assert verdicts.headline(look) == "photos_big wins: +4.1 % orders per user (1.2 to 7.0)"
    assert verdicts.headline(look, None, look.find(SMALL)) == "photos_small harms refunds: +94 % (32 to 200)"


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.GOAL_HARM, "photos_big makes orders per user worse: -4.1 % (-7.0 to -1.2)"),
        (Verdict.KEEP_COLLECTING, "photos_big: no clear effect yet, -4.1 % orders per user (-7.0 to -1.2)"),
        (Verdict.TOO_EARLY, "photos_big: too early to tell, -4.1 % orders per user (-7.0 to -1.2)"),
        (Verdict.INVALID, "Not valid: traffic is not split as planned (SRM)"),
        (Verdict.DATA_ERROR, "Data error"),
    ],
)
def test_a_verdict_of_one_of_several_reads_as_a_sentence(verdict: Verdict, said: str) -> None:
    one = an_estimate(lift=(-4.1, -7.0, -1.2))
    other = verdict if not verdict.is_valid else Verdict.KEEP_COLLECTING
    look = a_look(called(BIG, verdict, metric=ORDERS), called(SMALL, other), estimates=(one,))

    assert verdicts.headline(look) == said


def test_every_other_treatment_has_a_line_and_only_harm_and_other_metrics_are_named() -> None:
    look = a_win_and_a_harm(has_more=True)

    assert verdicts.arms(look) == [
        "photos_small harms refunds, +94 % (32 to 200)",
        "photos_mid: no clear effect yet, +0.4 % (-2.1 to 2.9)",
    ]
    assert verdicts.counted_arms(look) == "+2 arms"
    assert verdicts.arms(look, beside=look.find(MID))[0] == "photos_big wins, +4.1 % (1.2 to 7.0)"


def test_of_many_arms_the_last_are_counted() -> None:
    look = a_look(called("a", Verdict.WIN), *(called(f"t{n}", Verdict.INCONCLUSIVE) for n in range(9)))

    assert verdicts.arms(look)[verdicts.ARMS_SHOWN :] == ["and 4 more"]


def test_a_dropped_treatment_is_marked_and_no_alarm_any_more() -> None:
    look = a_win_and_a_harm()
    dropped = replace(look, treatments=(look.treatments[0], replace(look.treatments[1], is_dropped=True)))

    assert verdicts.arms(dropped) == ["photos_small (dropped) harms refunds, +94 % (32 to 200)"]
    assert verdicts.harm_lines(look) == ["photos_small harms refunds: +94 % (32 to 200)"]
    assert verdicts.harm_lines(dropped) == []
    assert verdicts.next_step(dropped, is_running=True) == "Stop it and ask a lead to release photos_big."


def test_a_winner_beside_a_harm_need_not_be_stopped() -> None:
    look = a_win_and_a_harm()

    assert verdicts.next_step(look, is_running=True, experiment=E7) == (
        "Drop photos_small (`/experiment drop E-7`), or stop it and ask a lead to release photos_big."
    )
    assert verdicts.next_step(look, is_running=False) == "Ask a lead to release photos_big."


def test_where_all_are_harmed_nothing_is_dropped() -> None:
    look = a_look(*(called(name, Verdict.GOAL_HARM, metric=ORDERS) for name in (BIG, SMALL)))

    assert verdicts.next_step(look, is_running=True).startswith("Consider stopping now")


def test_a_look_of_an_earlier_version_has_one_verdict_for_all_and_names_who_decided() -> None:
    look = a_win_and_a_harm()
    harm = as_stored_before(replace(look, verdict=Verdict.GUARDRAIL_HARM, reasons=look.treatments[1].reasons))

    assert verdicts.headline(harm) == "Harm on a guardrail: +94 % refunds, photos_small (32 to 200)"
    assert verdicts.arms(harm) == []
    assert verdicts.counted_arms(harm) == ""
    assert len(verdicts.harm_lines(harm)) == 1
    assert verdicts.next_step(harm, is_running=True).startswith("Consider stopping now")


def test_no_goal_that_is_valid_is_not_called_uneven_traffic() -> None:
    look = a_look(called(BIG, Verdict.INVALID, Finding.NO_VALID_GOAL))

    assert verdicts.headline(look) == "Not valid: no goal was measured on evenly split units"


@pytest.mark.parametrize("verdict", Verdict)
def test_nothing_says_standard_errors(verdict: Verdict) -> None:
    look = a_look(called(BIG, verdict, metric=ORDERS), estimates=(an_estimate(lift=(4.1, 1.2, 7.0)),))
    said = [verdicts.headline(look), verdicts.look_line(look, a_photo_plan(BIG)), *effects.lines(look)]

    assert not any(word in " ".join(said) for word in ("standard error", "sigma", "k ="))
