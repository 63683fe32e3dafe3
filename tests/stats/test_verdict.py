"""The verdict table: every row, and the order between rows."""

from dataclasses import replace

import pytest

from labcoat.stats.results import Estimate, Finding, Readout, Reason, SampleRatio, Verdict
from labcoat.stats.rule import Direction, Role
from stats.builders import EVEN_SPLIT, a_guardrail, a_metric, a_rule, an_estimate
from stats.table import Case, decide, each

UNEVEN = replace(EVEN_SPLIT, p_value=0.009, log_bayes_factor=4.71)
WARNING = replace(EVEN_SPLIT, p_value=0.03, log_bayes_factor=3.5)
EMPTY = Reason(finding=Finding.ARM_EMPTY, treatment="treatment")

GOOD, BAD, NULL, WIDE = (0.002, 0.03), (-0.03, -0.002), (-0.004, 0.004), (-0.03, 0.03)


def _guardrail(low: float | None, high: float | None, treatment: str = "treatment") -> Estimate:
    return an_estimate(low, high, metric="refunds", role=Role.GUARDRAIL, treatment=treatment)


def a_case(
    *given: Estimate,
    margin: float = 0.0,
    direction: Direction = Direction.UP,
    split: SampleRatio = EVEN_SPLIT,
    errors: tuple[Reason, ...] = (),
    day: float = 14.0,
    is_final: bool = False,
    past: tuple[Readout, ...] = (),
    goals: tuple[str, ...] = ("orders",),
    is_complete: bool = False,
    invalid_metrics: tuple[str, ...] = (),
) -> Case:
    """One or more goals with a minimum effect of 0.01, and the guardrail "refunds", of which more would be good.

    is_complete: their values do not grow any more, so that intervals of earlier looks hold together with this one's.
    """
    metrics = tuple(a_metric(name, direction=direction, is_complete=is_complete) for name in goals)
    treatments = tuple(dict.fromkeys(estimate.treatment for estimate in given))
    others = tuple(a_metric(name, role=Role.SECONDARY) for name in ("clicks",) if name in {one.metric for one in given})
    guardrail = a_guardrail(margin=margin, is_complete=is_complete)
    rule = a_rule(*metrics, guardrail, *others, variants=("control", *treatments))
    by_pair = {(estimate.metric, estimate.treatment): estimate for estimate in given}
    pairs = [(metric, treatment) for metric in rule.metrics for treatment in treatments]
    return Case(
        rule=rule,
        # A pair that the test says nothing of has no interval, and that is no caution either.
        estimates=tuple(
            by_pair.get(
                (metric.name, treatment),
                an_estimate(None, None, metric=metric.name, role=metric.role, treatment=treatment),
            )
            for metric, treatment in pairs
        ),
        sample_ratio=split,
        data_errors=errors,
        day=day,
        is_final=is_final,
        past=past,
        invalid_metrics=invalid_metrics,
    )


def a_past(verdict: Verdict, *reasons: Reason, look: int = 3, given: tuple[Estimate, ...] = ()) -> Readout:
    """A look of an earlier version, whose verdict counts for all treatments; given: its estimates."""
    return Readout(
        look=look,
        day=14,
        spent=0.5,
        is_final=False,
        is_after_final=False,
        sample_ratio=EVEN_SPLIT,
        estimates=given,
        verdict=verdict,
        reasons=reasons,
    )


def _findings(case: Case) -> list[Finding]:
    return [reason.finding for reason in decide(case)[1]]


def test_row_1_data_error() -> None:
    verdict, reasons = decide(a_case(an_estimate(*GOOD), errors=(EMPTY,)))

    assert verdict is Verdict.DATA_ERROR
    assert reasons == (EMPTY,)


def test_row_2_invalid() -> None:
    verdict, reasons = decide(a_case(an_estimate(*GOOD), split=UNEVEN))

    assert verdict is Verdict.INVALID
    assert reasons == (Reason(finding=Finding.UNEVEN_SPLIT, value=0.009),)


def test_row_3_guardrail_harm() -> None:
    verdict, reasons = decide(a_case(an_estimate(*WIDE), _guardrail(*BAD)))

    assert verdict is Verdict.GUARDRAIL_HARM
    assert reasons == (Reason(finding=Finding.BAD_SIDE, metric="refunds", treatment="treatment"),)


@pytest.mark.parametrize(("high", "verdict"), [(-0.006, Verdict.GUARDRAIL_HARM), (-0.004, Verdict.KEEP_COLLECTING)])
def test_row_3_a_guardrail_with_a_margin_is_harmed_below_the_margin(high: float, verdict: Verdict) -> None:
    assert decide(a_case(an_estimate(*WIDE), _guardrail(-0.05, high), margin=0.005))[0] is verdict


def test_row_4_goal_harm() -> None:
    verdict, reasons = decide(a_case(an_estimate(*BAD)))

    assert verdict is Verdict.GOAL_HARM
    assert reasons == (Reason(finding=Finding.BAD_SIDE, metric="orders", treatment="treatment"),)


def test_row_5_too_early_by_days() -> None:
    verdict, reasons = decide(a_case(an_estimate(*GOOD), day=13.9))

    assert verdict is Verdict.TOO_EARLY
    assert reasons == (Reason(finding=Finding.FEW_DAYS, value=14.0),)


def test_row_5_a_short_plan_needs_only_its_own_days() -> None:
    case = a_case(an_estimate(*GOOD), day=7)

    assert decide(replace(case, rule=replace(case.rule, planned_days=7.0)))[0] is Verdict.WIN


def test_row_5_too_early_by_units() -> None:
    verdict, reasons = decide(a_case(an_estimate(*GOOD, count=99, mean=0.5)))

    assert verdict is Verdict.TOO_EARLY
    assert reasons == (Reason(finding=Finding.FEW_UNITS, metric="orders", treatment="treatment", value=99.0),)


def test_row_5_too_early_by_events() -> None:
    verdict, reasons = decide(a_case(an_estimate(*GOOD, count=1000, mean=0.024)))

    assert verdict is Verdict.TOO_EARLY
    assert reasons == (Reason(finding=Finding.FEW_EVENTS, metric="orders", treatment="treatment", value=24.0),)


def test_row_5_one_goal_with_few_units_holds_back_the_others() -> None:
    few = an_estimate(*WIDE, metric="baskets", count=50, mean=0.6)

    assert decide(a_case(an_estimate(*GOOD), few, goals=("orders", "baskets")))[0] is Verdict.TOO_EARLY


def test_row_5_never_at_the_final_look_which_says_it_instead() -> None:
    case = a_case(an_estimate(*GOOD, count=99, mean=0.2), day=3, is_final=True)

    assert decide(case)[0] is Verdict.WIN
    assert _findings(case) == [Finding.GOOD_SIDE, Finding.FEW_UNITS, Finding.FEW_EVENTS]


def test_row_6_win() -> None:
    case = a_case(an_estimate(*GOOD), _guardrail(*WIDE))

    assert decide(case) == (
        Verdict.WIN,
        (Reason(finding=Finding.GOOD_SIDE, metric="orders", treatment="treatment"),),
    )


def test_row_6_practically_significant_above_the_minimum_effect() -> None:
    assert _findings(a_case(an_estimate(0.011, 0.03))) == [Finding.GOOD_SIDE, Finding.ABOVE_MINIMUM]


def test_row_6_with_a_margin_the_guardrail_must_be_shown_above_it() -> None:
    assert decide(a_case(an_estimate(*GOOD), _guardrail(-0.004, 0.01), margin=0.005))[0] is Verdict.WIN


@pytest.mark.parametrize("is_final", [False, True])
def test_row_6b_win_guardrail_open(is_final: bool) -> None:
    case = a_case(an_estimate(*GOOD), _guardrail(-0.006, 0.01), margin=0.005, is_final=is_final)

    verdict, reasons = decide(case)

    assert verdict is Verdict.WIN_GUARDRAIL_OPEN
    assert reasons[-1] == Reason(finding=Finding.GUARDRAIL_OPEN, metric="refunds", treatment="treatment")


def test_row_6b_a_guardrail_without_numbers_is_open() -> None:
    case = a_case(an_estimate(*GOOD), replace(_guardrail(None, None), missing=Finding.NO_VARIANCE), margin=0.005)

    assert decide(case)[0] is Verdict.WIN_GUARDRAIL_OPEN


def test_row_6_a_treatment_wins_by_its_own_guardrails() -> None:
    first, second = an_estimate(*GOOD, treatment="a"), an_estimate(*GOOD, treatment="b")
    guardrails = (_guardrail(-0.006, 0.01, "a"), _guardrail(-0.001, 0.01, "b"))

    verdict, reasons = decide(a_case(first, second, *guardrails, margin=0.005))

    assert verdict is Verdict.WIN
    assert [reason.treatment for reason in reasons] == ["b"]


def test_row_7_no_meaningful_effect() -> None:
    case = a_case(an_estimate(*NULL))

    assert decide(case)[0] is Verdict.NO_EFFECT
    assert _findings(case) == [Finding.INSIDE_MINIMUM]


def test_row_7_no_gain_if_a_loss_is_possible() -> None:
    case = a_case(an_estimate(-0.02, 0.009))

    assert decide(case)[0] is Verdict.NO_GAIN
    assert _findings(case) == [Finding.FUTILE]


def test_row_7_needs_every_goal() -> None:
    null, wide = an_estimate(*NULL), an_estimate(*WIDE, metric="baskets")
    goals = ("orders", "baskets")

    assert decide(a_case(null, wide, goals=goals))[0] is Verdict.KEEP_COLLECTING
    assert decide(a_case(null, replace(null, metric="baskets"), goals=goals))[0] is Verdict.NO_EFFECT
    falls = an_estimate(-0.02, 0.009, metric="baskets")
    assert decide(a_case(null, falls, goals=goals))[0] is Verdict.NO_GAIN


def test_row_8_inconclusive() -> None:
    case = a_case(an_estimate(*WIDE), is_final=True)

    assert decide(case)[0] is Verdict.INCONCLUSIVE
    assert _findings(case) == [Finding.CROSSES_ZERO]


def test_row_8_says_when_there_were_few_units_or_events() -> None:
    case = a_case(an_estimate(*WIDE, count=80, mean=0.2), is_final=True)

    assert _findings(case) == [Finding.CROSSES_ZERO, Finding.FEW_UNITS, Finding.FEW_EVENTS]


def test_row_9_keep_collecting() -> None:
    case = a_case(an_estimate(*WIDE))

    assert decide(case)[0] is Verdict.KEEP_COLLECTING
    assert _findings(case) == [Finding.CROSSES_ZERO]


ORDER = (
    Verdict.DATA_ERROR,
    Verdict.INVALID,
    Verdict.GUARDRAIL_HARM,
    Verdict.GOAL_HARM,
    Verdict.TOO_EARLY,
    Verdict.WIN,
    Verdict.NO_EFFECT,
    Verdict.KEEP_COLLECTING,
)


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_first_row_that_matches_wins(first: int) -> None:
    """A case that matches every row from `first` on: each goal brings one of the rows."""
    brings = {
        Verdict.GOAL_HARM: an_estimate(*BAD, metric="a"),
        Verdict.WIN: an_estimate(*GOOD, metric="b"),
        Verdict.NO_EFFECT: an_estimate(*NULL, metric="c"),
        Verdict.KEEP_COLLECTING: an_estimate(*WIDE, metric="d"),
    }
    rows = ORDER[first:]
    goals = [estimate for verdict, estimate in brings.items() if verdict in rows]
    if rows[0] is Verdict.NO_EFFECT:
        goals = goals[:1]  # a goal that may still have an effect is no match of this row
    guardrails = [_guardrail(*BAD)] if Verdict.GUARDRAIL_HARM in rows else []
    case = a_case(
        *goals,
        *guardrails,
        goals=tuple(one.metric for one in goals),
        errors=(EMPTY,) if Verdict.DATA_ERROR in rows else (),
        split=UNEVEN if Verdict.INVALID in rows else EVEN_SPLIT,
        day=1 if Verdict.TOO_EARLY in rows else 14,
    )

    assert decide(case)[0] is rows[0]


def test_down_is_good_when_the_plan_says_so() -> None:
    assert decide(a_case(an_estimate(*BAD), direction=Direction.DOWN))[0] is Verdict.WIN
    assert decide(a_case(an_estimate(*GOOD), direction=Direction.DOWN))[0] is Verdict.GOAL_HARM
    assert decide(a_case(an_estimate(-0.009, 0.02), direction=Direction.DOWN))[0] is Verdict.NO_GAIN


WEAK = [Finding.SMALL_CELL, Finding.CONSTANT_ARM]


@pytest.mark.parametrize("weak", WEAK)
@pytest.mark.parametrize("interval", [GOOD, NULL])
def test_a_weak_interval_makes_no_goal_win_and_dismisses_none(interval: tuple[float, float], weak: Finding) -> None:
    case = a_case(replace(an_estimate(*interval), missing=weak))

    assert decide(case)[0] is Verdict.KEEP_COLLECTING
    assert weak in _findings(case)


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_interval_may_call_harm(weak: Finding) -> None:
    guardrail = replace(_guardrail(*BAD), missing=weak)

    assert decide(a_case(an_estimate(*GOOD), guardrail))[0] is Verdict.GUARDRAIL_HARM


@pytest.mark.parametrize(
    ("weak", "verdict"),
    [(Finding.SMALL_CELL, Verdict.WIN), (Finding.CONSTANT_ARM, Verdict.WIN_GUARDRAIL_OPEN)],
    ids=["few events", "one arm constant"],
)
def test_few_events_may_show_a_guardrail_safe_and_a_constant_arm_may_not(weak: Finding, verdict: Verdict) -> None:
    guardrail = replace(_guardrail(*NULL), missing=weak)

    assert decide(a_case(an_estimate(*GOOD), guardrail, margin=0.005))[0] is verdict


def test_no_numbers_are_never_no_effect() -> None:
    case = a_case(replace(an_estimate(None, None), missing=Finding.NO_VARIANCE), is_final=True)

    assert decide(case)[0] is Verdict.INCONCLUSIVE
    assert _findings(case) == [Finding.NO_VARIANCE]


def test_secondary_metrics_are_in_no_verdict() -> None:
    case = a_case(an_estimate(*WIDE), an_estimate(*BAD, metric="clicks", role=Role.SECONDARY))

    assert decide(case)[0] is Verdict.KEEP_COLLECTING


def test_a_split_warning_goes_with_any_verdict() -> None:
    case = a_case(an_estimate(*GOOD), split=WARNING)

    assert decide(case)[0] is Verdict.WIN
    assert Reason(finding=Finding.SPLIT_WARNING, value=0.03) in decide(case)[1]


GOOD_SIDE = Reason(finding=Finding.GOOD_SIDE, metric="orders", treatment="treatment")
BAD_SIDE = Reason(finding=Finding.BAD_SIDE, metric="orders", treatment="treatment")
EARLIER = Reason(finding=Finding.CROSSED_EARLIER, metric="orders", treatment="treatment", value=3.0)


@pytest.mark.parametrize(
    ("verdict", "reason"), [(Verdict.WIN, GOOD_SIDE), (Verdict.GOAL_HARM, BAD_SIDE)], ids=["win", "harm"]
)
@pytest.mark.parametrize("is_complete", [False, True], ids=["growing", "complete"])
@pytest.mark.parametrize("now", [WIDE, NULL])
def test_a_crossing_stands(verdict: Verdict, reason: Reason, now: tuple[float, float], is_complete: bool) -> None:
    then = an_estimate(*(GOOD if verdict is Verdict.WIN else BAD))
    # The newest estimate is within what that look allowed: it has not moved.
    newest = replace(an_estimate(*now), difference=0.003 if verdict is Verdict.WIN else -0.003)
    case = a_case(newest, past=(a_past(verdict, reason, given=(then,)),), is_complete=is_complete)

    assert decide(case) == (verdict, (EARLIER,))


@pytest.mark.parametrize("is_complete", [False, True], ids=["growing", "complete"])
def test_a_crossing_stands_after_a_day_of_wrong_data(is_complete: bool) -> None:
    won = a_past(Verdict.WIN, GOOD_SIDE, given=(an_estimate(*GOOD),))
    case = a_case(
        replace(an_estimate(*WIDE), difference=0.01),
        past=(won, a_past(Verdict.DATA_ERROR, look=4)),
        is_complete=is_complete,
    )

    assert decide(case)[0] is Verdict.WIN


def test_looks_at_an_uneven_split_hold_nothing() -> None:
    uneven = a_past(Verdict.INVALID, given=(an_estimate(*GOOD),))

    assert decide(a_case(an_estimate(*WIDE), past=(uneven,), is_complete=True))[0] is Verdict.KEEP_COLLECTING


def test_a_harm_seen_later_comes_before_a_win_that_stands() -> None:
    won = a_past(Verdict.WIN, GOOD_SIDE, given=(an_estimate(*GOOD),))
    case = a_case(an_estimate(*WIDE), _guardrail(*BAD), past=(won,))

    assert decide(case)[0] is Verdict.GUARDRAIL_HARM


@pytest.mark.parametrize(
    ("is_complete", "verdict"),
    [(True, Verdict.WIN), (False, Verdict.WIN_GUARDRAIL_OPEN)],
    ids=["complete", "growing"],
)
def test_a_guardrail_that_was_shown_safe_stays_so_unless_its_values_grow(is_complete: bool, verdict: Verdict) -> None:
    won = a_past(Verdict.WIN, GOOD_SIDE, given=(an_estimate(*GOOD), _guardrail(-0.004, 0.01)))
    case = a_case(an_estimate(*GOOD), _guardrail(-0.006, 0.01), margin=0.005, past=(won,), is_complete=is_complete)

    assert decide(case)[0] is verdict


@pytest.mark.parametrize("is_complete", [False, True], ids=["growing", "complete"])
def test_an_open_win_becomes_a_win_once_the_guardrail_is_shown_safe(is_complete: bool) -> None:
    opened = a_past(Verdict.WIN_GUARDRAIL_OPEN, GOOD_SIDE, given=(an_estimate(*GOOD), _guardrail(*WIDE)))
    case = a_case(
        replace(an_estimate(*WIDE), difference=0.01),
        _guardrail(-0.004, 0.01),
        margin=0.005,
        past=(opened,),
        is_complete=is_complete,
    )

    assert decide(case) == (Verdict.WIN, (EARLIER,))


@pytest.mark.parametrize("is_complete", [False, True], ids=["growing", "complete"])
def test_a_good_interval_that_was_too_early_does_not_stand(is_complete: bool) -> None:
    early = a_past(Verdict.TOO_EARLY, GOOD_SIDE, given=(an_estimate(*GOOD),))

    assert decide(a_case(an_estimate(*WIDE), past=(early,), is_complete=is_complete))[0] is Verdict.KEEP_COLLECTING


def test_two_intervals_together_may_dismiss_what_neither_does_alone() -> None:
    low, high = an_estimate(-0.008, 0.02), an_estimate(-0.02, 0.008)
    earlier = a_past(Verdict.KEEP_COLLECTING, given=(low,))

    assert decide(a_case(high, is_complete=True))[0] is Verdict.NO_GAIN
    case = a_case(replace(high, difference=-0.006), past=(earlier,), is_complete=True)
    assert decide(case)[0] is Verdict.NO_EFFECT
    assert decide(a_case(high, past=(earlier,)))[0] is Verdict.NO_GAIN


def test_a_win_whose_newest_estimate_lies_outside_is_for_people_to_decide() -> None:
    won = a_past(Verdict.WIN, GOOD_SIDE, given=(an_estimate(*GOOD),))

    verdict, reasons = decide(a_case(replace(an_estimate(*WIDE), difference=0.0), past=(won,), is_complete=True))

    assert verdict is Verdict.WIN_EFFECT_MOVED
    assert reasons == (EARLIER, Reason(finding=Finding.EFFECT_MOVED, metric="orders", treatment="treatment"))


def test_a_harm_stands_although_the_effect_has_moved() -> None:
    harmed = a_past(Verdict.GOAL_HARM, BAD_SIDE, given=(an_estimate(*BAD),))

    assert decide(a_case(an_estimate(*GOOD), past=(harmed,), is_complete=True))[0] is Verdict.GOAL_HARM


def test_intervals_that_exclude_each_other_never_say_no_effect() -> None:
    earlier = a_past(Verdict.KEEP_COLLECTING, given=(an_estimate(-0.009, -0.005),))
    case = a_case(an_estimate(-0.001, 0.009), direction=Direction.UP, past=(earlier,), is_complete=True, is_final=True)

    # Both are inside the minimum effect of 0.01; together nothing is left. The earlier one was harm.
    assert decide(case)[0] is Verdict.GOAL_HARM
    above = a_past(Verdict.KEEP_COLLECTING, given=(an_estimate(-0.001, 0.003),))
    case = a_case(an_estimate(0.004, 0.009), past=(above,), is_complete=True, is_final=True)
    assert decide(case)[0] is Verdict.WIN_EFFECT_MOVED


def test_a_guardrail_without_data_is_open_with_or_without_a_margin() -> None:
    nothing = replace(_guardrail(None, None), missing=Finding.ARM_EMPTY)

    for margin in (0.0, 0.005):
        verdict, reasons = decide(a_case(an_estimate(*GOOD), nothing, margin=margin))

        assert verdict is Verdict.WIN_GUARDRAIL_OPEN
        assert Reason(finding=Finding.GUARDRAIL_WITHOUT_DATA, metric="refunds", treatment="treatment") in reasons


def test_a_metric_measured_on_an_uneven_split_decides_nothing() -> None:
    goal = a_case(an_estimate(*GOOD), invalid_metrics=("orders",))
    guardrail = a_case(an_estimate(*GOOD), _guardrail(*BAD), invalid_metrics=("refunds",))

    assert decide(goal) == (Verdict.INVALID, (Reason(finding=Finding.NO_VALID_GOAL),))
    assert decide(guardrail)[0] is Verdict.WIN_GUARDRAIL_OPEN


def test_each_treatment_has_its_own_verdict_and_the_win_comes_first() -> None:
    worse, better, wide = (
        an_estimate(*interval, treatment=name) for name, interval in (("a", BAD), ("b", GOOD), ("c", WIDE))
    )

    verdicts = each(a_case(worse, better, wide))

    assert [(one.treatment, one.verdict, one.metric) for one in verdicts] == [
        ("b", Verdict.WIN, "orders"),
        ("a", Verdict.GOAL_HARM, "orders"),
        ("c", Verdict.KEEP_COLLECTING, None),
    ]
    assert all(reason.treatment == one.treatment for one in verdicts for reason in one.reasons)


def test_of_two_wins_the_one_whose_interval_begins_higher_comes_first() -> None:
    small, large = an_estimate(0.002, 0.09, treatment="a"), an_estimate(0.01, 0.03, treatment="b")

    assert [one.treatment for one in each(a_case(small, large))] == ["b", "a"]


def test_few_events_of_one_treatment_hold_back_that_one_only() -> None:
    few, many = an_estimate(*GOOD, count=1000, mean=0.024, treatment="a"), an_estimate(*GOOD, treatment="b")

    assert {one.treatment: one.verdict for one in each(a_case(few, many))} == {
        "a": Verdict.TOO_EARLY,
        "b": Verdict.WIN,
    }
